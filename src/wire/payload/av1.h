// AV1 in RTP (AV1 RTP specification 4): the aggregation header, the OBU elements of a packet, and what a sequence
// header says. For is_key_frame_start() and statistics. Gives nothing for what is cut off or over a limit; never reads
// outside the payload. Frames are not looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::payload {

inline constexpr size_t kMaxAv1Elements = 16;  // of a packet; further ones are not looked at

// AV1 bitstream specification 6.2.2
enum class ObuType : uint8_t { kSequenceHeader = 1, kTemporalDelimiter = 2, kFrameHeader = 3, kFrame = 6 };

struct Av1Element {
  bool is_continuation = false;  // it goes on from the packet before: no OBU header
  uint8_t type = 0;              // of its OBU; means nothing for a continuation
  bool has_layers = false;
  uint8_t temporal_layer = 0, spatial_layer = 0;
  ByteView content;  // behind the OBU header and size; of a continuation all of it
};

struct Av1Packet {
  bool continues = false;        // Z: the first element goes on from the packet before
  bool is_continued = false;     // Y: the last one goes on in the next packet
  bool starts_sequence = false;  // N: first packet of a coded video sequence
  size_t count = 0;
  std::array<Av1Element, kMaxAv1Elements> elements;
};
std::optional<Av1Packet> parse_av1(ByteView payload);

class BitReader;

struct Av1OperatingPoint {
  uint32_t level = 0, tier = 0;
};
// AV1 bitstream specification 5.5.1, of a sequence header that is not reduced: from its timing info to the last
// operating point. The first one; `reader` is bad where it is cut off.
Av1OperatingPoint read_av1_operating_points(BitReader& reader);

struct Av1SequenceHeader {
  uint8_t profile = 0;
  uint8_t level = 0;  // of the first operating point
  uint32_t width = 0, height = 0;
};
// `content` of an element of that type.
std::optional<Av1SequenceHeader> parse_av1_sequence_header(ByteView content);

}  // namespace atm::payload
