#include "core/frames/av1_configuration.h"

#include "core/frames/bitstream.h"
#include "wire/payload/av1.h"
#include "wire/payload/bit_reader.h"

namespace atm::frames {
namespace {

using payload::BitReader;

struct Fields {
  uint32_t profile = 0, level = 0, tier = 0;
  bool is_deep = false, has_twelve_bits = false, is_monochrome = false;
  uint32_t subsampling_x = 1, subsampling_y = 1, sample_position = 0;
};

// AV1 bitstream specification 5.5.1, from the frame's size up to the colors.
void skip_tools(BitReader& reader, bool is_reduced) {
  const unsigned width_bits = reader.bits(4) + 1, height_bits = reader.bits(4) + 1;
  reader.skip(width_bits + height_bits);
  if (!is_reduced && reader.flag()) reader.skip(7);  // frame ids
  reader.skip(3);                                    // superblocks of 128, filter intra, intra edge filter
  if (!is_reduced) {
    reader.skip(4);  // interintra, masked compound, warped motion, dual filter
    const bool has_order_hint = reader.flag();
    if (has_order_hint) reader.skip(2);
    const bool forces_screen_content = reader.flag() || reader.flag();
    // 5.5.1: seq_choose_screen_content_tools is 1: selected for each frame; else one bit says which.
    if (forces_screen_content && !reader.flag()) reader.skip(1);
    if (has_order_hint) reader.skip(3);
  }
  reader.skip(3);  // superres, cdef, restoration
}

// 5.5.2
void read_colors(BitReader& reader, Fields& out) {
  out.is_deep = reader.flag();
  if (out.profile == 2 && out.is_deep) out.has_twelve_bits = reader.flag();
  if (out.profile != 1) out.is_monochrome = reader.flag();
  uint32_t primaries = 2, transfer = 2, matrix = 2;  // not specified
  if (reader.flag()) {
    primaries = reader.bits(8);
    transfer = reader.bits(8);
    matrix = reader.bits(8);
  }
  if (out.is_monochrome) return;
  if (primaries == 1 && transfer == 13 && matrix == 0) {  // sRGB
    out.subsampling_x = out.subsampling_y = 0;
    return;
  }
  reader.skip(1);  // color_range
  if (out.profile == 1) out.subsampling_x = out.subsampling_y = 0;
  if (out.profile == 2) {
    out.subsampling_x = out.has_twelve_bits ? reader.bits(1) : 1;
    out.subsampling_y = out.has_twelve_bits && out.subsampling_x == 1 ? reader.bits(1) : 0;
  }
  if (out.subsampling_x == 1 && out.subsampling_y == 1) out.sample_position = reader.bits(2);
}

}  // namespace

Bytes make_av1_configuration(ByteView temporal_unit) {
  while (!temporal_unit.empty()) {
    const auto obu = take_obu(temporal_unit);
    if (!obu) return {};
    if (obu->type != static_cast<uint8_t>(payload::ObuType::kSequenceHeader)) continue;
    BitReader reader(obu->content);
    Fields fields;
    fields.profile = reader.bits(3);
    reader.skip(1);
    const bool is_reduced = reader.flag();
    if (is_reduced) {
      fields.level = reader.bits(5);
    } else {
      const payload::Av1OperatingPoint first = payload::read_av1_operating_points(reader);
      fields.level = first.level;
      fields.tier = first.tier;
    }
    skip_tools(reader, is_reduced);
    read_colors(reader, fields);
    if (!reader.ok() || fields.profile > 2) return {};
    Bytes out{0x81};  // marker and version
    out.push_back(static_cast<uint8_t>(fields.profile << 5 | fields.level));
    out.push_back(static_cast<uint8_t>(fields.tier << 7 | unsigned{fields.is_deep} << 6 |
                                       unsigned{fields.has_twelve_bits} << 5 | unsigned{fields.is_monochrome} << 4 |
                                       fields.subsampling_x << 3 | fields.subsampling_y << 2 | fields.sample_position));
    out.push_back(0);  // no initial_presentation_delay
    out.push_back(obu->header[0] | kObuHasSize);
    out.insert(out.end(), obu->header.begin() + 1, obu->header.end());
    put_leb128(out, obu->content.size());
    out.insert(out.end(), obu->content.begin(), obu->content.end());
    return out;
  }
  return {};
}

}  // namespace atm::frames
