#include <algorithm>

#include "core/frames/packetizer.h"
#include "wire/payload/av1.h"

namespace atm::frames {
namespace {

constexpr uint8_t kTileList = 8;                    // AV1 bitstream specification 6.2.2
constexpr uint8_t kZ = 0x80, kY = 0x40, kN = 0x08;  // AV1 RTP specification 4.4
constexpr size_t kMostCounted = 3;                  // W has two bits
constexpr size_t kLeastFragment = 2;                // bytes of an OBU that are worth to begin it

}  // namespace

// AV1 RTP specification 5: without temporal delimiters and tile lists, and without sizes.
bool Packetizer::collect_obus(ByteView unit) {
  units_.clear();
  obus_.clear();
  obus_.reserve(unit.size());  // no view into it moves: what is kept is never more than was given
  while (!unit.empty()) {
    const auto obu = take_obu(unit);
    if (!obu) return false;
    if (obu->type == static_cast<uint8_t>(payload::ObuType::kTemporalDelimiter) || obu->type == kTileList) continue;
    const size_t at = obus_.size();
    obus_.push_back(static_cast<uint8_t>(obu->header[0] & ~kObuHasSize));
    if (obu->header.size() > 1) obus_.push_back(obu->header[1]);
    obus_.insert(obus_.end(), obu->content.begin(), obu->content.end());
    units_.push_back(ByteView(obus_).subspan(at));
  }
  return !units_.empty();
}

// 4.2, 4.4: each packet is an aggregation header and elements, each a whole OBU or a part of one. With up to three the
// last has no length.
bool Packetizer::put_av1(const EncodedFrame& frame, PacketizedFrame& out) {
  if (!collect_obus(frame.bytes)) return false;
  size_t next = 0, at = 0;  // the OBU that is to be put, and how much of it was
  while (next < units_.size()) {
    const bool continues = at > 0;
    // Which elements: planned as if each had its length, so that dropping the last one's only makes it shorter.
    const size_t begin = next, begin_at = at;
    size_t size = 1, count = 0, last_size = 0;
    while (next < units_.size()) {
      const size_t room = config_.max_payload - size;
      const size_t left = units_[next].size() - at;
      size_t taken = std::min(left, room);
      while (taken > 0 && leb128_size(taken) + taken > room) --taken;
      if (taken < std::min(left, kLeastFragment)) break;
      size += leb128_size(taken) + taken;
      last_size = taken;
      ++count;
      at += taken;
      if (taken < left) break;
      ++next;
      at = 0;
    }
    const bool is_counted = count <= kMostCounted;
    const size_t part_at = out.bytes_.size();
    out.bytes_.push_back(static_cast<uint8_t>((continues ? kZ : 0) | (at > 0 ? kY : 0) | (is_counted ? count << 4 : 0) |
                                              (out.is_key_ && out.parts_.empty() ? kN : 0)));
    for (size_t i = 0; i < count; ++i) {
      const ByteView obu = units_[begin + i].subspan(i == 0 ? begin_at : 0);
      const ByteView element = i + 1 == count ? obu.first(last_size) : obu;
      if (!is_counted || i + 1 < count) put_leb128(out.bytes_, element.size());
      out.bytes_.insert(out.bytes_.end(), element.begin(), element.end());
    }
    out.parts_.push_back({part_at, out.bytes_.size() - part_at, false});
  }
  return true;
}

}  // namespace atm::frames
