// FrameReceiver: what the descriptors tell, and whether a frame can be decoded by it.
#include <algorithm>
#include <utility>

#include "frame_receiver.h"
#include "wire/payload/key_frame.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::layers {
namespace {
// Pictures that a reference may be to.
constexpr size_t kRemembered = 128;

template <typename T>
void remember(std::deque<T>& in, T what) {
  in.push_back(what);
  if (in.size() > kRemembered) in.pop_front();
}
template <typename T>
bool has(const std::deque<T>& in, T what) {
  return std::find(in.begin(), in.end(), what) != in.end();
}
}  // namespace

std::optional<FrameReceiver::Piece> FrameReceiver::read(const ViewedPacket& packet) {
  Piece out;
  out.is_key = payload::is_key_frame_start(codec_, packet.payload);
  out.data = packet.payload;
  if (codec_ == Codec::kVp8 && !read_vp8(packet.payload, out)) return std::nullopt;
  if (codec_ == Codec::kVp9 && !read_vp9(packet.payload, out)) return std::nullopt;
  if (codec_ == Codec::kVp8) out.ends = packet.marker;
  if (codec_ == Codec::kH264) {
    const bool is_fragment = (packet.payload[0] & 0x1F) == 28 && packet.payload.size() > 1;
    out.begins = !is_fragment || (packet.payload[1] & 0x80) != 0;
    out.ends = !is_fragment || (packet.payload[1] & 0x40) != 0;
  }
  if (codec_ == Codec::kAv1) {
    out.begins = (packet.payload[0] & 0x80) == 0;
    out.ends = (packet.payload[0] & 0x40) == 0;
  }
  if (!packet.descriptor.empty()) {
    out.descriptor = payload::parse_dependency_descriptor(packet.descriptor, structure_);
    if (!out.descriptor) return std::nullopt;
    out.begins = out.descriptor->starts_frame;
    out.ends = out.descriptor->ends_frame;
  }
  return out;
}

bool FrameReceiver::read_vp8(ByteView payload, Piece& out) const {
  const auto descriptor = payload::parse_vp8(payload);
  if (!descriptor || !descriptor->picture_id || !descriptor->tl0_picture_index) return false;
  out.begins = descriptor->starts_partition && descriptor->partition == 0;
  out.temporal = descriptor->temporal_layer.value_or(0);
  out.is_sync = descriptor->is_layer_sync;
  out.picture_id = descriptor->picture_id;
  out.tl0 = descriptor->tl0_picture_index;
  out.data = payload.subspan(descriptor->size);
  return true;
}

bool FrameReceiver::read_vp9(ByteView payload, Piece& out) {
  const auto descriptor = payload::parse_vp9(payload);
  if (!descriptor || !descriptor->picture_id) return false;
  out.begins = descriptor->starts_layer_frame;
  out.ends = descriptor->ends_layer_frame;
  out.spatial = descriptor->spatial_layer;
  out.temporal = descriptor->temporal_layer;
  out.uses_below = descriptor->is_inter_layer_predicted;
  out.picture_id = descriptor->picture_id;
  out.tl0 = descriptor->tl0_picture_index;
  out.data = payload.subspan(descriptor->size);
  for (size_t i = 0; i < descriptor->reference_count; ++i) out.back.push_back(descriptor->references[i]);
  if (descriptor->is_flexible) return true;
  if (descriptor->has_structure) {
    // RFC 9628 4.2.1: it is the descriptor's end; before it a long picture id, layers and TL0PICIDX.
    Reader reader(payload.subspan(descriptor->has_layers ? 5 : 3));
    reader.skip(1 + size_t{descriptor->spatial_layers} * 4);
    group_.assign(reader.u8(), {});
    group_begin_ = *descriptor->picture_id;
    for (GroupPicture& picture : group_) {
      const uint8_t head = reader.u8();
      picture.temporal = static_cast<uint8_t>(head >> 5);
      for (int i = 0; i < (head >> 2 & 3); ++i) picture.back.push_back(reader.u8());
    }
  }
  if (group_.empty()) return false;
  if (descriptor->is_inter_predicted)
    out.back = group_[((*out.picture_id - group_begin_) & 0x7FFF) % group_.size()].back;
  return true;
}

std::string FrameReceiver::check_frame(const Piece& piece) {
  const bool begins_picture = picture_.bytes.empty() && obus_.empty();
  if (piece.is_key && begins_picture) {
    seen_temporal_ = {};
    decoded_.clear();
    decoded_numbers_.clear();
  }
  if (!begins_picture && codec_ == Codec::kVp8) return "two frames in a picture";
  if (!begins_picture && codec_ == Codec::kVp9 && piece.spatial <= spatial_) return "layers of a picture out of order";
  spatial_ = piece.spatial;
  if (codec_ == Codec::kVp8) return check_vp8(piece);
  if (codec_ == Codec::kVp9) return check_vp9(piece);
  return piece.descriptor ? check_dependencies(piece) : std::string{};
}

// RFC 7741 4.2. A decoder that misses a picture id waits for that picture.
std::string FrameReceiver::check_vp8(const Piece& piece) {
  const uint16_t ahead = (*piece.picture_id - last_id_) & 0x7FFF;
  const auto tl0_ahead = static_cast<uint8_t>(*piece.tl0 - last_tl0_);
  const bool knew = std::exchange(knows_ids_, true);
  last_id_ = *piece.picture_id;
  last_tl0_ = *piece.tl0;
  if (knew && ahead != 1) return "picture ids that are not continuous";
  if (knew && tl0_ahead != (piece.temporal == 0 ? 1 : 0)) return "a TL0PICIDX that is not continuous";
  if (!piece.is_key && !piece.is_sync) {
    for (uint8_t layer = 0; layer <= piece.temporal; ++layer) {
      if (!seen_temporal_[layer]) return "a temporal layer that begins without synchronisation";
    }
  }
  seen_temporal_[piece.temporal] = true;
  return {};
}

// RFC 9628 4.2. Ids of pictures that were left out stay away; what the others refer to has to be there.
std::string FrameReceiver::check_vp9(const Piece& piece) {
  const uint16_t id = *piece.picture_id;
  const uint16_t ahead = (id - last_id_) & 0x7FFF;
  const bool begins_picture = picture_.bytes.empty();
  const bool knew = std::exchange(knows_ids_, true);
  const uint8_t tl0_before = std::exchange(last_tl0_, piece.tl0.value_or(0));
  last_id_ = id;
  if (!begins_picture && ahead != 0) return "two picture ids in a picture";
  if (knew && begins_picture && (ahead == 0 || ahead >= kRemembered)) return "picture ids that are not continuous";
  if (knew && begins_picture && piece.tl0 &&
      static_cast<uint8_t>(*piece.tl0 - tl0_before) != (piece.temporal == 0 ? 1 : 0)) {
    return "a TL0PICIDX that is not continuous";
  }
  for (const uint16_t back : piece.back) {
    const std::pair<uint16_t, uint8_t> reference{(id - back) & 0x7FFF, piece.spatial};
    if (!has(decoded_, reference)) return "a reference that is missing";
  }
  const std::pair<uint16_t, uint8_t> below{id, static_cast<uint8_t>(piece.spatial - 1)};
  if (piece.uses_below && (piece.spatial == 0 || !has(decoded_, below))) {
    return "a lower layer that is missing";
  }
  remember(decoded_, std::pair<uint16_t, uint8_t>{id, piece.spatial});
  return {};
}

// AV1 RTP specification A.4: frame numbers may be missing, references not.
std::string FrameReceiver::check_dependencies(const Piece& piece) {
  const auto& descriptor = *piece.descriptor;
  const payload::FrameDependencies& frame = descriptor.frame;
  for (size_t i = 0; i < frame.difference_count; ++i) {
    if (!has(decoded_numbers_, static_cast<uint16_t>(descriptor.frame_number - frame.differences[i]))) {
      return "a reference that is missing";
    }
  }
  remember(decoded_numbers_, descriptor.frame_number);
  return {};
}

}  // namespace atm::layers
