// What the remote's wall clock shows, put on ours: ours = remote + offset, one offset for all streams of the remote, so
// that what it captured at one instant stays at one instant here, whatever the ways and encoders that the streams came
// through (RFC 3550 6.4.1). For core/peer, which tells it of every sender report of the remote.
//
// The offset is that of the report with the least delay among those of the last 15 to 30 s (as NTP's clock filter, RFC
// 5905 10): too large by the least one-way delay, which cannot be known. So two remotes lie apart on our clock by what
// their ways differ. Less delay counts at once for as long as the clock is new; then the offset moves by at most 1 ms a
// second, which follows a drift of 1,000 ppm. A clock that was set is a new one. Allocates nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::stream {

// Who says that something was captured longer ago, or as far in the future, is not believed: no buffer or encoder of a
// call holds it for so long.
inline constexpr Duration kBelievedAge = 10s;

class RemoteClock {
 public:
  // Reports of so long count, and of as long again.
  static constexpr Duration kWindow = 15s;
  // After the first report. A browser tells of audio every 5 s, of video every second.
  static constexpr Duration kSettling = 10s;
  // A report that says so much less than any before, or a window of reports that all say more: no delay is that. The
  // remote's clock was set.
  static constexpr Duration kNewClock = 1s;

  // A sender report that was made at `ntp` (RFC 5905 6). 0 says that the remote has no clock (RFC 3550 6.4.1).
  void on_report(Instant arrived, uint64_t ntp);
  // Something has arrived that was captured at `captured_at`, as to_local() says. Nothing is captured after it has
  // arrived: while the clock is new, the delay of the report that it began with is too large by that.
  void on_arrival(Instant now, Instant captured_at);
  // `after` what the remote's clock calls `ntp`. None before the first report, and when it is further from now than
  // kBelievedAge.
  std::optional<Instant> to_local(Instant now, uint64_t ntp, Duration after) const;

 private:
  void begin(Instant arrived, Duration sample);
  Duration offset_at(Instant now) const;
  Duration target() const { return std::min(least_, least_before_); }

  std::optional<Instant> begun_at_;
  Duration offset_{};  // at `moved_at_`; since then on its way to target()
  Instant moved_at_{};
  Instant window_begun_{};
  Duration least_{}, least_before_{};  // of this window and the one before
};

}  // namespace atm::stream
