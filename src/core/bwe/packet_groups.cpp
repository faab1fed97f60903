#include "core/bwe/packet_groups.h"

#include <algorithm>

namespace atm::bwe {
namespace {

constexpr Duration kGroupLength = 5ms;      // gcc-02 5.2: burst_time
constexpr Duration kLongestBurst = 100ms;   // a burst that arrives together for longer is no burst (libwebrtc)
constexpr Duration kClockJump = 3s;         // arrivals that much apart from sendings: the clock was set (libwebrtc)
constexpr int kReorderedGroupsAllowed = 3;  // in a row, then everything begins anew (libwebrtc)

}  // namespace

bool PacketGroups::is_of_burst(Instant sent, Duration arrived) const {
  const Duration arrival_gap = arrived - current_.last_arrived;
  const Duration send_gap = sent - current_.last_sent;
  if (send_gap == Duration(0)) return true;
  // gcc-02 4.1: came closer than it went, so it waited behind the others.
  return arrival_gap < send_gap && arrival_gap <= kGroupLength && arrived - current_.first_arrived < kLongestBurst;
}

std::optional<PacketGroups::Delta> PacketGroups::add(Instant sent, Duration arrived) {
  std::optional<Delta> delta;
  if (!current_.started) {
    current_ = {true, sent, sent, arrived, arrived};
    return delta;
  }
  if (sent < current_.first_sent) return delta;  // of a group that is closed
  if (sent - current_.first_sent > kGroupLength && !is_of_burst(sent, arrived)) {
    if (previous_.started) {
      const Delta found{current_.last_sent - previous_.last_sent, current_.last_arrived - previous_.last_arrived};
      if (found.arrived - found.sent > kClockJump) {
        reset();
        return delta;
      }
      if (found.arrived < Duration(0)) {
        if (++reordered_in_row_ >= kReorderedGroupsAllowed) reset();
        return delta;
      }
      reordered_in_row_ = 0;
      delta = found;
    }
    previous_ = current_;
    current_ = {true, sent, sent, arrived, arrived};
    return delta;
  }
  current_.last_sent = std::max(current_.last_sent, sent);
  current_.last_arrived = std::max(current_.last_arrived, arrived);
  return delta;
}

}  // namespace atm::bwe
