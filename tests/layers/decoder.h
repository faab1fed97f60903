// Decodes what a viewer got with ffmpeg, as a program: VP9 by libvpx (ffmpeg's own decoder gives every spatial layer),
// AV1 by libdav1d, VP8 and H264 by its own. The first error of a decoder ends it.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "clip.h"

namespace atm::layers {

struct DecodedPicture {
  size_t size = 0;  // bytes of I420
  std::string md5;  // of them
  bool operator==(const DecodedPicture&) const = default;
};

struct Decoding {
  std::vector<DecodedPicture> pictures;
  std::string errors;  // what ffmpeg wrote, or why it could not be run
};

// `pictures` as picture_bytes() makes them, in order. They are written to build/layers/`name`, an IVF file or, of H264,
// a byte stream (ITU-T H.264 annex B), and stay there.
Decoding decode(const std::string& name, Codec codec, const std::vector<ByteView>& pictures);

// What has to come out for each picture of a clip at a spatial layer; decoded once.
const std::vector<DecodedPicture>& expected_pictures(const Clip& clip, uint8_t spatial);

}  // namespace atm::layers
