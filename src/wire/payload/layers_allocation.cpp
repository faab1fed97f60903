#include "wire/payload/layers_allocation.h"

#include "wire/payload/bit_reader.h"

namespace atm::payload {

namespace {

using SpatialLayer = LayersAllocation::SpatialLayer;

// AV1 bitstream specification 4.10.5: seven bits a byte, the lowest first, of values below 2^32.
std::optional<uint32_t> read_leb128(Reader& reader) {
  constexpr unsigned kMostBytes = 8;
  uint64_t value = 0;
  for (unsigned i = 0; i < kMostBytes; ++i) {
    const uint8_t byte = reader.u8();
    if (!reader.ok()) return std::nullopt;
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if ((byte & 0x80) == 0) return value > UINT32_MAX ? std::nullopt : std::optional(static_cast<uint32_t>(value));
  }
  return std::nullopt;
}

void write_leb128(Writer& writer, uint32_t value) {
  for (; value >= 0x80; value >>= 7) writer.u8(static_cast<uint8_t>(value | 0x80));
  writer.u8(static_cast<uint8_t>(value));
}

// Every layer that is sent, in the order of the extension: by stream, then by spatial layer.
template <typename Allocation, typename Visit>
void for_each_sent(Allocation& allocation, Visit visit) {
  for (size_t stream = 0; stream < allocation.streams; ++stream) {
    for (auto& layer : allocation.layers[stream]) {
      if (layer.temporal_layers > 0) visit(layer);
    }
  }
}

uint8_t mask_of(const std::array<SpatialLayer, kAllocationSpatial>& layers) {
  uint8_t out = 0;
  for (size_t s = 0; s < kAllocationSpatial; ++s) out |= static_cast<uint8_t>((layers[s].temporal_layers > 0) << s);
  return out;
}

}  // namespace

std::optional<LayersAllocation> parse_layers_allocation(ByteView value) {
  if (value.empty()) return std::nullopt;
  LayersAllocation out;
  if (value.size() == 1 && value[0] == 0) return out;

  BitReader bits(value);
  out.stream_index = static_cast<uint8_t>(bits.bits(2));
  out.streams = static_cast<uint8_t>(bits.bits(2) + 1);
  if (out.stream_index >= out.streams) return std::nullopt;
  const auto shared_mask = static_cast<uint8_t>(bits.bits(4));
  // Two masks fit a byte; padding is zero.
  const size_t masks = shared_mask != 0 ? 0 : out.streams <= 2 ? 2 : 4;
  for (size_t stream = 0; stream < kAllocationStreams; ++stream) {
    const uint32_t mask = stream < masks ? bits.bits(4) : shared_mask;
    if (stream >= out.streams) continue;
    for (size_t s = 0; s < kAllocationSpatial; ++s) out.layers[stream][s].temporal_layers = mask >> s & 1;
  }
  size_t sent = 0;
  for_each_sent(out, [&](SpatialLayer& layer) {
    layer.temporal_layers = static_cast<uint8_t>(bits.bits(2) + 1);
    ++sent;
  });
  if (!bits.ok()) return std::nullopt;

  Reader reader(value.subspan((bits.at() + 7) / 8));
  bool is_sound = true;
  for_each_sent(out, [&](SpatialLayer& layer) {
    for (size_t t = 0; t < layer.temporal_layers && is_sound; ++t) {
      const auto kbps = read_leb128(reader);
      is_sound = kbps.has_value();
      layer.kbps[t] = kbps.value_or(0);
    }
  });
  if (!is_sound) return std::nullopt;
  if (reader.left() == 0) return out;

  // "Presence is inferred from the size": all of them or none.
  constexpr size_t kResolutionSize = 5;
  if (reader.left() != sent * kResolutionSize) return std::nullopt;
  out.has_resolutions = true;
  for_each_sent(out, [&](SpatialLayer& layer) {
    layer.width = uint32_t{reader.u16()} + 1;
    layer.height = uint32_t{reader.u16()} + 1;
    layer.max_frame_rate = reader.u8();
  });
  return out;
}

size_t write_layers_allocation(const LayersAllocation& allocation, MutByteView out) {
  Writer writer(out);
  if (allocation.streams == 0) {
    writer.u8(0);
    return writer.ok() ? writer.size() : 0;
  }
  if (allocation.streams > kAllocationStreams || allocation.stream_index >= allocation.streams) return 0;
  std::array<uint8_t, kAllocationStreams> masks{};
  bool is_shared = true;
  for (size_t stream = 0; stream < allocation.streams; ++stream) {
    masks[stream] = mask_of(allocation.layers[stream]);
    is_shared = is_shared && masks[stream] == masks[0];
  }
  const uint8_t head = static_cast<uint8_t>(allocation.stream_index << 6 | (allocation.streams - 1) << 4);
  writer.u8(is_shared ? head | masks[0] : head);
  if (!is_shared || masks[0] == 0) {
    writer.u8(static_cast<uint8_t>(masks[0] << 4 | masks[1]));
    if (allocation.streams > 2) writer.u8(static_cast<uint8_t>(masks[2] << 4 | masks[3]));
  }
  uint8_t counts = 0;
  size_t sent = 0;
  bool can_be_said = true;
  for_each_sent(allocation, [&](const SpatialLayer& layer) {
    can_be_said = can_be_said && layer.temporal_layers <= kAllocationTemporal;
    counts |= static_cast<uint8_t>((layer.temporal_layers - 1) << (6 - sent % 4 * 2));
    if (++sent % 4 != 0) return;
    writer.u8(counts);
    counts = 0;
  });
  if (!can_be_said) return 0;
  if (sent % 4 != 0) writer.u8(counts);
  for_each_sent(allocation, [&](const SpatialLayer& layer) {
    for (size_t t = 0; t < layer.temporal_layers; ++t) write_leb128(writer, layer.kbps[t]);
  });
  if (allocation.has_resolutions) {
    for_each_sent(allocation, [&](const SpatialLayer& layer) {
      writer.u16(static_cast<uint16_t>(layer.width - 1));
      writer.u16(static_cast<uint16_t>(layer.height - 1));
      writer.u8(layer.max_frame_rate);
    });
  }
  return writer.ok() ? writer.size() : 0;
}

}  // namespace atm::payload
