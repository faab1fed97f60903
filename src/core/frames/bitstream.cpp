#include "core/frames/bitstream.h"

#include "wire/payload/av1.h"
#include "wire/payload/bit_reader.h"
#include "wire/payload/h264.h"

namespace atm::frames {
namespace {

using payload::BitReader;
using payload::ObuType;
using payload::PictureSize;

constexpr uint32_t kLargestLeb128 = 0xFFFFFFFF;

// Where the next 00 00 01 begins; bytes.size() when there is none.
size_t find_start_code(ByteView bytes, size_t from) {
  size_t at = from;
  while (at + 3 <= bytes.size()) {
    if (bytes[at + 2] > 1) {
      at += 3;
    } else if (bytes[at] == 0 && bytes[at + 1] == 0 && bytes[at + 2] == 1) {
      return at;
    } else {
      ++at;
    }
  }
  return bytes.size();
}

bool is_vp8_key(ByteView frame) {
  // RFC 6386 9.1: three bytes of tag; a key frame goes on with the start code and the size.
  return frame.size() >= 10 && (frame[0] & 0x01) == 0 && frame[3] == 0x9D && frame[4] == 0x01 && frame[5] == 0x2A;
}

// VP9 bitstream specification 6.2 (uncompressed_header). Nothing when it is no key frame.
std::optional<PictureSize> read_vp9_key(ByteView frame) {
  BitReader reader(frame);
  if (reader.bits(2) != 2) return std::nullopt;  // frame_marker
  const uint32_t low = reader.bits(1);
  const uint32_t profile = reader.bits(1) << 1 | low;
  if (profile == 3) reader.skip(1);
  if (reader.flag()) return std::nullopt;  // show_existing_frame
  if (reader.flag()) return std::nullopt;  // frame_type: not a key frame
  reader.skip(2);                          // show_frame, error_resilient_mode
  if (reader.bits(24) != 0x498342) return std::nullopt;
  if (profile >= 2) reader.skip(1);  // ten_or_twelve_bit
  constexpr uint32_t kRgb = 7;
  if (reader.bits(3) != kRgb) {
    reader.skip(profile % 2 == 1 ? 4 : 1);  // color_range; subsampling and a reserved bit
  } else if (profile % 2 == 1) {
    reader.skip(1);
  }
  const uint32_t width = reader.bits(16) + 1, height = reader.bits(16) + 1;
  if (!reader.ok()) return std::nullopt;
  return PictureSize{width, height};
}

// The sequence header of a temporal unit whose first frame is a key frame.
ByteView find_av1_key(ByteView unit) {
  ByteView sequence;
  while (!unit.empty()) {
    const auto obu = take_obu(unit);
    if (!obu) return {};
    if (obu->type == static_cast<uint8_t>(ObuType::kSequenceHeader)) sequence = obu->content;
    if (obu->type != static_cast<uint8_t>(ObuType::kFrame) && obu->type != static_cast<uint8_t>(ObuType::kFrameHeader))
      continue;
    if (sequence.empty() || obu->content.empty()) return {};
    // 5.5.1: after seq_profile and still_picture, reduced_still_picture_header: then all is key frames.
    if ((sequence[0] & 0x08) != 0) return sequence;
    // 5.9.2: show_existing_frame, then two bits of frame_type; 0 is KEY_FRAME.
    return (obu->content[0] & 0xE0) == 0 ? sequence : ByteView{};
  }
  return {};
}

// The first NAL unit of that type.
ByteView find_unit(ByteView frame, H264Format format, payload::NalType type) {
  while (true) {
    const ByteView unit = take_nal_unit(format, frame);
    if (unit.empty() || nal_type_of(unit) == static_cast<uint8_t>(type)) return unit;
  }
}

}  // namespace

ByteView take_annex_b_unit(ByteView& rest) {
  while (!rest.empty()) {
    const size_t code = find_start_code(rest, 0);
    if (code == rest.size()) return {};
    for (size_t i = 0; i < code; ++i) {
      if (rest[i] != 0) return {};
    }
    const size_t begin = code + 3;
    const size_t next = find_start_code(rest, begin);
    // B.1.1: a NAL unit does not end in zero: these are trailing_zero_8bits, or the zero_byte of the next start code.
    size_t end = next;
    while (end > begin && rest[end - 1] == 0) --end;
    const ByteView unit = rest.subspan(begin, end - begin);
    rest = rest.subspan(next);
    if (!unit.empty()) return unit;
  }
  return {};
}

ByteView take_avc_unit(ByteView& rest) {
  Reader reader(rest);
  while (reader.left() > 0) {
    const ByteView unit = reader.take(reader.u32());
    if (!reader.ok()) return {};
    if (unit.empty()) continue;
    rest = reader.rest();
    return unit;
  }
  rest = {};
  return {};
}

std::optional<Obu> take_obu(ByteView& rest) {
  Reader reader(rest);
  Obu out;
  const uint8_t first = reader.u8();
  if (!reader.ok() || (first & 0x80) != 0) return std::nullopt;  // obu_forbidden_bit
  out.type = first >> 3 & 0x0F;
  const size_t header_size = (first & 0x04) != 0 ? 2 : 1;
  reader.skip(header_size - 1);
  const size_t size = (first & kObuHasSize) != 0 ? read_leb128(reader) : reader.left();
  out.content = reader.take(size);
  if (!reader.ok()) return std::nullopt;
  out.header = rest.first(header_size);
  rest = reader.rest();
  return out;
}

uint32_t read_leb128(Reader& reader) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const uint8_t byte = reader.u8();
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if ((byte & 0x80) != 0) continue;
    if (value <= kLargestLeb128) return static_cast<uint32_t>(value);
    break;
  }
  reader.skip(reader.left() + 1);
  return 0;
}

size_t leb128_size(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void put_leb128(Bytes& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

bool is_key_frame(Codec codec, ByteView frame, H264Format format) {
  switch (codec) {
    case Codec::kOpus:
      return true;
    case Codec::kVp8:
      return is_vp8_key(frame);
    case Codec::kVp9:
      return read_vp9_key(frame).has_value();
    case Codec::kH264:
      return !find_unit(frame, format, payload::NalType::kIdrSlice).empty();
    case Codec::kAv1:
      return !find_av1_key(frame).empty();
  }
  return false;
}

PictureSize read_frame_size(Codec codec, ByteView frame, H264Format format) {
  switch (codec) {
    case Codec::kVp8:
      if (!is_vp8_key(frame)) return {};
      return {frame[6] | (frame[7] & 0x3Fu) << 8, frame[8] | (frame[9] & 0x3Fu) << 8};
    case Codec::kVp9:
      return read_vp9_key(frame).value_or(PictureSize{});
    case Codec::kH264: {
      const auto sps = payload::parse_h264_sps(find_unit(frame, format, payload::NalType::kSps));
      return sps ? PictureSize{sps->width, sps->height} : PictureSize{};
    }
    case Codec::kAv1: {
      const auto header = payload::parse_av1_sequence_header(find_av1_key(frame));
      return header ? PictureSize{header->width, header->height} : PictureSize{};
    }
    case Codec::kOpus:
      break;
  }
  return {};
}

}  // namespace atm::frames
