// What a forwarder has to know of one video packet to choose layers for a viewer: which frame and layer it is of, who
// needs that frame, where one may begin to need it, and where the ids lie that have to stay continuous. Made once for
// each packet, at its publisher (media/sender), and read by media/forward/layer_selector for every viewer. Read from
// the payload descriptors of VP8 and VP9 and, for the other codecs, from the dependency descriptor, which stay in the
// clear when a payload is encrypted end to end; of the payload of H264 and AV1 no more than "does a key frame begin
// here". What cannot be read is a frame that everybody needs: it is forwarded. Plain values, nothing allocated.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/codec.h"
#include "wire/payload/dependency_descriptor.h"

namespace atm::payload {

// Layers that are told apart; a higher one counts as the highest. AV1 and libwebrtc's encoders have no more.
inline constexpr uint8_t kSpatialLayers = 4;
inline constexpr uint8_t kTemporalLayers = 8;
inline constexpr size_t kMaxReferences = 4;  // of a frame that one may begin with; with more one does not begin there

// A set of targets: a viewer's target is the highest spatial and temporal layer that it is to see.
using TargetSet = uint32_t;
inline constexpr TargetSet kAllTargets = ~TargetSet{0};
constexpr TargetSet target_bit(unsigned spatial, unsigned temporal) {
  return TargetSet{1} << (spatial * kTemporalLayers + temporal);
}
// Every target with a spatial layer from..to, and a temporal layer of at least `temporal`.
constexpr TargetSet targets_of(unsigned from, unsigned to, unsigned temporal) {
  TargetSet out = 0;
  for (unsigned s = from; s <= to; ++s) out |= ((0xFFu << temporal) & 0xFFu) << (s * kTemporalLayers);
  return out;
}

// Under which condition a viewer may go over to `switches_to`.
enum class SwitchRule : uint8_t {
  kNever,        // only at a key frame
  kFromBelow,    // with this frame, when it has all of the temporal layer below (VP8: Y)
  kNextPicture,  // with the next picture, when it has all up to this temporal layer (VP9: U)
  kReferences,   // with this frame, when it has its references (dependency descriptor: switch indication)
};

struct FrameInfo {
  TargetSet needed_by = kAllTargets;
  TargetSet switches_to = 0;
  uint16_t picture_id = 0;                           // with picture_id_at
  uint16_t frame_number = 0;                         // with has_frame_number: of the dependency descriptor
  std::array<uint8_t, kMaxReferences> references{};  // with kReferences: frame numbers back
  uint8_t reference_count = 0;
  SwitchRule rule = SwitchRule::kNever;
  uint8_t spatial_layer = 0, temporal_layer = 0;
  uint8_t top_spatial_layer = 0;  // the highest that the source sends now
  uint8_t picture_id_at = 0;      // where in the payload; 0: absent
  uint8_t tl0_picture_index_at = 0;
  uint8_t tl0_picture_index = 0;
  bool is_layered : 1 = false;  // layers were told: spatial_layer and temporal_layer mean something
  // Of its layer; H264, and AV1 without descriptor: only told of key frames. An H264 key frame starts with the
  // parameter sets that its slices need; a source that sends them out of band is found out by its first key frame.
  bool starts_frame : 1 = false;
  bool ends_frame : 1 = false;  // of its layer
  bool is_key_frame : 1 =
      false;  // the picture depends on nothing before; VP8, H264, AV1: told by its first packet alone
  bool is_inter_layer_predicted : 1 = false;
  bool is_discardable : 1 = false;      // no frame of its own or another layer refers to it
  bool picture_id_is_long : 1 = false;  // 15 bits in two bytes, else 7 bits
  // VP8: decoders take a missing picture id for a loss. VP9 refers to pictures by differences of their ids, or by their
  // place in a group that is counted by ids, so there the ids of dropped pictures stay away.
  bool closes_picture_ids : 1 = false;
  bool has_frame_number : 1 = false;
};
static_assert(sizeof(FrameInfo) <= 32);

// What the frames of one SSRC have in common. Begins anew with the SSRC.
struct FrameStructure {
  std::optional<DependencyStructure> dependencies;
  std::array<uint8_t, kSpatialLayers * kTemporalLayers> decode_target{};  // for each target of a viewer
  std::array<uint8_t, kMaxDecodeTargets> decode_target_spatial{};
  // Sets of decode targets: those that a viewer's target gets all frames of, and those that the publisher sends now.
  std::array<uint32_t, kSpatialLayers * kTemporalLayers> whole_targets{};
  uint32_t active_targets = 0;
  uint8_t top_spatial_layer = 0;
  // DependencyDescriptor's, of the descriptor that was read last; 0: it could not be read.
  uint16_t bitmask_at = 0;
  bool has_bitmask = false;
  // H264: what the picture that is coming in has, and that key frames came without parameter sets in front.
  bool has_sps = false, has_idr = false;
  bool has_sps_out_of_band = false;
};

// VP8 and VP9 say all of it in their payload descriptors; Chromium makes a dependency descriptor of that for them.
constexpr bool reads_dependency_descriptor(Codec codec) {
  return codec != Codec::kVp8 && codec != Codec::kVp9;
}

// `descriptor`: the dependency descriptor of the packet, empty when it has none. `marker`: of its RTP header.
FrameInfo read_frame_info(Codec codec, ByteView payload, bool marker, ByteView descriptor, FrameStructure& structure);

// Bytes of `payload` with other ids than it came with; for both VP8 and VP9.
struct IdPatch {
  uint8_t at = 0;
  uint8_t size = 0;  // 0: there is nothing to change
  std::array<uint8_t, 6> bytes{};
};
// Ids are cut to the width that they have in the payload. `payload` is the one that `info` was read from.
IdPatch patch_picture_ids(const FrameInfo& info, ByteView payload, uint16_t picture_id, uint8_t tl0_picture_index);

}  // namespace atm::payload
