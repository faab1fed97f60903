#include "wire/rtp/header.h"

#include "wire/rtp/packet.h"

namespace atm::rtp {
namespace {

constexpr size_t kMaxValueSize = 255;  // RFC 8285 4.3: the two-byte form's length byte

struct ExtensionShape {
  bool possible = true;
  bool one_byte = true;
  size_t size = 0;  // of the elements, padded to words; 0: no extension
};

ExtensionShape shape_of(std::span<const ExtensionValue> extensions) {
  ExtensionShape shape;
  size_t count = 0;
  size_t values = 0;
  for (const ExtensionValue& extension : extensions) {
    if (extension.id == 0) continue;
    const size_t size = extension.value.size();
    if (size > kMaxValueSize) shape.possible = false;
    // RFC 8285 4.2: four bits of id with 15 reserved, four bits of length minus one.
    if (extension.id > 14 || size < 1 || size > 16) shape.one_byte = false;
    ++count;
    values += size;
  }
  shape.size = (values + count * (shape.one_byte ? 1 : 2) + 3) / 4 * 4;
  if (shape.size / 4 > 0xFFFF) shape.possible = false;
  return shape;
}

size_t size_of(const ExtensionShape& shape) {
  if (!shape.possible) return 0;
  return kFixedHeaderSize + (shape.size == 0 ? 0 : 4 + shape.size);
}

}  // namespace

size_t header_size(std::span<const ExtensionValue> extensions) {
  return size_of(shape_of(extensions));
}

size_t write_header(MutByteView out, const Header& header, std::span<const ExtensionValue> extensions) {
  const ExtensionShape shape = shape_of(extensions);
  const size_t size = size_of(shape);
  if (size == 0 || size > out.size()) return 0;
  Writer writer(out.first(size));
  writer.u8(static_cast<uint8_t>(0x80 | (shape.size == 0 ? 0 : 0x10)));
  writer.u8(static_cast<uint8_t>((header.marker ? 0x80 : 0) | (header.payload_type & 0x7F)));
  writer.u16(header.sequence);
  writer.u32(header.timestamp);
  writer.u32(header.ssrc);
  if (shape.size == 0) return size;
  writer.u16(shape.one_byte ? kOneByteProfile : kTwoByteProfile);
  writer.u16(static_cast<uint16_t>(shape.size / 4));
  for (const ExtensionValue& extension : extensions) {
    if (extension.id == 0) continue;
    if (shape.one_byte) {
      writer.u8(static_cast<uint8_t>(extension.id << 4 | (extension.value.size() - 1)));
    } else {
      writer.u8(extension.id);
      writer.u8(static_cast<uint8_t>(extension.value.size()));
    }
    writer.bytes(extension.value);
  }
  writer.pad_to(4);
  return writer.ok() ? writer.size() : 0;
}

std::optional<AudioLevel> parse_audio_level(ByteView value) {
  if (value.empty()) return std::nullopt;
  return AudioLevel{(value[0] & 0x80) != 0, static_cast<uint8_t>(value[0] & 0x7F)};
}

}  // namespace atm::rtp
