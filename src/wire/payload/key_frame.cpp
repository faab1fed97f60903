#include "wire/payload/key_frame.h"

#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm0s::payload {
namespace {

// RFC 6184 5.2 and ITU-T H.264 table 7-1
constexpr uint8_t kIdrSlice = 5;
constexpr uint8_t kSps = 7;
constexpr uint8_t kStapA = 24;
constexpr uint8_t kFuA = 28;

// An IDR picture's first packet carries the SPS with libwebrtc, and the IDR slice itself where parameter sets travel
// out of band.
bool starts_idr(uint8_t nal_header) {
  const uint8_t type = nal_header & 0x1F;
  return type == kIdrSlice || type == kSps;
}

bool is_h264_start(ByteView payload) {
  if (payload.empty()) return false;
  const uint8_t type = payload[0] & 0x1F;
  if (type == kStapA) {
    // RFC 6184 5.7.1: an access unit delimiter, SEI or PPS may stand before the unit that decides.
    Reader reader(payload.subspan(1));
    while (reader.left() > 0) {
      const ByteView unit = reader.take(reader.u16());
      if (!reader.ok()) return false;
      if (!unit.empty() && starts_idr(unit[0])) return true;
    }
    return false;
  }
  if (type == kFuA) {
    // RFC 6184 5.8: the S bit, and the type of the fragmented unit in the FU header.
    return payload.size() >= 2 && (payload[1] & 0x80) != 0 && starts_idr(payload[1]);
  }
  return starts_idr(payload[0]);
}

// AV1 bitstream specification 4.10.5: seven bits a byte, the least significant first. The sizes here have at most four
// bytes, more than a datagram can hold.
size_t read_leb128(Reader& reader) {
  size_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const uint8_t byte = reader.u8();
    value |= size_t{byte & 0x7Fu} << (7 * i);
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

bool is_av1_start(ByteView payload) {
  constexpr uint8_t kSequenceHeader = 1;  // AV1 bitstream specification 6.2.2
  constexpr uint8_t kTemporalDelimiter = 2;
  constexpr unsigned kMaxElements = 4;  // how far the sequence header is looked for: it stands in front
  Reader reader(payload);
  const uint8_t aggregation = reader.u8();
  if (!reader.ok() || (aggregation & 0x80) != 0) return false;  // Z: goes on from the packet before
  if (aggregation & 0x08) return reader.left() > 0;             // N: first packet of a coded video sequence
  const unsigned count = (aggregation >> 4) & 0x03;             // W: 0: every element has its length
  for (unsigned i = 0; i < kMaxElements && reader.left() > 0; ++i) {
    const bool has_length = count == 0 || i + 1 < count;
    const size_t size = has_length ? read_leb128(reader) : reader.left();
    // An element may be cut off at the end of the packet, never in the middle: then nothing follows that is sound.
    const ByteView element = reader.take(size);
    if (!reader.ok() || element.empty()) return false;
    const uint8_t type = (element[0] >> 3) & 0x0F;
    if (type == kSequenceHeader) return true;
    if (type != kTemporalDelimiter) return false;
  }
  return false;
}

}  // namespace

bool is_key_frame_start(Codec codec, ByteView payload) {
  switch (codec) {
    case Codec::kOpus:
      return true;
    case Codec::kVp8: {
      const auto descriptor = parse_vp8(payload);
      return descriptor && descriptor->is_key_frame;
    }
    case Codec::kVp9: {
      const auto descriptor = parse_vp9(payload);
      return descriptor && descriptor->starts_layer_frame && !descriptor->is_inter_predicted &&
             (!descriptor->has_layers || descriptor->spatial_layer == 0) && payload.size() > descriptor->size;
    }
    case Codec::kH264:
      return is_h264_start(payload);
    case Codec::kAv1:
      return is_av1_start(payload);
  }
  return false;
}

}  // namespace atm0s::payload
