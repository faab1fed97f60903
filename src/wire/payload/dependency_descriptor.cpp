#include "wire/payload/dependency_descriptor.h"

#include <algorithm>

#include "wire/payload/bit_reader.h"

namespace atm::payload {
namespace {

using Dti = DecodeTargetIndication;

// A.8.3 template_layers(): each template's layer, as steps from the one before.
bool read_layers(BitReader& reader, DependencyStructure& out) {
  uint8_t spatial = 0, temporal = 0;
  for (;;) {
    if (out.template_count == kMaxDependencyTemplates) return false;
    FrameDependencies& made = out.templates[out.template_count++];
    made = {};
    made.spatial_layer = spatial;
    made.temporal_layer = temporal;
    out.max_spatial_layer = std::max(out.max_spatial_layer, spatial);
    out.max_temporal_layer = std::max(out.max_temporal_layer, temporal);
    const uint32_t step = reader.bits(2);
    if (!reader.ok()) return false;
    if (step == 3) return true;
    if (step == 1) ++temporal;
    if (step == 2) {
      temporal = 0;
      if (++spatial == kMaxDependencySpatialLayers) return false;
    }
  }
}

bool add_difference(FrameDependencies& frame, uint32_t difference) {
  if (frame.difference_count == kMaxFrameDifferences) return false;
  frame.differences[frame.difference_count++] = static_cast<uint16_t>(difference);
  return true;
}

// A.8.3 template_dependency_structure().
bool read_structure(BitReader& reader, DependencyStructure& out) {
  out.template_id_offset = static_cast<uint8_t>(reader.bits(6));
  out.decode_targets = static_cast<uint8_t>(reader.bits(5) + 1);
  if (!read_layers(reader, out)) return false;
  for (size_t i = 0; i < out.template_count; ++i) {
    for (size_t t = 0; t < out.decode_targets; ++t) out.templates[i].indications[t] = static_cast<Dti>(reader.bits(2));
  }
  for (size_t i = 0; i < out.template_count; ++i) {
    while (reader.flag()) {
      if (!add_difference(out.templates[i], reader.bits(4) + 1)) return false;
    }
  }
  out.chains = static_cast<uint8_t>(reader.one_of(uint32_t{out.decode_targets} + 1));
  if (out.chains > 0) {
    for (size_t t = 0; t < out.decode_targets; ++t)
      out.protected_by[t] = static_cast<uint8_t>(reader.one_of(out.chains));
    for (size_t i = 0; i < out.template_count; ++i) {
      for (size_t c = 0; c < out.chains; ++c) {
        out.templates[i].chain_differences[c] = static_cast<uint8_t>(reader.bits(4));
      }
    }
  }
  out.has_resolutions = reader.flag();
  if (out.has_resolutions) {
    for (size_t layer = 0; layer <= out.max_spatial_layer; ++layer) {
      out.resolutions[layer].width = reader.bits(16) + 1;
      out.resolutions[layer].height = reader.bits(16) + 1;
    }
  }
  return reader.ok();
}

struct Custom {
  bool has_indications = false, has_differences = false, has_chains = false;
};

// A.8.4 frame_dependency_definition().
bool read_frame(BitReader& reader, const Custom& custom, const DependencyStructure& structure,
                DependencyDescriptor& out) {
  const size_t index = (size_t{out.template_id} + 64 - structure.template_id_offset) % 64;
  if (index >= structure.template_count) return false;
  out.frame = structure.templates[index];
  if (custom.has_indications) {
    for (size_t t = 0; t < structure.decode_targets; ++t) out.frame.indications[t] = static_cast<Dti>(reader.bits(2));
  }
  if (custom.has_differences) {
    out.frame.difference_count = 0;
    while (const uint32_t size = reader.bits(2)) {
      if (!add_difference(out.frame, reader.bits(4 * size) + 1)) return false;
    }
  }
  if (custom.has_chains) {
    for (size_t c = 0; c < structure.chains; ++c) out.frame.chain_differences[c] = static_cast<uint8_t>(reader.bits(8));
  }
  return reader.ok();
}

}  // namespace

std::optional<DependencyHead> parse_dependency_head(ByteView value) {
  if (value.size() < kDependencyDescriptorSize) return std::nullopt;
  DependencyHead out;
  out.starts_frame = (value[0] & 0x80) != 0;
  out.ends_frame = (value[0] & 0x40) != 0;
  out.template_id = value[0] & 0x3F;
  out.frame_number = load_u16(value.data() + 1);
  out.has_structure = value.size() > kDependencyDescriptorSize && (value[3] & 0x80) != 0;
  return out;
}

std::optional<DependencyDescriptor> parse_dependency_descriptor(ByteView value,
                                                                std::optional<DependencyStructure>& structure) {
  const auto head = parse_dependency_head(value);
  if (!head) return std::nullopt;
  DependencyDescriptor out;
  out.starts_frame = head->starts_frame;
  out.ends_frame = head->ends_frame;
  out.template_id = head->template_id;
  out.frame_number = head->frame_number;
  out.has_structure = head->has_structure;
  out.has_extension = value.size() > kDependencyDescriptorSize;
  BitReader reader(value.subspan(kDependencyDescriptorSize));
  Custom custom;
  bool has_active_targets = false;
  if (out.has_extension) {
    reader.skip(1);
    has_active_targets = reader.flag();
    custom.has_indications = reader.flag();
    custom.has_differences = reader.flag();
    custom.has_chains = reader.flag();
  }
  std::optional<DependencyStructure> own;
  if (out.has_structure && !read_structure(reader, own.emplace())) return std::nullopt;
  const std::optional<DependencyStructure>& used = own ? own : structure;
  if (!used) return std::nullopt;
  out.has_bitmask = has_active_targets;
  // Behind the five flags where there are none yet.
  constexpr size_t kFlags = 5;
  out.bitmask_at = static_cast<uint16_t>(kDependencyDescriptorSize * 8 + (out.has_extension ? reader.at() : kFlags));
  if (has_active_targets) {
    out.active_decode_targets = reader.bits(used->decode_targets);
  } else if (out.has_structure) {
    out.active_decode_targets = static_cast<uint32_t>((uint64_t{1} << used->decode_targets) - 1);
  }
  if (!read_frame(reader, custom, *used, out)) return std::nullopt;
  if (own) structure = std::move(own);
  return out;
}

}  // namespace atm::payload
