// Elements of EBML (RFC 8794): an ID, a size, content. For WebmWriter. IDs are written as they stand in RFC 9559, with
// their length marker.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace atm::container {

inline void put_big(Bytes& out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}
inline void put_id(Bytes& out, uint32_t id) {
  put_big(out, id, id > 0xFFFFFF ? 4 : id > 0xFFFF ? 3 : id > 0xFF ? 2 : 1);
}
// RFC 8794 4: the shortest form; the one with all ones means "unknown" and is left out.
inline void put_size(Bytes& out, uint64_t size) {
  size_t bytes = 1;
  while (bytes < 8 && size >= (uint64_t{1} << (7 * bytes)) - 1) ++bytes;
  put_big(out, size | uint64_t{1} << (7 * bytes), bytes);
}
// Eight bytes, so that it can be written over another.
inline void put_long_size(Bytes& out, uint64_t size) {
  put_big(out, size | uint64_t{1} << 56, 8);
}
inline constexpr uint64_t kUnknownEbmlSize = (uint64_t{1} << 56) - 1;

inline void put_element(Bytes& out, uint32_t id, ByteView content) {
  put_id(out, id);
  put_size(out, content.size());
  out.insert(out.end(), content.begin(), content.end());
}
inline void put_text_element(Bytes& out, uint32_t id, std::string_view text) {
  put_element(out, id, as_bytes(text));
}
inline void put_number(Bytes& out, uint32_t id, uint64_t value) {
  size_t bytes = 1;
  while (bytes < 8 && value >> (8 * bytes) != 0) ++bytes;
  put_id(out, id);
  put_size(out, bytes);
  put_big(out, value, bytes);
}
// Always eight bytes.
inline void put_float(Bytes& out, uint32_t id, double value) {
  put_id(out, id);
  put_size(out, 8);
  put_big(out, std::bit_cast<uint64_t>(value), 8);
}
// RFC 8794 11.3.2: `bytes` in all, two at least, that mean nothing.
inline void put_void(Bytes& out, size_t bytes) {
  put_id(out, 0xEC);
  put_size(out, bytes - 2);
  out.insert(out.end(), bytes - 2, 0);
}

}  // namespace atm::container
