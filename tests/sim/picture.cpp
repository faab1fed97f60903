#include "picture.h"

#include <algorithm>

namespace atm::sim {
namespace {
constexpr uint32_t kMagic = 0x5041'5453;
constexpr size_t kVideoHeader = 1 + 10;  // VP8 payload descriptor, and the frame header of a key frame's first packet
constexpr size_t kPictureIds = 5;        // the rest of the descriptor, with a long picture id
}  // namespace

Bytes make_video_payload(const PictureTag& tag, size_t size, std::optional<uint16_t> picture_id) {
  Bytes out(std::max(size, kVideoHeader + kPictureIds + 15));
  Writer writer(out);
  // RFC 7741 4.2: S bit on the first packet. RFC 6386 9.1: frame tag, P = 0 for key frames, start code, 320x180.
  writer.u8(static_cast<uint8_t>((tag.packet == 0 ? 0x10 : 0x00) | (picture_id ? 0x80 : 0x00)));
  if (picture_id) {
    writer.u8(0xE0);
    writer.u16(*picture_id | 0x8000);
    writer.u8(static_cast<uint8_t>(*picture_id));  // TL0PICIDX: every picture is of the lowest layer
    writer.u8(0);
  }
  writer.u8(static_cast<uint8_t>(tag.is_key ? 0x10 : 0x11));
  writer.u16(0);
  writer.u8(0x9d);
  writer.u8(0x01);
  writer.u8(0x2a);
  writer.u16(0x4001);  // the lower byte first
  writer.u16(0xb400);
  writer.u32(kMagic);
  writer.u32(tag.publisher);
  writer.u32(tag.frame);
  writer.u8(tag.packet);
  writer.u8(tag.packets);
  writer.u8(tag.is_key);
  return out;
}

std::optional<PictureTag> read_video_payload(ByteView payload) {
  Reader reader(payload);
  reader.skip(kVideoHeader + (!payload.empty() && payload[0] & 0x80 ? kPictureIds : 0));
  if (reader.u32() != kMagic) return std::nullopt;
  PictureTag tag;
  tag.publisher = reader.u32();
  tag.frame = reader.u32();
  tag.packet = reader.u8();
  tag.packets = reader.u8();
  tag.is_key = reader.u8() != 0;
  if (!reader.ok()) return std::nullopt;
  return tag;
}

void VideoViewer::on_packet(ByteView payload, int64_t sequence, uint32_t timestamp) {
  const auto tag = read_video_payload(payload);
  if (!tag) {
    ++contradictions_;
    return;
  }
  ++packets_;
  const uint64_t frame_id = uint64_t{tag->publisher} << 32 | tag->frame;
  const uint64_t content = frame_id << 8 ^ tag->packet;
  if (const auto [it, is_new] = content_of_sequence_.try_emplace(sequence, content); !is_new && it->second != content) {
    ++contradictions_;
  }
  if (const auto [it, is_new] = frame_of_timestamp_.try_emplace(timestamp, frame_id);
      !is_new && it->second != frame_id) {
    ++contradictions_;
  }
  if ((payload[0] & 0x80) != 0) picture_id_of_sequence_[sequence] = load_u16(payload.data() + 2) & 0x7FFF;
  Frame& frame = frames_[tag->publisher][tag->frame];
  frame.wanted = tag->packets;
  frame.is_key = tag->is_key;
  frame.packets.insert(tag->packet);
  if (frame.packets.size() == frame.wanted && !frame.is_counted) {
    frame.is_counted = true;
    ++complete_;
    keys_ += frame.is_key;
    advance(tag->publisher);
  }
}

uint64_t VideoViewer::picture_id_jumps() const {
  uint64_t jumps = 0;
  std::optional<uint16_t> before;
  for (const auto& [sequence, id] : picture_id_of_sequence_) {
    if (before && id != *before && id != ((*before + 1) & 0x7FFF)) ++jumps;
    before = id;
  }
  return jumps;
}

void VideoViewer::advance(uint32_t publisher) {
  auto& decoded = decoded_[publisher];
  for (auto& [number, frame] : frames_[publisher]) {
    if (!frame.is_counted || (decoded && number <= *decoded)) continue;
    const bool continues = decoded && number == *decoded + 1;
    if (!frame.is_key && !continues) continue;
    decoded = number;
    ++decodable_;
    if (on_decodable) on_decodable(publisher, number);
    shown_publisher_ = publisher;
  }
}

}  // namespace atm::sim
