#include "wire/payload/h264.h"

#include <array>

#include "wire/payload/bit_reader.h"

namespace atm::payload {
namespace {

constexpr uint8_t kStapA = 24;
constexpr uint8_t kFuA = 28;
constexpr uint8_t kFirstAggregation = 24;
// Bytes of an SPS that are read: with scaling lists it stays far below.
constexpr size_t kMaxSpsBytes = 512;

NalType type_of(uint8_t header) {
  return static_cast<NalType>(header & 0x1F);
}

void note(H264Packet& out, ByteView unit) {
  ++out.units;
  const NalType type = type_of(unit[0]);
  out.has_sps |= type == NalType::kSps;
  out.has_pps |= type == NalType::kPps;
  out.has_idr |= type == NalType::kIdrSlice;
  if (type == NalType::kSps && out.sps.empty()) out.sps = unit;
}

// ITU-T H.264 7.3.2.1.1.1.
void skip_scaling_list(BitReader& reader, unsigned size) {
  int32_t last = 8, next = 8;
  for (unsigned i = 0; i < size && reader.ok(); ++i) {
    if (next != 0) {
      const uint32_t code = reader.exp_golomb();
      const int32_t magnitude = static_cast<int32_t>((code >> 1) & 0xFFFF);
      next = (last + ((code & 1) != 0 ? magnitude + 1 : -magnitude) + 65'536) & 0xFF;
    }
    if (next != 0) last = next;
  }
}

bool has_chroma_info(uint8_t profile) {
  for (const uint8_t p : {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}) {
    if (profile == p) return true;
  }
  return false;
}

// 7.3.2.1.1 from the id on to the cropping; false when it is broken.
bool read_size(BitReader& reader, H264Sps& out) {
  reader.exp_golomb();  // seq_parameter_set_id
  uint32_t chroma_format = 1;
  bool has_separate_planes = false;
  if (has_chroma_info(out.profile_idc)) {
    chroma_format = reader.exp_golomb();
    if (chroma_format > 3) return false;
    if (chroma_format == 3) has_separate_planes = reader.flag();
    reader.exp_golomb();  // bit_depth_luma_minus8
    reader.exp_golomb();
    reader.skip(1);
    if (reader.flag()) {
      for (unsigned i = 0; i < (chroma_format == 3 ? 12u : 8u); ++i) {
        if (reader.flag()) skip_scaling_list(reader, i < 6 ? 16 : 64);
      }
    }
  }
  reader.exp_golomb();  // log2_max_frame_num_minus4
  const uint32_t order_count = reader.exp_golomb();
  if (order_count == 0) {
    reader.exp_golomb();
  } else if (order_count == 1) {
    reader.skip(1);
    reader.exp_golomb();
    reader.exp_golomb();
    const uint32_t cycle = reader.exp_golomb();
    if (cycle > 255) return false;
    for (uint32_t i = 0; i < cycle && reader.ok(); ++i) reader.exp_golomb();
  }
  reader.exp_golomb();  // max_num_ref_frames
  reader.skip(1);
  const uint64_t width = uint64_t{reader.exp_golomb()} + 1;
  const uint64_t map_height = uint64_t{reader.exp_golomb()} + 1;
  const bool is_frame = reader.flag();
  if (!is_frame) reader.skip(1);
  reader.skip(1);
  uint64_t crop_x = 0, crop_y = 0;
  if (reader.flag()) {
    crop_x = uint64_t{reader.exp_golomb()} + reader.exp_golomb();
    crop_y = uint64_t{reader.exp_golomb()} + reader.exp_golomb();
  }
  if (!reader.ok()) return false;
  // Table 6-1: units of cropping.
  const bool is_planar = chroma_format == 0 || has_separate_planes;
  const uint64_t unit_x = is_planar || chroma_format == 3 ? 1 : 2;
  const uint64_t unit_y = (is_planar || chroma_format != 1 ? 1u : 2u) * (is_frame ? 1u : 2u);
  const uint64_t full_width = width * 16, full_height = map_height * 16 * (is_frame ? 1 : 2);
  if (crop_x * unit_x >= full_width || crop_y * unit_y >= full_height) return false;
  const uint64_t w = full_width - crop_x * unit_x, h = full_height - crop_y * unit_y;
  if (w <= kMaxH264Side && h <= kMaxH264Side) {
    out.width = static_cast<uint32_t>(w);
    out.height = static_cast<uint32_t>(h);
  }
  return true;
}

}  // namespace

std::optional<H264Packet> parse_h264(ByteView payload) {
  if (payload.empty()) return std::nullopt;
  H264Packet out;
  const uint8_t type = payload[0] & 0x1F;
  if (type == kStapA) {
    // RFC 6184 5.7.1: an access unit delimiter, SEI or PPS may stand before the unit that decides.
    Reader reader(payload.subspan(1));
    while (reader.left() > 0) {
      const ByteView unit = reader.take(reader.u16());
      if (!reader.ok() || unit.empty() || out.units == kMaxNalUnits) return std::nullopt;
      note(out, unit);
    }
    return out.units == 0 ? std::nullopt : std::optional(out);
  }
  if (type == kFuA) {
    // RFC 6184 5.8: the S bit, and the type of the fragmented unit in the FU header.
    if (payload.size() < 2) return std::nullopt;
    out.is_fragment = true;
    out.starts_fragment = (payload[1] & 0x80) != 0;
    out.ends_fragment = (payload[1] & 0x40) != 0;
    if (out.starts_fragment && out.ends_fragment) return std::nullopt;
    if (!out.starts_fragment) return out;
    out.units = 1;
    out.has_sps = type_of(payload[1]) == NalType::kSps;
    out.has_pps = type_of(payload[1]) == NalType::kPps;
    out.has_idr = type_of(payload[1]) == NalType::kIdrSlice;
    return out;
  }
  if (type == 0 || type >= kFirstAggregation) return std::nullopt;
  note(out, payload);
  return out;
}

std::optional<H264Sps> parse_h264_sps(ByteView nal_unit) {
  if (nal_unit.size() < 4 || type_of(nal_unit[0]) != NalType::kSps) return std::nullopt;
  // ITU-T H.264 7.3.1: without the bytes that keep start codes out.
  std::array<uint8_t, kMaxSpsBytes> bytes;
  size_t size = 0;
  unsigned zeros = 0;
  for (const uint8_t byte : nal_unit.subspan(1)) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    if (size == bytes.size()) break;
    bytes[size++] = byte;
  }
  if (size < 3) return std::nullopt;
  H264Sps out;
  out.profile_idc = bytes[0];
  out.constraint_flags = bytes[1];
  out.level_idc = bytes[2];
  BitReader reader(ByteView(bytes).subspan(3, size - 3));
  if (!read_size(reader, out)) return std::nullopt;
  return out;
}

}  // namespace atm::payload
