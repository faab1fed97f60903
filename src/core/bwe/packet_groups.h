// Packets put together by when they were sent, and how much farther apart two groups came than they went: what the
// trend line is fed with. For core/bwe/controller. draft-ietf-rmcat-gcc-02 4 (5 ms bursts), as libwebrtc's
// InterArrivalDelta. Times of arrival are the receiver's clock; only differences are used.
#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"

namespace atm::bwe {

class PacketGroups {
 public:
  struct Delta {
    Duration sent;     // between the last packets of the two groups
    Duration arrived;  // the same at the receiver
  };
  // In order of sending number. A delta when this packet begins a third or later group.
  std::optional<Delta> add(Instant sent, Duration arrived);
  void reset() { *this = PacketGroups(); }

 private:
  struct Group {
    bool started = false;
    Instant first_sent{};
    Instant last_sent{};
    Duration first_arrived{};
    Duration last_arrived{};
  };
  bool is_of_burst(Instant sent, Duration arrived) const;

  Group current_;
  Group previous_;
  int reordered_in_row_ = 0;
};

}  // namespace atm::bwe
