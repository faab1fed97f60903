// Bits into a byte view, the highest first, as BitReader reads them. For the writers of this folder. What does not fit
// turns ok() false; nothing outside the view is ever written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "wire/payload/bit_reader.h"

namespace atm::payload {

class BitWriter {
 public:
  explicit BitWriter(MutByteView bytes) : bytes_(bytes) {}

  // Up to 32 bits.
  void bits(unsigned count, uint32_t value) {
    if (!ok_ || count > bytes_.size() * 8 - at_) {
      ok_ = false;
      return;
    }
    for (; count > 0; --count, ++at_) {
      uint8_t& byte = bytes_[at_ / 8];
      if (at_ % 8 == 0) byte = 0;
      if ((value >> (count - 1) & 1) != 0) byte |= static_cast<uint8_t>(0x80 >> at_ % 8);
    }
  }
  void flag(bool value) { bits(1, value ? 1 : 0); }
  // One of `count` values in as few bits as they need (AV1 4.10.7, "ns").
  void one_of(uint32_t count, uint32_t value) {
    unsigned width = 0;
    for (uint32_t x = count; x != 0; x >>= 1) ++width;
    if (width == 0) return;
    const uint32_t short_codes = (uint32_t{1} << width) - count;
    value < short_codes ? bits(width - 1, value) : bits(width, value + short_codes);
  }
  void copy(BitReader& from, size_t count) {
    for (; count >= 32; count -= 32) bits(32, from.bits(32));
    bits(static_cast<unsigned>(count), from.bits(static_cast<unsigned>(count)));
  }

  bool ok() const { return ok_; }
  // Bytes begun.
  size_t size() const { return (at_ + 7) / 8; }

 private:
  MutByteView bytes_;
  size_t at_ = 0;  // in bits
  bool ok_ = true;
};

}  // namespace atm::payload
