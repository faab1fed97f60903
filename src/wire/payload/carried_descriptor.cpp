#include "wire/payload/carried_descriptor.h"

#include <algorithm>

#include "wire/payload/bit_writer.h"

namespace atm::payload {
namespace {

// Two bytes: the bit at which the bitmask lies or would lie; 0: nothing but the frame number is known. One: is it
// there, and how many decode targets are there? One: the highest layers that are told apart. One: bytes of the value.
// The sets of decode targets: those that are active, then for each of these layers those that a viewer gets. The value.
constexpr uint8_t kHasBitmask = 0x80;
constexpr size_t kHeadSize = 5;
// A.8.2: the flags of the extended part, and the second of them.
constexpr unsigned kFlags = 5;
constexpr size_t kFlagsAt = kDependencyDescriptorSize * 8;
constexpr uint32_t kBitmaskFlag = 0b01000;

constexpr size_t set_size(size_t targets) {
  return (targets + 7) / 8;
}
void put_set(Writer& writer, uint32_t set, size_t size) {
  for (size_t i = 0; i < size; ++i) writer.u8(static_cast<uint8_t>(set >> (8 * i)));
}
uint32_t take_set(ByteView sets, size_t index, size_t size) {
  uint32_t set = 0;
  for (size_t i = 0; i < size; ++i) set |= uint32_t{sets[index * size + i]} << (8 * i);
  return set;
}

struct Carried {
  size_t bitmask_at = 0;
  bool has_bitmask = false;
  unsigned targets = 0;
  uint32_t active = 0, wanted = 0;  // wanted: by this viewer
  ByteView value;
};

std::optional<Carried> read(ByteView carried, unsigned target) {
  Reader reader(carried);
  Carried out;
  out.bitmask_at = reader.u16();
  const uint8_t targets = reader.u8(), layers = reader.u8(), size = reader.u8();
  out.has_bitmask = (targets & kHasBitmask) != 0;
  out.targets = targets & 0x3F;
  if (out.targets > kMaxDecodeTargets) return std::nullopt;
  if (out.bitmask_at != 0) {
    if (out.bitmask_at < kFlagsAt + kFlags) return std::nullopt;
    const size_t spatial = std::min<size_t>(target / kTemporalLayers, layers >> 4);
    const size_t temporal = std::min<size_t>(target % kTemporalLayers, layers & 0x0F);
    const size_t width = (layers & 0x0F) + size_t{1};
    const size_t bytes = set_size(out.targets);
    const ByteView sets = reader.take(bytes * (1 + ((layers >> 4) + size_t{1}) * width));
    if (!reader.ok()) return std::nullopt;
    out.active = take_set(sets, 0, bytes);
    out.wanted = take_set(sets, 1 + spatial * width + temporal, bytes) & out.active;
    // Where nothing of what is active is whole for the viewer, nothing true can be said.
    if (out.wanted == 0) out.wanted = out.active;
  }
  out.value = reader.take(size);
  if (!reader.ok() || out.value.size() < kDependencyDescriptorSize) return std::nullopt;
  return out;
}

}  // namespace

size_t carry_descriptor(ByteView value, const FrameStructure& structure, MutByteView out) {
  if (value.size() < kDependencyDescriptorSize || value.size() > kMaxCarriedDescriptor) return 0;
  const bool is_read = structure.bitmask_at != 0 && structure.dependencies;
  Writer writer(out);
  writer.u16(is_read ? structure.bitmask_at : uint16_t{0});
  if (!is_read) {
    writer.zeros(2);
    writer.u8(static_cast<uint8_t>(value.size()));
  } else {
    const DependencyStructure& from = *structure.dependencies;
    const auto spatial = std::min<uint8_t>(from.max_spatial_layer, kSpatialLayers - 1);
    const auto temporal = std::min<uint8_t>(from.max_temporal_layer, kTemporalLayers - 1);
    writer.u8(static_cast<uint8_t>((structure.has_bitmask ? kHasBitmask : 0) | from.decode_targets));
    writer.u8(static_cast<uint8_t>(spatial << 4 | temporal));
    writer.u8(static_cast<uint8_t>(value.size()));
    const size_t size = set_size(from.decode_targets);
    put_set(writer, structure.active_targets, size);
    for (size_t s = 0; s <= spatial; ++s) {
      for (size_t t = 0; t <= temporal; ++t) {
        put_set(writer, structure.whole_targets[s * kTemporalLayers + t], size);
      }
    }
  }
  writer.bytes(value);
  return writer.ok() ? writer.size() : 0;
}

size_t write_carried_descriptor(ByteView carried, const DescriptorPatch& patch, MutByteView out) {
  const auto from = read(carried, patch.target);
  if (!from || out.size() < from->value.size()) return 0;
  const ByteView value = from->value;
  const bool says_all = from->wanted == from->active && (!patch.is_said || from->has_bitmask);
  if (from->bitmask_at == 0 || says_all) {
    std::memcpy(out.data(), value.data(), value.size());
    store_u16(out.data() + 1, patch.frame_number);
    return value.size();
  }
  const bool is_extended = value.size() > kDependencyDescriptorSize;
  const size_t in_front = from->bitmask_at - kFlagsAt - kFlags;
  BitReader reader(value);
  BitWriter writer(out);
  writer.copy(reader, 8);
  reader.skip(16);
  writer.bits(16, patch.frame_number);
  writer.bits(kFlags, (is_extended ? reader.bits(kFlags) : 0) | kBitmaskFlag);
  writer.copy(reader, in_front);
  writer.bits(from->targets, from->wanted);
  if (from->has_bitmask) reader.skip(from->targets);
  writer.copy(reader, reader.left());
  return writer.ok() && reader.ok() ? writer.size() : 0;
}

}  // namespace atm::payload
