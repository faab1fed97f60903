#include "wire/payload/key_frame.h"

#include "wire/payload/av1.h"
#include "wire/payload/h264.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::payload {
namespace {

// An IDR picture's first packet carries the SPS with libwebrtc, and the IDR slice itself where parameter sets travel
// out of band.
bool is_h264_start(ByteView payload) {
  const auto packet = parse_h264(payload);
  return packet && packet->starts_key_frame();
}

bool is_av1_start(ByteView payload) {
  constexpr uint8_t kZ = 0x80, kN = 0x08;
  if (payload.size() < 2 || (payload[0] & kZ) != 0) return false;
  if ((payload[0] & kN) != 0) return true;  // said in the clear, whatever follows
  const auto packet = parse_av1(payload);
  for (size_t i = 0; packet && i < packet->count; ++i) {
    const uint8_t type = packet->elements[i].type;
    if (type == static_cast<uint8_t>(ObuType::kSequenceHeader)) return true;
    if (type != static_cast<uint8_t>(ObuType::kTemporalDelimiter)) return false;  // it stands in front
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

}  // namespace atm::payload
