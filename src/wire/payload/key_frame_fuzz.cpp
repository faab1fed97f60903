#include "wire/payload/key_frame.h"

// The first byte picks the codec.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using atm::Codec;
  if (size == 0) return 0;
  constexpr Codec kCodecs[] = {Codec::kOpus, Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1};
  atm::payload::is_key_frame_start(kCodecs[data[0] % 5], {data + 1, size - 1});
  return 0;
}
