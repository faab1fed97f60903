// Views of bytes, and a reader and a writer in network byte order that cannot leave their bounds.
// For the codecs in wire/ and for engines. Reader: after a short read ok() is false and every later read gives 0.
// Writer: writes into a caller-given view; after an overflow ok() is false and nothing more is written.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atm {

using ByteView = std::span<const uint8_t>;
using MutByteView = std::span<uint8_t>;
using Bytes = std::vector<uint8_t>;

inline ByteView as_bytes(std::string_view s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}
inline std::string_view as_text(ByteView b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

inline uint16_t load_u16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] << 8 | p[1]);
}
inline uint32_t load_u32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}
inline uint64_t load_u64(const uint8_t* p) {
  return uint64_t{load_u32(p)} << 32 | load_u32(p + 4);
}
inline void store_u16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
inline void store_u32(uint8_t* p, uint32_t v) {
  store_u16(p, static_cast<uint16_t>(v >> 16));
  store_u16(p + 2, static_cast<uint16_t>(v));
}
inline void store_u64(uint8_t* p, uint64_t v) {
  store_u32(p, static_cast<uint32_t>(v >> 32));
  store_u32(p + 4, static_cast<uint32_t>(v));
}

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  uint8_t u8() {
    const ByteView b = take(1);
    return b.empty() ? 0 : b[0];
  }
  uint16_t u16() {
    const ByteView b = take(2);
    return b.empty() ? 0 : load_u16(b.data());
  }
  uint32_t u24() {
    const ByteView b = take(3);
    return b.empty() ? 0 : uint32_t{b[0]} << 16 | uint32_t{b[1]} << 8 | b[2];
  }
  uint32_t u32() {
    const ByteView b = take(4);
    return b.empty() ? 0 : load_u32(b.data());
  }
  uint64_t u64() {
    const ByteView b = take(8);
    return b.empty() ? 0 : load_u64(b.data());
  }
  // An empty view when fewer than `size` bytes are left (and ok() turns false).
  ByteView take(size_t size) {
    if (!ok_ || size > left()) {
      ok_ = false;
      return {};
    }
    const ByteView out = bytes_.subspan(at_, size);
    at_ += size;
    return out;
  }
  void skip(size_t size) { take(size); }
  ByteView rest() { return take(left()); }

  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size() - at_; }
  size_t at() const { return at_; }

 private:
  ByteView bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

class Writer {
 public:
  explicit Writer(MutByteView bytes) : bytes_(bytes) {}

  void u8(uint8_t v) {
    if (uint8_t* p = grow(1)) *p = v;
  }
  void u16(uint16_t v) {
    if (uint8_t* p = grow(2)) store_u16(p, v);
  }
  void u24(uint32_t v) {
    u8(static_cast<uint8_t>(v >> 16));
    u16(static_cast<uint16_t>(v));
  }
  void u32(uint32_t v) {
    if (uint8_t* p = grow(4)) store_u32(p, v);
  }
  void u64(uint64_t v) {
    if (uint8_t* p = grow(8)) store_u64(p, v);
  }
  void bytes(ByteView b) {
    if (b.empty()) return;
    if (uint8_t* p = grow(b.size())) std::memcpy(p, b.data(), b.size());
  }
  void zeros(size_t n) {
    if (n == 0) return;
    if (uint8_t* p = grow(n)) std::memset(p, 0, n);
  }
  // Zeros up to the next multiple of `n` bytes, counted from the start of the view.
  void pad_to(size_t n) { zeros((n - at_ % n) % n); }

  bool ok() const { return ok_; }
  size_t size() const { return at_; }
  // What has been written so far; valid to patch lengths afterwards.
  MutByteView written() { return bytes_.first(at_); }

 private:
  uint8_t* grow(size_t n) {
    if (!ok_ || n > bytes_.size() - at_) {
      ok_ = false;
      return nullptr;
    }
    uint8_t* p = bytes_.data() + at_;
    at_ += n;
    return p;
  }

  MutByteView bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace atm
