// Numbers with the lowest byte first, as IVF, Ogg and WAV have them. For the readers and writers of this folder.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace atm::container {

// `bytes` of the lowest, appended.
inline void put_little(Bytes& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}
inline void store_little(uint8_t* at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}
// All of `bytes`, at most eight.
inline uint64_t load_little(ByteView bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}
inline void put_text(Bytes& out, std::string_view text) {
  const ByteView bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace atm::container
