// A rate that something may not exceed: a token bucket that holds one second's worth, or more, and starts full. For
// what one remote, session or address may make us do or send. Says yes or no; what to do about a no, and to count it,
// is the caller's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace atm {

class Budget {
 public:
  // `held`: how much may come at once after a quiet time.
  explicit Budget(int64_t per_second) : Budget(per_second, per_second) {}
  Budget(int64_t per_second, int64_t held) : per_second_(per_second), capacity_(held * kScale), level_(held * kScale) {}

  // From now on another rate, and a second's worth held; what is left of more is gone.
  void set_rate(int64_t per_second) {
    per_second_ = per_second;
    capacity_ = per_second * kScale;
    level_ = std::min(level_, capacity_);
  }
  // Something is left.
  bool is_open(Instant now) {
    const int64_t elapsed = std::clamp<int64_t>(to_us(now - last_), 0, kLongest);
    last_ = std::max(last_, now);
    level_ = std::min(level_ + elapsed * per_second_, capacity_);
    return level_ > 0;
  }
  // After is_open(): the last amount may be larger than what was left, the next ones then wait for it.
  void charge(int64_t amount) { level_ -= amount * kScale; }
  // Nothing has been taken for long enough: a new one would say the same.
  bool is_full(Instant now) { return is_open(now) && level_ == capacity_; }
  bool take(Instant now, int64_t amount = 1) {
    if (!is_open(now)) return false;
    charge(amount);
    return true;
  }

 private:
  static constexpr int64_t kScale = 1'000'000;      // of a token: what flows in within 1 µs is a whole number
  static constexpr int64_t kLongest = 60 * kScale;  // keeps the product far from overflow
  int64_t per_second_;
  int64_t capacity_;
  int64_t level_;
  Instant last_{};
};

}  // namespace atm
