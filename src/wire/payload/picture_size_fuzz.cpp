#include <cstdlib>

#include "wire/payload/picture_size.h"

// The first byte picks the codec.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using atm::Codec;
  if (size == 0) return 0;
  constexpr Codec kCodecs[] = {Codec::kOpus, Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1};
  const auto sizes = atm::payload::read_picture_sizes(kCodecs[data[0] % 5], {data + 1, size - 1});
  if (sizes.count > sizes.layers.size()) std::abort();
  return 0;
}
