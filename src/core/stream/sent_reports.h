// The times that we told a remote and the round trip that follows when it tells one of them back: sender reports
// (RFC 3550 6.4.1, LSR and DLSR) and receiver reference times (RFC 3611 4.5, LRR and DLRR). For SendStream and
// core/peer. Remembers the last few; what it did not send tells nothing. On the monotonic clock: the wall clock may be
// set in between.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::stream {

class SentReports {
 public:
  void on_sent(Now now, uint64_t ntp) {
    sent_[next_] = {static_cast<uint32_t>(ntp >> 16), now.mono};
    next_ = (next_ + 1) % kRemembered;
  }
  // `delay` in 1/65,536 s. Never negative, and never longer than the time since the report.
  std::optional<Duration> round_trip(Now now, uint32_t middle_ntp, uint32_t delay) const {
    if (middle_ntp == 0) return std::nullopt;
    const auto sent = std::ranges::find(sent_, middle_ntp, &Sent::middle_ntp);
    if (sent == sent_.end()) return std::nullopt;
    const Duration held{static_cast<int64_t>(uint64_t{delay} * 1'000'000 / 65'536)};
    return std::max(std::chrono::duration_cast<Duration>(now.mono - sent->at) - held, Duration{0});
  }

 private:
  struct Sent {
    uint32_t middle_ntp = 0;
    Instant at{};
  };
  // Reports every second or so and a round trip below 8 s: a block that refers to an older one tells nothing.
  static constexpr size_t kRemembered = 8;
  std::array<Sent, kRemembered> sent_{};
  size_t next_ = 0;
};

// RFC 6298 2.3: alpha 1/8.
inline Duration smooth(std::optional<Duration> before, Duration sample) {
  return before ? (*before * 7 + sample) / 8 : sample;
}

}  // namespace atm::stream
