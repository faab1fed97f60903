#include "wire/payload/vp8.h"

namespace atm::payload {

std::optional<Vp8Descriptor> parse_vp8(ByteView payload) {
  Reader reader(payload);
  Vp8Descriptor out;
  const uint8_t first = reader.u8();
  out.is_non_reference = (first & 0x20) != 0;
  out.starts_partition = (first & 0x10) != 0;
  out.partition = first & 0x07;
  if (first & 0x80) {  // X
    const uint8_t present = reader.u8();
    if (present & 0x80) {  // I
      out.picture_id_at = static_cast<uint8_t>(reader.at());
      uint16_t id = reader.u8();
      out.picture_id_is_long = (id & 0x80) != 0;
      if (out.picture_id_is_long) id = static_cast<uint16_t>((id & 0x7F) << 8 | reader.u8());
      out.picture_id = id;
    }
    if (present & 0x40) {  // L
      out.tl0_picture_index_at = static_cast<uint8_t>(reader.at());
      out.tl0_picture_index = reader.u8();
    }
    if (present & 0x30) {  // T or K: they share one byte
      const uint8_t both = reader.u8();
      if (present & 0x20) {
        out.temporal_layer = static_cast<uint8_t>(both >> 6);
        out.is_layer_sync = (both & 0x20) != 0;
      }
      if (present & 0x10) out.key_index = both & 0x1F;
    }
  }
  if (!reader.ok()) return std::nullopt;
  out.size = reader.at();
  // RFC 7741 4.3: the P bit of the payload header, only in the first packet of the first partition; 0 is a key frame.
  if (out.starts_partition && out.partition == 0 && reader.left() > 0) out.is_key_frame = (reader.u8() & 0x01) == 0;
  return out;
}

}  // namespace atm::payload
