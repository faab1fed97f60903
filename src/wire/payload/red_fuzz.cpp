// parse_red() must read no byte outside, and what it read must come back the same from write_red().
#include <array>
#include <cstdlib>
#include <cstring>

#include "wire/payload/red.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  const ByteView payload{data, size};
  const auto read = payload::parse_red(payload);
  if (!read) return 0;
  std::array<uint8_t, 65'536> out;
  const size_t written = payload::write_red(out, {read->blocks.data(), read->count});
  if (size <= out.size() && (written != size || std::memcmp(out.data(), data, size) != 0)) std::abort();
  return 0;
}
