// A rate that something may not exceed: a token bucket that holds one second's worth and starts full. For Peer: what a
// remote may make us do or send. Says yes or no; what to do about a no, and to count it, is the caller's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace atm0s::peer {

class Budget {
 public:
  explicit Budget(int64_t per_second) : per_second_(per_second), level_(per_second * kScale) {}

  // Something is left.
  bool is_open(Instant now) {
    const int64_t elapsed = std::clamp<int64_t>(to_us(now - last_), 0, kScale);
    last_ = std::max(last_, now);
    level_ = std::min(level_ + elapsed * per_second_, per_second_ * kScale);
    return level_ > 0;
  }
  // After is_open(): the last amount may be larger than what was left, the next ones then wait for it.
  void charge(int64_t amount) { level_ -= amount * kScale; }
  bool take(Instant now, int64_t amount = 1) {
    if (!is_open(now)) return false;
    charge(amount);
    return true;
  }

 private:
  static constexpr int64_t kScale = 1'000'000;  // of a token: what flows in within 1 µs is a whole number
  int64_t per_second_;
  int64_t level_;
  Instant last_{};
};

}  // namespace atm0s::peer
