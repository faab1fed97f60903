#include "wire/payload/frame_info.h"

#include <algorithm>
#include <cstring>

#include "wire/payload/h264.h"
#include "wire/payload/key_frame.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::payload {
namespace {

using Dti = DecodeTargetIndication;

uint8_t clamp_spatial(unsigned layer) {
  return static_cast<uint8_t>(std::min<unsigned>(layer, kSpatialLayers - 1));
}

uint8_t clamp_temporal(unsigned layer) {
  return static_cast<uint8_t>(std::min<unsigned>(layer, kTemporalLayers - 1));
}

void read_vp8(ByteView payload, FrameInfo& out) {
  const auto descriptor = parse_vp8(payload);
  if (!descriptor) return;
  out.starts_frame = descriptor->starts_partition && descriptor->partition == 0;
  out.is_key_frame = descriptor->is_key_frame;
  out.is_discardable = descriptor->is_non_reference;
  out.closes_picture_ids = true;
  out.picture_id = descriptor->picture_id.value_or(0);
  out.picture_id_is_long = descriptor->picture_id_is_long;
  out.picture_id_at = descriptor->picture_id_at;
  out.tl0_picture_index = descriptor->tl0_picture_index.value_or(0);
  out.tl0_picture_index_at = descriptor->tl0_picture_index_at;
  if (!descriptor->temporal_layer) return;
  out.is_layered = true;
  out.temporal_layer = *descriptor->temporal_layer;
  out.needed_by = targets_of(0, kSpatialLayers - 1, out.temporal_layer);
  // RFC 7741 4.2, Y: the frame depends on the base layer alone. Later frames of its layer may depend on layers between,
  // so one goes up layer by layer.
  if (descriptor->is_layer_sync && out.temporal_layer > 0) {
    out.rule = SwitchRule::kFromBelow;
    for (unsigned s = 0; s < kSpatialLayers; ++s) out.switches_to |= target_bit(s, out.temporal_layer);
  }
}

void read_vp9(ByteView payload, FrameStructure& structure, FrameInfo& out) {
  const auto descriptor = parse_vp9(payload);
  if (!descriptor) return;
  out.starts_frame = descriptor->starts_layer_frame;
  out.ends_frame = descriptor->ends_layer_frame;
  out.picture_id = descriptor->picture_id.value_or(0);
  out.picture_id_is_long = descriptor->picture_id_is_long;
  out.picture_id_at = descriptor->picture_id_at;
  out.tl0_picture_index = descriptor->tl0_picture_index.value_or(0);
  out.tl0_picture_index_at = descriptor->tl0_picture_index_at;
  out.is_key_frame = !descriptor->is_inter_predicted && descriptor->spatial_layer == 0;
  if (descriptor->has_structure) {
    structure.top_spatial_layer = clamp_spatial(descriptor->spatial_layers - 1u);
  } else {
    structure.top_spatial_layer = std::max(structure.top_spatial_layer, clamp_spatial(descriptor->spatial_layer));
  }
  out.top_spatial_layer = structure.top_spatial_layer;
  if (!descriptor->has_layers) return;
  out.is_layered = true;
  out.spatial_layer = clamp_spatial(descriptor->spatial_layer);
  out.temporal_layer = clamp_temporal(descriptor->temporal_layer);
  out.is_inter_layer_predicted = descriptor->is_inter_layer_predicted;
  // RFC 9628 4.2, Z: no frame of a higher spatial layer refers to it. With K-SVC that is all but the key pictures. The
  // highest layer is needed by those, too, who want one that there is not.
  const bool is_for_itself = descriptor->is_not_reference && out.spatial_layer < out.top_spatial_layer;
  const unsigned highest = is_for_itself ? out.spatial_layer : kSpatialLayers - 1u;
  out.needed_by = targets_of(out.spatial_layer, highest, out.temporal_layer);
  // RFC 9628 4.2, U: pictures after this one do not depend on pictures of higher temporal layers before it.
  if (descriptor->is_switching_up_point) {
    out.rule = SwitchRule::kNextPicture;
    out.switches_to = out.needed_by;
  }
}

// A decoder cannot begin with an IDR slice whose SPS is still to come: it would take the one of another layer or
// source.
void read_h264(ByteView payload, bool marker, FrameStructure& structure, FrameInfo& out) {
  const auto packet = parse_h264(payload);
  if (packet) {
    out.is_key_frame = packet->starts_key_frame();
    out.starts_frame = packet->has_sps || (packet->has_idr && structure.has_sps_out_of_band);
    structure.has_sps |= packet->has_sps;
    structure.has_idr |= packet->has_idr;
    if (packet->has_sps) structure.has_sps_out_of_band = false;
  }
  if (!marker) return;
  if (structure.has_idr) structure.has_sps_out_of_band = !structure.has_sps;
  structure.has_sps = structure.has_idr = false;
}

// A decode target's layer is the highest of the frames that it needs. A viewer's target gets the highest decode target
// that is not above it, spatial layers first.
void find_decode_targets(FrameStructure& structure) {
  const DependencyStructure& from = *structure.dependencies;
  std::array<uint8_t, kMaxDecodeTargets> temporal{};
  structure.decode_target_spatial = {};
  for (size_t i = 0; i < from.template_count; ++i) {
    const FrameDependencies& frame = from.templates[i];
    for (size_t d = 0; d < from.decode_targets; ++d) {
      if (frame.indications[d] == Dti::kNotPresent) continue;
      uint8_t& spatial = structure.decode_target_spatial[d];
      spatial = std::max(spatial, clamp_spatial(frame.spatial_layer));
      temporal[d] = std::max(temporal[d], clamp_temporal(frame.temporal_layer));
    }
  }
  const auto rank = [&](size_t d) { return structure.decode_target_spatial[d] * kTemporalLayers + temporal[d]; };
  size_t lowest = 0;
  for (size_t d = 1; d < from.decode_targets; ++d) {
    if (rank(d) < rank(lowest)) lowest = d;
  }
  for (unsigned target = 0; target < structure.decode_target.size(); ++target) {
    size_t best = lowest;
    for (size_t d = 0; d < from.decode_targets; ++d) {
      const bool fits =
          structure.decode_target_spatial[d] <= target / kTemporalLayers && temporal[d] <= target % kTemporalLayers;
      if (fits && rank(d) > rank(best)) best = d;
    }
    structure.decode_target[target] = static_cast<uint8_t>(best);
  }
}

// Every frame that the decode target `part` needs is one that `all` needs. In K-SVC a lower layer is no such part.
bool is_part(const DependencyStructure& structure, size_t part, size_t all) {
  for (size_t i = 0; i < structure.template_count; ++i) {
    const auto& indications = structure.templates[i].indications;
    if (indications[part] != Dti::kNotPresent && indications[all] == Dti::kNotPresent) return false;
  }
  return true;
}

void find_whole_targets(FrameStructure& structure) {
  for (size_t target = 0; target < structure.whole_targets.size(); ++target) {
    const bool is_as_before = target > 0 && structure.decode_target[target] == structure.decode_target[target - 1];
    uint32_t& whole = structure.whole_targets[target];
    whole = is_as_before ? structure.whole_targets[target - 1] : 0;
    if (is_as_before) continue;
    for (size_t d = 0; d < structure.dependencies->decode_targets; ++d) {
      if (is_part(*structure.dependencies, d, structure.decode_target[target])) whole |= uint32_t{1} << d;
    }
  }
}

// False when it cannot be read, as before the first structure.
bool read_dependencies(ByteView value, FrameStructure& structure, FrameInfo& out) {
  structure.bitmask_at = 0;
  const auto descriptor = parse_dependency_descriptor(value, structure.dependencies);
  if (!descriptor) return false;
  structure.bitmask_at = descriptor->bitmask_at;
  structure.has_bitmask = descriptor->has_bitmask;
  if (descriptor->has_structure) {
    find_decode_targets(structure);
    find_whole_targets(structure);
  }
  if (descriptor->active_decode_targets) {
    structure.active_targets = *descriptor->active_decode_targets;
    structure.top_spatial_layer = 0;
    for (size_t d = 0; d < structure.dependencies->decode_targets; ++d) {
      if ((*descriptor->active_decode_targets >> d & 1) == 0) continue;
      structure.top_spatial_layer = std::max(structure.top_spatial_layer, structure.decode_target_spatial[d]);
    }
  }
  const FrameDependencies& frame = descriptor->frame;
  out.is_layered = true;
  out.starts_frame = descriptor->starts_frame;
  out.ends_frame = descriptor->ends_frame;
  out.is_key_frame = descriptor->has_structure;
  out.spatial_layer = clamp_spatial(frame.spatial_layer);
  out.temporal_layer = clamp_temporal(frame.temporal_layer);
  out.top_spatial_layer = structure.top_spatial_layer;
  out.needed_by = out.switches_to = 0;
  out.is_discardable = true;
  for (unsigned target = 0; target < structure.decode_target.size(); ++target) {
    const Dti indication = frame.indications[structure.decode_target[target]];
    if (indication != Dti::kNotPresent) out.needed_by |= TargetSet{1} << target;
    if (indication == Dti::kSwitch) out.switches_to |= TargetSet{1} << target;
    if (indication == Dti::kSwitch || indication == Dti::kRequired) out.is_discardable = false;
  }
  bool references_fit = frame.difference_count <= kMaxReferences;
  for (size_t i = 0; i < frame.difference_count && references_fit; ++i) {
    references_fit = frame.differences[i] <= 0xFF;
    out.references[i] = static_cast<uint8_t>(frame.differences[i]);
    out.is_inter_layer_predicted |= frame.differences[i] <= frame.spatial_layer;
  }
  out.reference_count = references_fit ? frame.difference_count : 0;
  out.rule = references_fit ? SwitchRule::kReferences : SwitchRule::kNever;
  if (!references_fit) out.switches_to = 0;
  return true;
}

}  // namespace

FrameInfo read_frame_info(Codec codec, ByteView payload, bool marker, ByteView descriptor, FrameStructure& structure) {
  FrameInfo out;
  out.ends_frame = marker;
  if (codec == Codec::kVp8) {
    read_vp8(payload, out);
  } else if (codec == Codec::kVp9) {
    read_vp9(payload, structure, out);
  } else if (codec == Codec::kH264) {
    read_h264(payload, marker, structure, out);
  } else {
    out.is_key_frame = out.starts_frame = is_key_frame_start(codec, payload);
  }
  if (const auto head = parse_dependency_head(descriptor); head && reads_dependency_descriptor(codec)) {
    out.has_frame_number = true;
    out.frame_number = head->frame_number;
    read_dependencies(descriptor, structure, out);
  }
  return out;
}

IdPatch patch_picture_ids(const FrameInfo& info, ByteView payload, uint16_t picture_id, uint8_t tl0_picture_index) {
  IdPatch out;
  const bool has_id = info.picture_id_at != 0, has_tl0 = info.tl0_picture_index_at != 0;
  if (!has_id && !has_tl0) return out;
  const size_t id_size = info.picture_id_is_long ? 2 : 1;
  const size_t from = has_id ? info.picture_id_at : info.tl0_picture_index_at;
  const size_t end = has_tl0 ? size_t{info.tl0_picture_index_at} + 1 : from + id_size;
  if (end > payload.size() || end < from + (has_id ? id_size : 1) || end - from > out.bytes.size()) return out;
  std::memcpy(out.bytes.data(), payload.data() + from, end - from);
  if (has_id && info.picture_id_is_long) {
    store_u16(out.bytes.data(), static_cast<uint16_t>(0x8000 | (picture_id & 0x7FFF)));  // M, RFC 7741 4.2
  } else if (has_id) {
    out.bytes[0] = static_cast<uint8_t>(picture_id & 0x7F);
  }
  if (has_tl0) out.bytes[end - from - 1] = tl0_picture_index;
  if (std::memcmp(out.bytes.data(), payload.data() + from, end - from) == 0) return out;
  out.at = static_cast<uint8_t>(from);
  out.size = static_cast<uint8_t>(end - from);
  return out;
}

}  // namespace atm::payload
