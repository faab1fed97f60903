#include <algorithm>

#include "wire/payload/bit_writer.h"
#include "wire/payload/dependency_descriptor.h"

namespace atm::payload {
namespace {

uint64_t all_of(const DependencyStructure& structure) {
  return (uint64_t{1} << structure.decode_targets) - 1;
}

bool are_same_indications(const DependencyStructure& structure, const FrameDependencies& a,
                          const FrameDependencies& b) {
  return std::equal(a.indications.begin(), a.indications.begin() + structure.decode_targets, b.indications.begin());
}
bool are_same_differences(const FrameDependencies& a, const FrameDependencies& b) {
  return a.difference_count == b.difference_count &&
         std::equal(a.differences.begin(), a.differences.begin() + a.difference_count, b.differences.begin());
}
bool are_same_chains(const DependencyStructure& structure, const FrameDependencies& a, const FrameDependencies& b) {
  return std::equal(a.chain_differences.begin(), a.chain_differences.begin() + structure.chains,
                    b.chain_differences.begin());
}
bool is_of_layer(const FrameDependencies& a, const FrameDependencies& b) {
  return a.spatial_layer == b.spatial_layer && a.temporal_layer == b.temporal_layer;
}

// A.8.3 template_layers().
bool write_layers(const DependencyStructure& structure, BitWriter& writer) {
  for (size_t i = 1; i < structure.template_count; ++i) {
    const FrameDependencies &before = structure.templates[i - 1], &now = structure.templates[i];
    if (is_of_layer(before, now)) {
      writer.bits(2, 0);
    } else if (now.spatial_layer == before.spatial_layer && now.temporal_layer == before.temporal_layer + 1) {
      writer.bits(2, 1);
    } else if (now.spatial_layer == before.spatial_layer + 1 && now.temporal_layer == 0) {
      writer.bits(2, 2);
    } else {
      return false;
    }
  }
  writer.bits(2, 3);
  return true;
}

// A.8.3 template_dependency_structure().
bool write_structure(const DependencyStructure& structure, BitWriter& writer) {
  writer.bits(6, structure.template_id_offset);
  writer.bits(5, structure.decode_targets - 1u);
  if (!write_layers(structure, writer)) return false;
  for (size_t i = 0; i < structure.template_count; ++i) {
    for (size_t t = 0; t < structure.decode_targets; ++t) {
      writer.bits(2, static_cast<uint32_t>(structure.templates[i].indications[t]));
    }
  }
  for (size_t i = 0; i < structure.template_count; ++i) {
    const FrameDependencies& of = structure.templates[i];
    for (size_t d = 0; d < of.difference_count; ++d) {
      if (of.differences[d] == 0 || of.differences[d] > 16) return false;
      writer.flag(true);
      writer.bits(4, of.differences[d] - 1u);
    }
    writer.flag(false);
  }
  writer.one_of(uint32_t{structure.decode_targets} + 1, structure.chains);
  if (structure.chains > 0) {
    for (size_t t = 0; t < structure.decode_targets; ++t) writer.one_of(structure.chains, structure.protected_by[t]);
    for (size_t i = 0; i < structure.template_count; ++i) {
      for (size_t c = 0; c < structure.chains; ++c) {
        if (structure.templates[i].chain_differences[c] > 15) return false;
        writer.bits(4, structure.templates[i].chain_differences[c]);
      }
    }
  }
  writer.flag(structure.has_resolutions);
  for (size_t layer = 0; structure.has_resolutions && layer <= structure.max_spatial_layer; ++layer) {
    writer.bits(16, structure.resolutions[layer].width - 1);
    writer.bits(16, structure.resolutions[layer].height - 1);
  }
  return true;
}

// A.8.4 frame_fdiffs().
bool write_differences(const FrameDependencies& frame, BitWriter& writer) {
  for (size_t d = 0; d < frame.difference_count; ++d) {
    const unsigned less = frame.differences[d] - 1u;
    if (less > 0xFFF) return false;
    const unsigned nibbles = less < 0x10 ? 1 : less < 0x100 ? 2 : 3;
    writer.bits(2, nibbles);
    writer.bits(4 * nibbles, less);
  }
  writer.bits(2, 0);
  return true;
}

}  // namespace

std::optional<uint8_t> find_dependency_template(const DependencyStructure& structure, const FrameDependencies& frame) {
  std::optional<uint8_t> of_layer;
  for (size_t i = 0; i < structure.template_count; ++i) {
    const FrameDependencies& of = structure.templates[i];
    if (!is_of_layer(of, frame)) continue;
    const auto id = static_cast<uint8_t>((structure.template_id_offset + i) % kMaxDependencyTemplates);
    if (are_same_indications(structure, of, frame) && are_same_differences(of, frame) &&
        are_same_chains(structure, of, frame)) {
      return id;
    }
    if (!of_layer) of_layer = id;
  }
  return of_layer;
}

size_t write_dependency_descriptor(const DependencyDescriptor& descriptor, const DependencyStructure& structure,
                                   MutByteView out) {
  if (structure.template_count == 0 || structure.template_count > kMaxDependencyTemplates) return 0;
  if (structure.decode_targets == 0 || structure.decode_targets > kMaxDecodeTargets) return 0;
  const size_t index = (descriptor.template_id + kMaxDependencyTemplates - structure.template_id_offset) % 64;
  if (index >= structure.template_count) return 0;
  const FrameDependencies &frame = descriptor.frame, &of = structure.templates[index];
  if (!is_of_layer(frame, of)) return 0;

  const bool has_bitmask = descriptor.active_decode_targets &&
                           !(descriptor.has_structure && *descriptor.active_decode_targets == all_of(structure));
  const bool has_indications = !are_same_indications(structure, frame, of);
  const bool has_differences = !are_same_differences(frame, of);
  const bool has_chains = !are_same_chains(structure, frame, of);
  BitWriter writer(out);
  writer.flag(descriptor.starts_frame);
  writer.flag(descriptor.ends_frame);
  writer.bits(6, descriptor.template_id);
  writer.bits(16, descriptor.frame_number);
  if (descriptor.has_structure || has_bitmask || has_indications || has_differences || has_chains) {
    writer.flag(descriptor.has_structure);
    writer.flag(has_bitmask);
    writer.flag(has_indications);
    writer.flag(has_differences);
    writer.flag(has_chains);
  }
  if (descriptor.has_structure && !write_structure(structure, writer)) return 0;
  if (has_bitmask) writer.bits(structure.decode_targets, *descriptor.active_decode_targets);
  for (size_t t = 0; has_indications && t < structure.decode_targets; ++t) {
    writer.bits(2, static_cast<uint32_t>(frame.indications[t]));
  }
  if (has_differences && !write_differences(frame, writer)) return 0;
  for (size_t c = 0; has_chains && c < structure.chains; ++c) writer.bits(8, frame.chain_differences[c]);
  return writer.ok() ? writer.size() : 0;
}

}  // namespace atm::payload
