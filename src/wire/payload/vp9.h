// The VP9 payload descriptor (RFC 9628 4.2) in front of each packet's VP9 data. For is_key_frame_start(), and for
// media/forward, which picks spatial and temporal layers by it. Gives nothing for a descriptor that is cut off or
// breaks the limits of the RFC. The VP9 data behind it is not looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::payload {

inline constexpr size_t kMaxVp9SpatialLayers = 8;  // RFC 9628 4.2.1: N_S has three bits
inline constexpr size_t kMaxVp9References = 3;     // RFC 9628 4.2: up to three P_DIFF

struct Vp9Descriptor {
  size_t size = 0;                  // bytes of the descriptor; the VP9 data follows
  bool is_inter_predicted = false;  // P
  bool is_flexible = false;         // F
  bool starts_layer_frame = false;  // B
  bool ends_layer_frame = false;    // E
  bool is_not_reference = false;    // Z: no reference for upper spatial layers
  std::optional<uint16_t> picture_id;
  bool picture_id_is_long = false;           // M: 15 bits in two bytes, else 7 bits
  uint8_t picture_id_at = 0;                 // where in the payload, for rewriting; 0: absent
  bool has_layers = false;                   // L: the next four are told
  uint8_t temporal_layer = 0;                // TID
  bool is_switching_up_point = false;        // U
  uint8_t spatial_layer = 0;                 // SID
  bool is_inter_layer_predicted = false;     // D
  std::optional<uint8_t> tl0_picture_index;  // non-flexible mode with layers
  uint8_t tl0_picture_index_at = 0;
  uint8_t reference_count = 0;
  std::array<uint8_t, kMaxVp9References> references{};  // P_DIFF: how many pictures back

  struct Resolution {
    uint16_t width = 0;
    uint16_t height = 0;
  };
  bool has_structure = false;  // V: the scalability structure is in this packet
  uint8_t spatial_layers = 0;  // 1 to 8 with has_structure
  bool has_resolutions = false;
  std::array<Resolution, kMaxVp9SpatialLayers> resolutions{};
};

std::optional<Vp9Descriptor> parse_vp9(ByteView payload);

}  // namespace atm::payload
