// The RTP payloads of one frame back into what a decoder or a file takes: for the Assembler, which has found out which
// packets these are. VP8 (RFC 7741), VP9 with all spatial layers of a picture (RFC 9628), H264 in packetization modes 0
// and 1 (RFC 6184), AV1 (AV1 RTP specification) and Opus (RFC 7587). What contradicts itself is no frame; nothing
// outside the payloads is read, and no more written than twice what was read and a few bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/codec.h"
#include "wire/payload/vp9.h"

namespace atm::frames {

// How a payload stands to its frame, as far as it says so itself.
struct PayloadRole {
  bool starts_frame = false;          // VP8, VP9: the first packet of a picture, whatever was before it
  bool starts_key_frame = false;      // a decoder that knows nothing may begin with the frame that it is of
  bool lacks_parameter_sets = false;  // H264: such an IDR slice, but sets were to come in front of it
};
PayloadRole read_role(Codec codec, ByteView payload);

inline constexpr size_t kPictureReferences = payload::kMaxVp9References * payload::kMaxVp9SpatialLayers;

// What a frame says of itself and what it depends on; for Continuity.
struct FrameIds {
  bool is_key = false;
  std::optional<uint16_t> picture_id;  // VP8, VP9
  bool picture_id_is_long = false;     // 15 bits, else 7
  std::optional<uint8_t> tl0;          // TL0PICIDX
  std::optional<uint8_t> temporal_layer;
  bool is_layer_sync = false;          // VP8: Y
  bool is_switching_up_point = false;  // VP9: U
  bool is_flexible = false;            // VP9: `references` are told
  uint8_t reference_count = 0;
  std::array<uint8_t, kPictureReferences> references{};  // pictures back, of all spatial layers
  bool has_parameter_sets = false;                       // H264: SPS and PPS
};

class Depacketizer {
 public:
  explicit Depacketizer(Codec codec) : codec_(codec) {}

  // Then each payload in order, then finish(); false is the last word on the frame. `out` is replaced.
  void begin(Bytes& out);
  bool add(ByteView payload, Bytes& out);
  bool finish(Bytes& out);

  const FrameIds& ids() const { return ids_; }

 private:
  bool add_vp8(ByteView payload, Bytes& out);
  bool add_vp9(ByteView payload, Bytes& out);
  bool add_h264(ByteView payload, Bytes& out);
  bool add_nal_unit(ByteView unit, Bytes& out);
  bool add_av1(ByteView payload, Bytes& out);
  bool close_obu(Bytes& out);

  // given
  Codec codec_;
  // state, of the frame in hand
  FrameIds ids_;
  bool has_any_ = false;
  bool is_open_ = false;  // VP9: a layer's frame; H264: a fragmented unit; AV1: an OBU
  uint8_t fragment_type_ = 0;
  bool has_sps_ = false, has_pps_ = false;
  Bytes obu_;
};

}  // namespace atm::frames
