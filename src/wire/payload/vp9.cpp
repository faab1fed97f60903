#include "wire/payload/vp9.h"

namespace atm::payload {
namespace {

void read_picture_id(Reader& reader, Vp9Descriptor& out) {
  out.picture_id_at = static_cast<uint8_t>(reader.at());
  uint16_t id = reader.u8();
  out.picture_id_is_long = (id & 0x80) != 0;
  if (out.picture_id_is_long) id = static_cast<uint16_t>((id & 0x7F) << 8 | reader.u8());
  out.picture_id = id;
}

void read_layers(Reader& reader, Vp9Descriptor& out) {
  const uint8_t layers = reader.u8();
  out.has_layers = true;
  out.temporal_layer = static_cast<uint8_t>(layers >> 5);
  out.is_switching_up_point = (layers & 0x10) != 0;
  out.spatial_layer = (layers >> 1) & 0x07;
  out.is_inter_layer_predicted = (layers & 0x01) != 0;
  if (!out.is_flexible) {
    out.tl0_picture_index_at = static_cast<uint8_t>(reader.at());
    out.tl0_picture_index = reader.u8();
  }
}

// False when there are more than RFC 9628 4.2 allows.
bool read_references(Reader& reader, Vp9Descriptor& out) {
  bool more = true;
  while (more && reader.ok()) {
    if (out.reference_count == kMaxVp9References) return false;
    const uint8_t reference = reader.u8();
    out.references[out.reference_count++] = static_cast<uint8_t>(reference >> 1);
    more = (reference & 0x01) != 0;
  }
  return true;
}

// RFC 9628 4.2.1
void read_structure(Reader& reader, Vp9Descriptor& out) {
  const uint8_t head = reader.u8();
  out.has_structure = true;
  out.spatial_layers = static_cast<uint8_t>((head >> 5) + 1);
  out.has_resolutions = (head & 0x10) != 0;
  if (out.has_resolutions) {
    for (size_t i = 0; i < out.spatial_layers; ++i) {
      out.resolutions[i].width = reader.u16();
      out.resolutions[i].height = reader.u16();
    }
  }
  if (head & 0x08) {  // G: the picture group, of which only the length matters here
    const uint8_t pictures = reader.u8();
    for (unsigned i = 0; i < pictures && reader.ok(); ++i) {
      const uint8_t picture = reader.u8();
      reader.skip((picture >> 2) & 0x03);
    }
  }
}

}  // namespace

std::optional<Vp9Descriptor> parse_vp9(ByteView payload) {
  Reader reader(payload);
  Vp9Descriptor out;
  const uint8_t first = reader.u8();
  out.is_inter_predicted = (first & 0x40) != 0;
  out.is_flexible = (first & 0x10) != 0;
  out.starts_layer_frame = (first & 0x08) != 0;
  out.ends_layer_frame = (first & 0x04) != 0;
  out.is_not_reference = (first & 0x01) != 0;
  if (first & 0x80) read_picture_id(reader, out);
  if (first & 0x20) read_layers(reader, out);
  if (out.is_flexible && out.is_inter_predicted && !read_references(reader, out)) return std::nullopt;
  if (first & 0x02) read_structure(reader, out);
  if (!reader.ok()) return std::nullopt;
  out.size = reader.at();
  return out;
}

}  // namespace atm::payload
