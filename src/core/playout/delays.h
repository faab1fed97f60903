// The bounds of how long media wait before they are shown or played, as the latency mode of a session sets them. For
// VideoPlayout and AudioPlayout; the SDK's session fills them in:
//
//   latency mode   video min, max   audio min, max   max_packets of audio
//   ultra-low      0, 0             none, none       10
//   default        none, none       none, none       0 (no limit of its own)
//   smooth-N       N ms, N ms       N ms, N ms       20, 25, 40, 50, 100 for N = 200, 500, 800, 1000, 2000
//
// A delay counts from the fastest way through the network that was measured lately (DelayProfile::base()), not from
// the capture: the receiver cannot know how long the fastest packet took.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::playout {

inline constexpr Duration kMaxDelay = 4s;  // of any target: a larger minimum is cut to this

struct Delays {
  std::optional<Duration> min;
  std::optional<Duration> max;  // wins over min; 0: at once, nothing waits
};

// Where one medium stands without lip sync: what LipSync compares.
struct PlayPoint {
  uint32_t rtp_timestamp = 0;
  Instant play_at{};  // when what was captured at rtp_timestamp would be shown or heard without lip sync
  Duration delay{};   // and how long that is after the fastest way: the target without lip sync
};

}  // namespace atm::playout
