#include <algorithm>

#include "core/frames/packetizer.h"
#include "wire/payload/h264.h"

namespace atm::frames {
namespace {

using payload::NalType;

constexpr uint8_t kStapA = 24;
constexpr uint8_t kFuA = 28;
constexpr uint8_t kFirstAggregation = 24;  // types from here on are those of RFC 6184: no encoder's
constexpr size_t kFuHead = 2;

bool is_of(ByteView unit, NalType type) {
  return nal_type_of(unit) == static_cast<uint8_t>(type);
}

// What stands around slices and is small: delimiter, SEI, parameter sets, ends (ITU-T H.264 table 7-1).
bool is_slice(ByteView unit) {
  return nal_type_of(unit) >= static_cast<uint8_t>(NalType::kSlice) &&
         nal_type_of(unit) <= static_cast<uint8_t>(NalType::kIdrSlice);
}

}  // namespace

bool Packetizer::put_h264(const EncodedFrame& frame, PacketizedFrame& out) {
  units_.clear();
  for (ByteView rest = frame.bytes; !rest.empty();) {
    const ByteView unit = take_nal_unit(config_.h264_format, rest);
    if (unit.empty()) {
      if (rest.empty()) break;
      return false;
    }
    if (nal_type_of(unit) == 0 || nal_type_of(unit) >= kFirstAggregation || (unit[0] & 0x80) != 0) return false;
    units_.push_back(unit);
  }
  const bool has_sets = note_parameter_sets();
  // Some encoders write the parameter sets once; a viewer that comes later needs them with the key frame.
  if (out.is_key_ && !has_sets && !parameter_sets_.empty()) {
    ByteView rest = parameter_sets_;
    const size_t at = !units_.empty() && is_of(units_[0], NalType::kDelimiter) ? 1 : 0;
    for (size_t i = at; !rest.empty(); ++i) {
      units_.insert(units_.begin() + static_cast<ptrdiff_t>(i), take_avc_unit(rest));
    }
  }
  for (size_t i = 0; i < units_.size();) {
    const size_t taken = put_aggregate(i, out);
    if (taken == 0) put_nal_unit(units_[i], out);
    i += std::max<size_t>(taken, 1);
  }
  return true;
}

// True when the access unit has an SPS and a PPS of its own, which are kept.
bool Packetizer::note_parameter_sets() {
  size_t size = 0;
  bool has_sps = false, has_pps = false;
  for (const ByteView unit : units_) {
    has_sps |= is_of(unit, NalType::kSps);
    has_pps |= is_of(unit, NalType::kPps);
    if (is_of(unit, NalType::kSps) || is_of(unit, NalType::kPps)) size += kAvcLengthSize + unit.size();
  }
  if (!has_sps || !has_pps) return false;
  parameter_sets_.clear();
  if (size > kMaxParameterSetBytes) return true;
  for (const ByteView unit : units_) {
    if (!is_of(unit, NalType::kSps) && !is_of(unit, NalType::kPps)) continue;
    uint8_t length[kAvcLengthSize];
    store_u32(length, static_cast<uint32_t>(unit.size()));
    parameter_sets_.insert(parameter_sets_.end(), std::begin(length), std::end(length));
    parameter_sets_.insert(parameter_sets_.end(), unit.begin(), unit.end());
  }
  return true;
}

// RFC 6184 5.7.1: the units from there on that are no slices, as many as fit, in a STAP-A. How many; 0 when it would
// be one.
size_t Packetizer::put_aggregate(size_t from, PacketizedFrame& out) const {
  size_t size = 1, to = from;
  while (to < units_.size() && !is_slice(units_[to]) && size + 2 + units_[to].size() <= config_.max_payload) {
    size += 2 + units_[to++].size();
  }
  if (to - from < 2) return 0;
  out.parts_.push_back({out.bytes_.size(), size, false});
  uint8_t importance = 0;
  for (size_t i = from; i < to; ++i) importance = std::max<uint8_t>(importance, units_[i][0] & 0x60);
  out.bytes_.push_back(importance | kStapA);
  for (size_t i = from; i < to; ++i) {
    out.bytes_.push_back(static_cast<uint8_t>(units_[i].size() >> 8));
    out.bytes_.push_back(static_cast<uint8_t>(units_[i].size()));
    out.bytes_.insert(out.bytes_.end(), units_[i].begin(), units_[i].end());
  }
  return to - from;
}

// RFC 6184 5.6, 5.8: alone, or in fragments.
void Packetizer::put_nal_unit(ByteView unit, PacketizedFrame& out) const {
  if (unit.size() <= config_.max_payload) {
    put(out, {}, unit);
    return;
  }
  const ByteView content = unit.subspan(1);  // the header goes into the fragments' own
  const size_t room = config_.max_payload - kFuHead;
  const size_t count = std::max<size_t>(2, (content.size() + room - 1) / room);  // S and E may not be in one
  for (size_t i = 0, at = 0; i < count; ++i) {
    const size_t size = (content.size() - at + count - i - 1) / (count - i);
    const unsigned ends = (i == 0 ? 0x80u : 0u) | (i + 1 == count ? 0x40u : 0u);
    const uint8_t head[kFuHead] = {static_cast<uint8_t>((unit[0] & 0xE0) | kFuA),
                                   static_cast<uint8_t>(ends | nal_type_of(unit))};
    put(out, head, content.subspan(at, size));
    at += size;
  }
}

}  // namespace atm::frames
