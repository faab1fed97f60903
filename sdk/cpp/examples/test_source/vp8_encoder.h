// VP8 by libvpx, as a camera of a call wants it: each picture out at once, no picture waits for a later one, the rate
// held to what the network carries. Not safe to use from two threads at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "test_picture.h"

namespace atm0s::test_source {

class Vp8Encoder {
 public:
  Vp8Encoder(int width, int height);
  ~Vp8Encoder();
  Vp8Encoder(Vp8Encoder&&) noexcept;

  // A frame, valid until the next call; empty: it was left out because bits are few (never a key frame), or libvpx
  // failed.
  std::span<const uint8_t> encode(const Picture& picture, bool is_key, uint64_t bits_per_second,
                                  std::chrono::steady_clock::time_point captured_at);

 private:
  struct Codec;
  std::unique_ptr<Codec> codec_;
};

}  // namespace atm0s::test_source
