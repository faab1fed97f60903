// The playout-delay header extension (webrtc.org/experiments/rtp-hdrext/playout-delay): the bounds within which a
// receiver may choose its jitter buffer. For the latency mode of a session. Three bytes, two numbers of 12 bits in
// units of 10 ms.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"

namespace atm::payload {

struct PlayoutDelay {
  Duration min{}, max{};
  bool operator==(const PlayoutDelay&) const = default;
};

inline constexpr size_t kPlayoutDelaySize = 3;
inline constexpr Duration kPlayoutDelayUnit = 10ms;
inline constexpr Duration kLongestPlayoutDelay = kPlayoutDelayUnit * 4'095;

// Nothing when it is not of that size, or the least exceeds the most.
inline std::optional<PlayoutDelay> parse_playout_delay(ByteView value) {
  if (value.size() != kPlayoutDelaySize) return std::nullopt;
  const PlayoutDelay out{.min = kPlayoutDelayUnit * (value[0] << 4 | value[1] >> 4),
                         .max = kPlayoutDelayUnit * ((value[1] & 0x0f) << 8 | value[2])};
  if (out.min > out.max) return std::nullopt;
  return out;
}

// Both are rounded down to 10 ms and kept within what can be said.
inline std::array<uint8_t, kPlayoutDelaySize> write_playout_delay(const PlayoutDelay& delay) {
  const auto units = [](Duration d) {
    return static_cast<uint32_t>(std::clamp(d, Duration::zero(), kLongestPlayoutDelay) / kPlayoutDelayUnit);
  };
  const uint32_t both = units(delay.min) << 12 | units(std::max(delay.min, delay.max));
  return {static_cast<uint8_t>(both >> 16), static_cast<uint8_t>(both >> 8), static_cast<uint8_t>(both)};
}

}  // namespace atm::payload
