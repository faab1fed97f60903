// How large the pictures of a video are, as the packet tells that a key frame starts with. For the quality that viewers
// are told (media/sender, media/receiver): without decoding, so only where it stands in a header.
// VP8   the frame header (RFC 6386 9.1)
// VP9   the scalability structure, for each spatial layer (RFC 9628 4.2.1); browsers send it with key frames
// H264  the sequence parameter set, where it is whole in the packet
// AV1   the sequence header: the largest of all layers
// Nothing for whatever else, for a packet that starts no key frame, and for a payload that is encrypted end to end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/codec.h"
#include "wire/payload/frame_info.h"

namespace atm::payload {

struct PictureSize {
  uint32_t width = 0, height = 0;  // 0: not known
  bool operator==(const PictureSize&) const = default;
  uint64_t pixels() const { return uint64_t{width} * height; }
};

struct PictureSizes {
  size_t count = 0;  // of layers, from the lowest on
  std::array<PictureSize, kSpatialLayers> layers{};
};

// `payload` of a packet with is_key_frame_start().
PictureSizes read_picture_sizes(Codec codec, ByteView payload);

}  // namespace atm::payload
