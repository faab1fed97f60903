#include "core/frames/packetizer.h"

#include <algorithm>

namespace atm::frames {
namespace {

constexpr size_t kVp8DescriptorRoom = 6;  // RFC 7741 4.2: X, its bits, PictureID of two bytes, TL0PICIDX, TID
constexpr uint16_t kPictureIdMask = 0x7FFF;

// Calls visit(piece, is_first, is_last) for pieces of about the same size, none larger than `room`: a short last packet
// costs as much as a full one.
template <typename Visit>
void for_each_piece(ByteView bytes, size_t room, Visit&& visit) {
  const size_t count = std::max<size_t>(1, (bytes.size() + room - 1) / room);
  for (size_t i = 0, at = 0; i < count; ++i) {
    const size_t size = (bytes.size() - at + count - i - 1) / (count - i);
    visit(bytes.subspan(at, size), i == 0, i + 1 == count);
    at += size;
  }
}

}  // namespace

Packetizer::Packetizer(const PacketizerConfig& config, Rng& rng)
    : config_(config),
      picture_id_(static_cast<uint16_t>(rng.below(kPictureIdMask + 1))),
      tl0_(static_cast<uint8_t>(rng.below(256))) {
  config_.max_payload = std::max(config_.max_payload, kLeastPayload);
  if (config_.vp9_group.empty()) config_.vp9_group.push_back({0, false, 1, {1}});
  if (config_.vp9_group.size() > kMaxGroupPictures) config_.vp9_group.resize(kMaxGroupPictures);
}

bool Packetizer::packetize(const EncodedFrame& frame, PacketizedFrame& out) {
  out.bytes_.clear();
  out.parts_.clear();
  out.is_key_ = frame.is_key.value_or(is_key_frame(config_.codec, frame.bytes, config_.h264_format));
  bool is_read = !frame.bytes.empty();
  if (config_.codec == Codec::kOpus && frame.bytes.size() > config_.max_payload) {
    ++counters_.too_large;
    return false;
  }
  if (is_read) {
    switch (config_.codec) {
      case Codec::kVp8:
      case Codec::kVp9:
        picture_id_ = (picture_id_ + 1) & kPictureIdMask;
        if (frame.temporal_layer.value_or(0) == 0) ++tl0_;
        config_.codec == Codec::kVp8 ? put_vp8(frame, out) : put_vp9(frame, out);
        break;
      case Codec::kH264:
        is_read = put_h264(frame, out);
        break;
      case Codec::kAv1:
        is_read = put_av1(frame, out);
        break;
      case Codec::kOpus:
        put(out, {}, frame.bytes);
        break;
    }
  }
  if (!is_read || out.parts_.empty()) {
    out.parts_.clear();
    ++counters_.unreadable;
    return false;
  }
  // RFC 7587 4.2: the marker says that talk begins. Of video: that a picture ends.
  out.parts_.back().marker = config_.codec != Codec::kOpus || frame.starts_talk || counters_.frames == 0;
  ++counters_.frames;
  counters_.payloads += out.parts_.size();
  return true;
}

void Packetizer::put(PacketizedFrame& out, ByteView head, ByteView content) {
  out.parts_.push_back({out.bytes_.size(), head.size() + content.size(), false});
  out.bytes_.insert(out.bytes_.end(), head.begin(), head.end());
  out.bytes_.insert(out.bytes_.end(), content.begin(), content.end());
}

// RFC 7741 4.2. As libwebrtc: the partitions of a frame are not told apart, so S is the start of the frame.
void Packetizer::put_vp8(const EncodedFrame& frame, PacketizedFrame& out) const {
  const bool has_layer = frame.temporal_layer.has_value();
  for_each_piece(frame.bytes, config_.max_payload - kVp8DescriptorRoom, [&](ByteView piece, bool is_first, bool) {
    uint8_t head[kVp8DescriptorRoom];
    Writer writer(head);
    writer.u8(static_cast<uint8_t>(0x80 | (frame.is_discardable ? 0x20 : 0) | (is_first ? 0x10 : 0)));
    writer.u8(has_layer ? 0xE0 : 0x80);  // I, and L and T
    writer.u16(static_cast<uint16_t>(0x8000 | picture_id_));
    if (has_layer) {
      writer.u8(tl0_);
      writer.u8(static_cast<uint8_t>((*frame.temporal_layer & 0x03) << 6 | (frame.is_layer_sync ? 0x20 : 0)));
    }
    put(out, writer.written(), piece);
  });
}

void Packetizer::put_vp9(const EncodedFrame& frame, PacketizedFrame& out) {
  if (out.is_key_) {
    const auto size = read_frame_size(Codec::kVp9, frame.bytes);
    if (size.width != 0) size_ = size;
  }
  // The structure of the first packet takes most: it is measured, and its room left in each.
  constexpr size_t kDescriptorRoom = 10 + 6 + kMaxGroupPictures * (1 + payload::kMaxVp9References);
  uint8_t head[kDescriptorRoom];
  Writer measured(head);
  write_vp9_descriptor(measured, frame, out.is_key_, true, false);
  const size_t room = config_.max_payload - std::min(measured.size(), config_.max_payload - 1);
  for_each_piece(frame.bytes, room, [&](ByteView piece, bool is_first, bool is_last) {
    Writer writer(head);
    write_vp9_descriptor(writer, frame, out.is_key_, is_first, is_last);
    put(out, writer.written(), piece);
  });
}

// RFC 9628 4.2
void Packetizer::write_vp9_descriptor(Writer& writer, const EncodedFrame& frame, bool is_key, bool is_first,
                                      bool is_last) const {
  const bool is_flexible = config_.is_vp9_flexible;
  const bool has_structure = is_key && is_first;
  // libwebrtc takes no picture of non-flexible mode without TL0PICIDX, which comes with the layers.
  const bool has_layers = frame.temporal_layer.has_value() || !is_flexible;
  unsigned bits = 0x80 | 0x01;  // I; Z: there is no upper spatial layer
  if (!is_key) bits |= 0x40;
  if (has_layers) bits |= 0x20;
  if (is_flexible) bits |= 0x10;
  if (is_first) bits |= 0x08;
  if (is_last) bits |= 0x04;
  if (has_structure) bits |= 0x02;
  writer.u8(static_cast<uint8_t>(bits));
  writer.u16(static_cast<uint16_t>(0x8000 | picture_id_));
  if (has_layers) {
    writer.u8(static_cast<uint8_t>((frame.temporal_layer.value_or(0) & 0x07) << 5 | (frame.is_layer_sync ? 0x10 : 0)));
    if (!is_flexible) writer.u8(tl0_);
  }
  if (is_flexible && !is_key) {
    const size_t count = std::min(frame.references.size(), payload::kMaxVp9References);
    if (count == 0) writer.u8(1 << 1);
    for (size_t i = 0; i < count; ++i) {
      writer.u8(static_cast<uint8_t>((frame.references[i] & 0x7F) << 1 | (i + 1 < count ? 1 : 0)));
    }
  }
  if (has_structure) write_vp9_structure(writer, size_);
}

// RFC 9628 4.2.1: one spatial layer, its size, and without flexible mode the group of pictures.
void Packetizer::write_vp9_structure(Writer& writer, payload::PictureSize size) const {
  const bool has_size = size.width != 0 && size.width <= 0xFFFF && size.height <= 0xFFFF;
  const bool has_group = !config_.is_vp9_flexible;
  writer.u8(static_cast<uint8_t>((has_size ? 0x10 : 0) | (has_group ? 0x08 : 0)));
  if (has_size) {
    writer.u16(static_cast<uint16_t>(size.width));
    writer.u16(static_cast<uint16_t>(size.height));
  }
  if (!has_group) return;
  writer.u8(static_cast<uint8_t>(config_.vp9_group.size()));
  for (const GroupPicture& picture : config_.vp9_group) {
    const size_t count = std::min<size_t>(picture.reference_count, payload::kMaxVp9References);
    writer.u8(static_cast<uint8_t>((picture.temporal_layer & 0x07) << 5 | (picture.is_switching_up_point ? 0x10 : 0) |
                                   count << 2));
    for (size_t i = 0; i < count; ++i) writer.u8(picture.references[i]);
  }
}

}  // namespace atm::frames
