// H264 in RTP (RFC 6184 5): the NAL units of a packet, alone, in STAP-A or a fragment of FU-A, and what a sequence
// parameter set says. For is_key_frame_start() and statistics. Gives nothing for what is cut off; never reads outside
// the payload. Slices are not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::payload {

// RFC 6184 5.2 and ITU-T H.264 table 7-1
enum class NalType : uint8_t { kSlice = 1, kIdrSlice = 5, kSei = 6, kSps = 7, kPps = 8, kDelimiter = 9 };

// NAL units in an aggregation; a packet of 1,500 bytes with more of them than this is no video.
inline constexpr size_t kMaxNalUnits = 64;

struct H264Packet {
  bool has_sps = false, has_pps = false;
  bool has_idr = false;          // an IDR slice, or the first fragment of one
  bool is_fragment = false;      // FU-A
  bool starts_fragment = false;  // its S bit
  bool ends_fragment = false;    // its E bit
  size_t units = 0;              // NAL units that begin here
  ByteView sps;                  // the first one, its NAL header included; empty: none that is whole
  bool starts_key_frame() const { return has_sps || has_idr; }
};
// Nothing for an interleaved or MTAP packet (packetization mode 2 is not negotiated) and for broken ones.
std::optional<H264Packet> parse_h264(ByteView payload);

struct H264Sps {
  uint8_t profile_idc = 0;
  uint8_t constraint_flags = 0;  // profile-iop of RFC 6184 8.1
  uint8_t level_idc = 0;
  uint32_t width = 0, height = 0;  // cropped; 0 beyond kMaxH264Side
};
inline constexpr uint32_t kMaxH264Side = 16'384;  // pixels; level 6.2 allows 16,880
std::optional<H264Sps> parse_h264_sps(ByteView nal_unit);

}  // namespace atm::payload
