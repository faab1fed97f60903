// Bits of a byte view, the highest first, as video headers and descriptors are written. For the parsers of this folder.
// Reading beyond the end gives zeros and turns ok() false; nothing outside the view is ever read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace atm::payload {

class BitReader {
 public:
  explicit BitReader(ByteView bytes) : bytes_(bytes) {}

  // Up to 32 bits.
  uint32_t bits(unsigned count) {
    if (!ok_ || count > left()) {
      ok_ = false;
      return 0;
    }
    uint32_t value = 0;
    for (; count > 0; --count, ++at_) value = value << 1 | (uint32_t{bytes_[at_ / 8]} >> (7 - at_ % 8) & 1);
    return value;
  }
  bool flag() { return bits(1) != 0; }
  void skip(size_t count) {
    if (!ok_ || count > left()) {
      ok_ = false;
    } else {
      at_ += count;
    }
  }
  // Unsigned Exp-Golomb (ITU-T H.264 9.1), and with the same shape uvlc() of AV1 (4.10.3). At most 31 leading zeros.
  uint32_t exp_golomb() {
    unsigned zeros = 0;
    while (ok_ && !flag()) {
      if (++zeros > 31) ok_ = false;
    }
    if (!ok_) return 0;
    return (uint32_t{1} << zeros) - 1 + bits(zeros);
  }
  // One of `count` values in as few bits as they need (AV1 4.10.7, "ns").
  uint32_t one_of(uint32_t count) {
    unsigned width = 0;
    for (uint32_t x = count; x != 0; x >>= 1) ++width;
    if (width == 0) return 0;
    const uint32_t short_codes = (uint32_t{1} << width) - count;
    const uint32_t value = bits(width - 1);
    return value < short_codes ? value : (value << 1) - short_codes + bits(1);
  }

  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size() * 8 - at_; }
  size_t at() const { return at_; }

 private:
  ByteView bytes_;
  size_t at_ = 0;  // in bits
  bool ok_ = true;
};

}  // namespace atm::payload
