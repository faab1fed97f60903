// Arithmetic of RTP sequence numbers and timestamps (RFC 3550 A.1, RFC 1982): comparison across the wrap, and
// unwrapping into a 64-bit number that only grows with the stream.
#pragma once

#include <cstdint>

namespace atm {

// True when `a` comes after `b` on the circle (at most half of it ahead).
constexpr bool is_newer(uint16_t a, uint16_t b) {
  return static_cast<int16_t>(a - b) > 0;
}
constexpr bool is_newer(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) > 0;
}

// Unwraps a counter of type Raw (uint16_t, uint32_t) to the 64-bit value nearest to the highest one seen.
// Starts one full circle up, so that packets from before the first one do not become negative.
template <typename Raw, typename SignedRaw>
class Unwrapper {
 public:
  // The unwrapped value; moves the reference on when it is the newest.
  int64_t unwrap(Raw raw) {
    const int64_t value = peek(raw);
    if (!started_ || value > newest_) newest_ = value;
    started_ = true;
    return value;
  }
  // The same without moving the reference.
  int64_t peek(Raw raw) const {
    if (!started_) return kCircle + raw;
    return newest_ + static_cast<SignedRaw>(static_cast<Raw>(raw - static_cast<Raw>(newest_)));
  }
  bool started() const { return started_; }
  int64_t newest() const { return newest_; }

 private:
  static constexpr int64_t kCircle = int64_t{1} << (8 * sizeof(Raw));
  int64_t newest_ = 0;
  bool started_ = false;
};

using SequenceUnwrapper = Unwrapper<uint16_t, int16_t>;
using TimestampUnwrapper = Unwrapper<uint32_t, int32_t>;

}  // namespace atm
