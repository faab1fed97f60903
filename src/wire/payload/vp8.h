// The VP8 payload descriptor (RFC 7741 4.2) in front of each packet's VP8 data. For is_key_frame_start(), and for
// media/forward, which drops temporal layers and keeps the picture id continuous over a switch of source.
// Gives nothing for a descriptor that is cut off. Reads the VP8 data only as far as the key-frame flag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::payload {

struct Vp8Descriptor {
  size_t size = 0;                // bytes of the descriptor; the VP8 data follows
  bool is_non_reference = false;  // N: may be dropped without harm
  bool starts_partition = false;  // S
  uint8_t partition = 0;          // PID
  std::optional<uint16_t> picture_id;
  bool picture_id_is_long = false;  // M: 15 bits in two bytes, else 7 bits
  std::optional<uint8_t> tl0_picture_index;
  std::optional<uint8_t> temporal_layer;
  bool is_layer_sync = false;  // Y; only with temporal_layer
  std::optional<uint8_t> key_index;
  uint8_t picture_id_at = 0;  // where in the payload, for rewriting; 0: absent
  uint8_t tl0_picture_index_at = 0;
  bool is_key_frame = false;  // told by this packet, so only by the first of a key frame
};

std::optional<Vp8Descriptor> parse_vp8(ByteView payload);

}  // namespace atm::payload
