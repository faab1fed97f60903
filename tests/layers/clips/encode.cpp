// Makes one clip of tests/layers from raw pictures on standard input (I420): the frames of every layer with what is
// known of them. Called by `make` beside it, by hand; neither built nor run by the tests. Needs Debian's libvpx-dev,
// libaom-dev and libx264-dev.
//
//   encode MODE WIDTH HEIGHT KBPS OUT <pictures     MODE: codec-layers, such as vp8-L1T3, vp9-L3T3_KEY, h264-L1T1
//
// Every kGroup pictures there is a key frame. Temporal layers of three have a pattern of eight pictures whose second
// half goes on from the upper layers of the first one, so that not every picture is a place to go up. What refers to
// what is chosen here, for every codec, and written to the file: clip.h has its format.
#include "encode.h"

#include <cstdlib>

namespace clips {

void fail(const std::string& why) {
  std::fprintf(stderr, "encode: %s\n", why.c_str());
  std::exit(1);
}

Clip::Clip(const std::string& path, const Mode& mode, const Video& video) : file_(std::fopen(path.c_str(), "wb")) {
  if (file_ == nullptr) fail("cannot write " + path);
  const int codec = mode.codec == "vp8" ? 1 : mode.codec == "vp9" ? 2 : mode.codec == "h264" ? 3 : 4;
  std::fwrite("CLIP", 1, 4, file_);
  u8(codec), u8(mode.spatial), u8(mode.temporal), u8(kFps), u16(video.width), u16(video.height);
}

void Clip::add(const Frame& frame, const std::vector<uint8_t>& bytes) {
  if (bytes.empty()) fail("the encoder has left out a frame");
  u16(static_cast<int>(bytes.size() >> 16)), u16(static_cast<int>(bytes.size() & 0xFFFF));
  u16(frame.picture), u8(frame.spatial), u8(frame.temporal);
  u8(frame.is_key | frame.is_switch << 1 | frame.uses_below << 2 | frame.is_for_above << 3);
  u8(static_cast<int>(frame.back.size()));
  for (const int back : frame.back) u8(back);
  std::fwrite(bytes.data(), 1, bytes.size(), file_);
}

std::vector<uint8_t> read_picture(const Video& video) {
  std::vector<uint8_t> out(static_cast<size_t>(video.width * video.height * 3 / 2));
  if (std::fread(out.data(), 1, out.size(), stdin) != out.size()) out.clear();
  return out;
}

}  // namespace clips

int main(int argc, char** argv) {
  using namespace clips;
  if (argc != 6) fail("usage: encode MODE WIDTH HEIGHT KBPS OUT");
  const std::string name = argv[1];
  const size_t dash = name.find("-L");
  if (dash == std::string::npos || name.size() < dash + 5) fail("no such mode");
  const Mode mode{name.substr(0, dash), name[dash + 2] - '0', name[dash + 4] - '0', name.ends_with("_KEY")};
  const Video video{std::atoi(argv[2]), std::atoi(argv[3]), static_cast<unsigned>(std::atoi(argv[4]))};
  Clip clip(argv[5], mode, video);
  if (mode.codec == "vp8") encode_vp8(mode, video, clip);
  if (mode.codec == "vp9") encode_vp9(mode, video, clip);
  if (mode.codec == "av1") encode_av1(mode, video, clip);
  if (mode.codec == "h264") encode_h264(mode, video, clip);
}
