#include "wire/payload/red.h"

namespace atm::payload {
namespace {

// RFC 2198 3: F, block PT; for copies then 14 bits of timestamp offset and 10 bits of length.
constexpr uint8_t kFollow = 0x80;

}  // namespace

std::optional<RedPayload> parse_red(ByteView payload) {
  Reader reader(payload);
  RedPayload out;
  std::array<size_t, kMaxRedBlocks> sizes{};
  for (;;) {
    if (out.count == kMaxRedBlocks) return std::nullopt;
    RedBlock& block = out.blocks[out.count];
    const uint8_t first = reader.u8();
    block.payload_type = first & 0x7F;
    if (!reader.ok()) return std::nullopt;
    if ((first & kFollow) == 0) break;
    const uint32_t high = reader.u8();
    const uint32_t low = reader.u16();
    const uint32_t packed = high << 16 | low;
    block.timestamp_offset = static_cast<uint16_t>(packed >> 10);
    sizes[out.count] = packed & kMaxRedCopySize;
    ++out.count;
  }
  for (size_t i = 0; i < out.count; ++i) out.blocks[i].data = reader.take(sizes[i]);
  if (!reader.ok()) return std::nullopt;
  out.blocks[out.count].data = reader.take(reader.left());
  ++out.count;
  return out;
}

size_t write_red(MutByteView out, std::span<const RedBlock> blocks) {
  if (blocks.empty() || blocks.size() > kMaxRedBlocks) return 0;
  Writer writer(out);
  for (const RedBlock& copy : blocks.first(blocks.size() - 1)) {
    if (copy.timestamp_offset > kMaxRedTimestampOffset || copy.data.size() > kMaxRedCopySize) return 0;
    const uint32_t packed = uint32_t{copy.timestamp_offset} << 10 | static_cast<uint32_t>(copy.data.size());
    writer.u8(static_cast<uint8_t>(kFollow | (copy.payload_type & 0x7F)));
    writer.u8(static_cast<uint8_t>(packed >> 16));
    writer.u16(static_cast<uint16_t>(packed));
  }
  writer.u8(blocks.back().payload_type & 0x7F);
  for (const RedBlock& block : blocks) writer.bytes(block.data);
  return writer.ok() ? writer.size() : 0;
}

}  // namespace atm::payload
