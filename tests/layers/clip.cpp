#include "clip.h"

#include <fstream>
#include <iterator>
#include <map>

#include "base/assert.h"

namespace atm::layers {
namespace {

constexpr Codec kCodecs[] = {Codec::kVp8, Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1};
constexpr uint8_t kTemporalDelimiter = 2;  // AV1 bitstream specification 6.2.2

Clip read_clip(const std::string& name) {
  std::ifstream file(std::string(ATM0S_SOURCE_DIR) + "/tests/layers/clips/" + name + ".clip", std::ios::binary);
  const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
  Reader reader(bytes);
  Clip clip;
  clip.name = name;
  ASSERT(as_text(reader.take(4)) == "CLIP");
  clip.codec = kCodecs[reader.u8()];
  clip.spatial_layers = reader.u8();
  clip.temporal_layers = reader.u8();
  clip.pictures_per_second = reader.u8();
  clip.width = reader.u16();
  clip.height = reader.u16();
  while (reader.left() > 0) {
    ClipFrame frame;
    const uint32_t size = reader.u32();
    frame.picture = reader.u16();
    frame.spatial = reader.u8();
    frame.temporal = reader.u8();
    const uint8_t flags = reader.u8();
    frame.is_key = (flags & 1) != 0;
    frame.is_switch = (flags & 2) != 0;
    frame.uses_below = (flags & 4) != 0;
    frame.is_for_above = (flags & 8) != 0;
    const ByteView back = reader.take(reader.u8());
    frame.back.assign(back.begin(), back.end());
    const ByteView content = reader.take(size);
    frame.bytes.assign(content.begin(), content.end());
    ASSERT(reader.ok());
    clip.frames.push_back(std::move(frame));
  }
  return clip;
}

}  // namespace

std::vector<const ClipFrame*> Clip::needed(size_t number, uint8_t spatial) const {
  std::vector<const ClipFrame*> out;
  for (const ClipFrame& frame : picture(number)) {
    const bool is_needed = frame.spatial == spatial || (frame.spatial < spatial && (frame.is_key || !is_key_svc()));
    if (is_needed) out.push_back(&frame);
  }
  return out;
}

const Clip& find_clip(const std::string& name) {
  static std::map<std::string, Clip> clips;
  auto found = clips.find(name);
  if (found == clips.end()) found = clips.emplace(name, read_clip(name)).first;
  return found->second;
}

std::vector<Bytes> split_obus(ByteView frame) {
  std::vector<Bytes> out;
  Reader reader(frame);
  while (reader.left() > 0) {
    const uint8_t head = reader.u8();
    ASSERT((head & 0x02) != 0);  // has_size
    Bytes obu{static_cast<uint8_t>(head & ~0x02)};
    if ((head & 0x04) != 0) obu.push_back(reader.u8());
    size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t part = reader.u8();
      size |= size_t{part & 0x7Fu} << shift;
      if ((part & 0x80) == 0) break;
    }
    const ByteView content = reader.take(size);
    obu.insert(obu.end(), content.begin(), content.end());
    ASSERT(reader.ok());
    if ((head >> 3 & 0x0F) != kTemporalDelimiter) out.push_back(std::move(obu));
  }
  return out;
}

std::vector<ByteView> split_nal_units(ByteView frame) {
  std::vector<ByteView> out;
  size_t begin = 0;
  for (size_t at = 0; at + 3 <= frame.size(); ++at) {
    if (frame[at] != 0 || frame[at + 1] != 0 || frame[at + 2] != 1) continue;
    const size_t end = at > 0 && frame[at - 1] == 0 ? at - 1 : at;
    if (begin != 0) out.push_back(frame.subspan(begin, end - begin));
    begin = at + 3;
  }
  if (begin != 0) out.push_back(frame.subspan(begin));
  return out;
}

}  // namespace atm::layers
