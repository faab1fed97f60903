#include "core/frames/depacketizer.h"

#include <iterator>

#include "core/frames/bitstream.h"
#include "wire/payload/av1.h"
#include "wire/payload/h264.h"
#include "wire/payload/key_frame.h"
#include "wire/payload/vp8.h"

namespace atm::frames {
namespace {

using payload::NalType;

constexpr uint8_t kStapA = 24;
constexpr uint8_t kFuA = 28;
constexpr uint8_t kStartCode[] = {0, 0, 0, 1};
constexpr uint8_t kDelimiter[] = {0x12, 0x00};  // AV1: a temporal unit begins with one (bitstream specification 7.5)
constexpr uint8_t kTileList = 8;
constexpr uint8_t kZ = 0x80, kY = 0x40;  // AV1 RTP specification 4.4

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// The first slice of an IDR picture: first_mb_in_slice is 0, one bit (ITU-T H.264 7.3.3). Told apart where the slice
// stands alone or is fragmented; others are rare.
bool is_first_slice(ByteView payload) {
  const uint8_t type = payload[0] & 0x1F;
  const size_t head = type == kFuA ? 2 : 1;
  return type == kStapA || (payload.size() > head && (payload[head] & 0x80) != 0);
}

}  // namespace

PayloadRole read_role(Codec codec, ByteView payload) {
  PayloadRole out;
  out.starts_key_frame = payload::is_key_frame_start(codec, payload);
  if (codec == Codec::kVp8) {
    const auto descriptor = payload::parse_vp8(payload);
    out.starts_frame = descriptor && descriptor->starts_partition && descriptor->partition == 0;
  } else if (codec == Codec::kVp9) {
    // A layer that does not need the ones below may be all that a forwarder sends of a picture.
    const auto descriptor = payload::parse_vp9(payload);
    out.starts_frame = descriptor && descriptor->starts_layer_frame && !descriptor->is_inter_layer_predicted;
  } else if (codec == Codec::kH264 && out.starts_key_frame) {
    const auto packet = payload::parse_h264(payload);
    out.lacks_parameter_sets = packet && !packet->has_sps;
    if (out.lacks_parameter_sets) out.starts_key_frame = is_first_slice(payload);
  }
  return out;
}

void Depacketizer::begin(Bytes& out) {
  out.clear();
  ids_ = {};
  has_any_ = is_open_ = has_sps_ = has_pps_ = false;
  obu_.clear();
}

bool Depacketizer::add(ByteView payload, Bytes& out) {
  switch (codec_) {
    case Codec::kVp8:
      return add_vp8(payload, out);
    case Codec::kVp9:
      return add_vp9(payload, out);
    case Codec::kH264:
      return add_h264(payload, out);
    case Codec::kAv1:
      return add_av1(payload, out);
    case Codec::kOpus:
      ids_.is_key = has_any_ = true;
      append(out, payload);
      return true;
  }
  return false;
}

bool Depacketizer::finish(Bytes& out) {
  if (codec_ == Codec::kAv1 && !is_open_ && !close_obu(out)) return false;
  ids_.has_parameter_sets = has_sps_ && has_pps_;
  return has_any_ && !is_open_ && !out.empty();
}

bool Depacketizer::add_vp8(ByteView payload, Bytes& out) {
  const auto descriptor = payload::parse_vp8(payload);
  if (!descriptor || descriptor->size == payload.size()) return false;
  const bool is_start = descriptor->starts_partition && descriptor->partition == 0;
  if (is_start == has_any_) return false;
  if (is_start) {
    ids_.is_key = descriptor->is_key_frame;
    ids_.picture_id = descriptor->picture_id;
    ids_.picture_id_is_long = descriptor->picture_id_is_long;
    ids_.tl0 = descriptor->tl0_picture_index;
    ids_.temporal_layer = descriptor->temporal_layer;
    ids_.is_layer_sync = descriptor->is_layer_sync;
    has_any_ = true;
  } else if (descriptor->picture_id != ids_.picture_id) {
    return false;
  }
  append(out, payload.subspan(descriptor->size));
  return true;
}

bool Depacketizer::add_vp9(ByteView payload, Bytes& out) {
  const auto descriptor = payload::parse_vp9(payload);
  if (!descriptor || descriptor->size == payload.size()) return false;
  if (descriptor->starts_layer_frame == is_open_) return false;
  if (!has_any_) {
    ids_.is_key = payload::is_key_frame_start(Codec::kVp9, payload);
    ids_.picture_id = descriptor->picture_id;
    ids_.picture_id_is_long = descriptor->picture_id_is_long;
    ids_.tl0 = descriptor->tl0_picture_index;
    if (descriptor->has_layers) ids_.temporal_layer = descriptor->temporal_layer;
    ids_.is_switching_up_point = descriptor->is_switching_up_point;
    ids_.is_flexible = descriptor->is_flexible;
    has_any_ = true;
  } else if (descriptor->picture_id != ids_.picture_id) {
    return false;
  }
  if (descriptor->starts_layer_frame) {
    for (uint8_t i = 0; i < descriptor->reference_count && ids_.reference_count < ids_.references.size(); ++i) {
      ids_.references[ids_.reference_count++] = descriptor->references[i];
    }
  }
  is_open_ = !descriptor->ends_layer_frame;
  append(out, payload.subspan(descriptor->size));
  return true;
}

// RFC 6184 5.6 to 5.8
bool Depacketizer::add_h264(ByteView payload, Bytes& out) {
  if (payload.empty()) return false;
  const uint8_t type = payload[0] & 0x1F;
  if (type != kFuA) {
    if (is_open_) return false;
    if (type != kStapA) return type < kStapA && add_nal_unit(payload, out);
    Reader reader(payload.subspan(1));
    while (reader.left() > 0) {
      const ByteView unit = reader.take(reader.u16());
      if (!reader.ok() || unit.empty() || !add_nal_unit(unit, out)) return false;
    }
    return payload.size() > 1;
  }
  if (payload.size() < 3) return false;
  const bool is_start = (payload[1] & 0x80) != 0, is_end = (payload[1] & 0x40) != 0;
  const uint8_t fragment_type = payload[1] & 0x1F;
  if (is_start == is_open_ || (is_start && is_end)) return false;  // 5.8: S and E are not both set
  if (is_start) {
    fragment_type_ = fragment_type;
    const uint8_t header = static_cast<uint8_t>((payload[0] & 0xE0) | fragment_type);
    if (!add_nal_unit({&header, 1}, out)) return false;
  } else if (fragment_type != fragment_type_) {
    return false;
  }
  is_open_ = !is_end;
  append(out, payload.subspan(2));
  return true;
}

bool Depacketizer::add_nal_unit(ByteView unit, Bytes& out) {
  const uint8_t type = nal_type_of(unit);
  if (type == 0 || type >= kStapA) return false;
  has_sps_ |= type == static_cast<uint8_t>(NalType::kSps);
  has_pps_ |= type == static_cast<uint8_t>(NalType::kPps);
  ids_.is_key |= type == static_cast<uint8_t>(NalType::kIdrSlice);
  has_any_ = true;
  append(out, kStartCode);
  append(out, unit);
  return true;
}

// AV1 RTP specification 4.4. An OBU is complete when the next one begins, or the frame ends.
bool Depacketizer::add_av1(ByteView payload, Bytes& out) {
  Reader reader(payload);
  const uint8_t aggregation = reader.u8();
  if (!reader.ok() || reader.left() == 0) return false;
  const bool continues = (aggregation & kZ) != 0;
  if (continues != is_open_) return false;
  if (!has_any_) {
    ids_.is_key = payload::is_key_frame_start(Codec::kAv1, payload);
    has_any_ = true;
    append(out, kDelimiter);
  }
  const unsigned counted = aggregation >> 4 & 0x03;  // W; 0: every element has its length
  unsigned count = 0;
  for (; reader.left() > 0; ++count) {
    const bool has_length = counted == 0 || count + 1 < counted;
    const size_t size = has_length ? read_leb128(reader) : reader.left();
    const ByteView element = reader.take(size);
    if (!reader.ok()) return false;
    if ((count > 0 || !continues) && !close_obu(out)) return false;
    append(obu_, element);
  }
  if (counted != 0 && count != counted) return false;
  is_open_ = (aggregation & kY) != 0;
  return true;
}

// The OBU that was collected, with its size (AV1 bitstream specification 5.2: the low-overhead format).
bool Depacketizer::close_obu(Bytes& out) {
  if (obu_.empty()) return true;
  ByteView rest = obu_;
  const auto obu = take_obu(rest);
  if (!obu || !rest.empty()) return false;
  // 5: senders should have left these out.
  const bool is_kept =
      obu->type != static_cast<uint8_t>(payload::ObuType::kTemporalDelimiter) && obu->type != kTileList;
  if (is_kept) {
    out.push_back(obu->header[0] | kObuHasSize);
    append(out, obu->header.subspan(1));
    put_leb128(out, obu->content.size());
    append(out, obu->content);
  }
  obu_.clear();
  return true;
}

}  // namespace atm::frames
