// Instants, durations and the pair of clocks that every engine is told (never asks for).
// Used by everything. Logic receives a Now; only io/runtime reads a real clock, only tests/sim makes one up.
// Durations are microseconds; the two clocks are different types, so one cannot be used for the other.
#pragma once

#include <chrono>
#include <cstdint>

namespace atm {

using namespace std::chrono_literals;  // 20ms, 5s read as what they are everywhere

using Duration = std::chrono::microseconds;

// Monotonic clock: deadlines, RTT, pacing. Its epoch means nothing.
struct MonotonicClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;

// Wall clock, microseconds since 1970-01-01 UTC: sender reports, token expiry, certificate dates, logs.
struct WallClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<WallClock, Duration>;
  static constexpr bool is_steady = false;
};
using WallTime = WallClock::time_point;

// What an engine is told with every input.
struct Now {
  Instant mono;
  WallTime wall;
};

// "No deadline": what next_timeout() returns when nothing is due.
inline constexpr Instant kNever = Instant::max();

inline constexpr int64_t to_us(Duration d) {
  return d.count();
}
inline constexpr int64_t to_ms(Duration d) {
  return d.count() / 1000;
}
inline constexpr int64_t unix_seconds(WallTime t) {
  return t.time_since_epoch().count() / 1'000'000;
}

// RFC 5905 6: NTP timestamp, seconds since 1900 in the upper 32 bits, fraction in the lower.
inline constexpr uint64_t to_ntp(WallTime t) {
  constexpr uint64_t kUnixToNtpSeconds = 2'208'988'800;  // RFC 868
  const uint64_t us = static_cast<uint64_t>(t.time_since_epoch().count());
  const uint64_t fraction = ((us % 1'000'000) << 32) / 1'000'000;
  return ((us / 1'000'000 + kUnixToNtpSeconds) << 32) | fraction;
}

}  // namespace atm
