#include "wire/payload/av1.h"

#include "wire/payload/bit_reader.h"

namespace atm::payload {
namespace {

// AV1 bitstream specification 4.10.5: seven bits a byte, the least significant first. The sizes here have at most four
// bytes, more than a datagram can hold.
size_t read_leb128(Reader& reader, bool& is_sound) {
  size_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const uint8_t byte = reader.u8();
    value |= size_t{byte & 0x7Fu} << (7 * i);
    if ((byte & 0x80) == 0) return value;
  }
  is_sound = false;
  return 0;
}

// AV1 bitstream specification 5.3.2. The element may be cut off in the end, by the next packet, but not in its header.
bool read_obu_header(Av1Element& out) {
  Reader reader(out.content);
  const uint8_t header = reader.u8();
  out.type = (header >> 3) & 0x0F;
  if ((header & 0x80) != 0) return false;  // forbidden bit
  if ((header & 0x04) != 0) {
    const uint8_t layers = reader.u8();
    out.has_layers = true;
    out.temporal_layer = layers >> 5;
    out.spatial_layer = (layers >> 3) & 0x03;
  }
  bool is_sound = true;
  // AV1 RTP specification 4.5: senders should leave the size out; some do not.
  if ((header & 0x02) != 0) read_leb128(reader, is_sound);
  if (!reader.ok() || !is_sound) return false;
  out.content = reader.rest();
  return true;
}

}  // namespace

std::optional<Av1Packet> parse_av1(ByteView payload) {
  Reader reader(payload);
  const uint8_t aggregation = reader.u8();
  if (!reader.ok() || reader.left() == 0) return std::nullopt;
  Av1Packet out;
  out.continues = (aggregation & 0x80) != 0;
  out.is_continued = (aggregation & 0x40) != 0;
  out.starts_sequence = (aggregation & 0x08) != 0;
  if (out.continues && out.starts_sequence) return std::nullopt;  // 4.4: N only where Z is 0
  const unsigned count = (aggregation >> 4) & 0x03;               // W; 0: every element has its length
  while (reader.left() > 0 && out.count < kMaxAv1Elements) {
    const bool has_length = count == 0 || out.count + 1 < count;
    bool is_sound = true;
    const size_t size = has_length ? read_leb128(reader, is_sound) : reader.left();
    Av1Element& element = out.elements[out.count];
    element.content = reader.take(size);
    if (!reader.ok() || !is_sound || element.content.empty()) return std::nullopt;
    element.is_continuation = out.count == 0 && out.continues;
    if (!element.is_continuation && !read_obu_header(element)) return std::nullopt;
    ++out.count;
  }
  if (count != 0 && out.count != count) return std::nullopt;
  return out;
}

Av1OperatingPoint read_av1_operating_points(BitReader& reader) {
  Av1OperatingPoint out;
  bool has_decoder_model = false;
  unsigned delay_bits = 0;
  if (reader.flag()) {  // timing_info_present_flag
    reader.skip(64);
    if (reader.flag()) reader.exp_golomb();
    has_decoder_model = reader.flag();
    if (has_decoder_model) {
      delay_bits = reader.bits(5) + 1;
      reader.skip(32 + 5 + 5);
    }
  }
  const bool has_display_delay = reader.flag();
  const uint32_t points = reader.bits(5) + 1;
  for (uint32_t i = 0; i < points && reader.ok(); ++i) {
    reader.skip(12);
    const uint32_t level = reader.bits(5);
    const uint32_t tier = level > 7 ? reader.bits(1) : 0;
    if (i == 0) out = {level, tier};
    if (has_decoder_model && reader.flag()) reader.skip(size_t{delay_bits} * 2 + 1);
    if (has_display_delay && reader.flag()) reader.skip(4);
  }
  return out;
}

std::optional<Av1SequenceHeader> parse_av1_sequence_header(ByteView content) {
  // AV1 bitstream specification 5.5.1.
  BitReader reader(content);
  Av1SequenceHeader out;
  out.profile = static_cast<uint8_t>(reader.bits(3));
  if (out.profile > 2) return std::nullopt;
  reader.skip(1);
  if (reader.flag()) {  // reduced_still_picture_header
    out.level = static_cast<uint8_t>(reader.bits(5));
  } else {
    out.level = static_cast<uint8_t>(read_av1_operating_points(reader).level);
  }
  const unsigned width_bits = reader.bits(4) + 1;
  const unsigned height_bits = reader.bits(4) + 1;
  out.width = reader.bits(width_bits) + 1;
  out.height = reader.bits(height_bits) + 1;
  if (!reader.ok()) return std::nullopt;
  return out;
}

}  // namespace atm::payload
