#include "packetizer.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace atm::layers {

class Bits {
 public:
  Bits& put(unsigned count, uint32_t value) {
    for (unsigned i = count; i-- > 0; ++at_) {
      if (at_ % 8 == 0) bytes.push_back(0);
      if ((value >> i & 1) != 0) bytes.back() |= static_cast<uint8_t>(0x80 >> at_ % 8);
    }
    return *this;
  }
  Bytes bytes;

 private:
  size_t at_ = 0;
};

namespace {

// The pattern of temporal layers repeats after so many pictures (clips/pattern.cpp).
constexpr size_t kPattern = 8;

std::vector<ByteView> cut(ByteView bytes, size_t size) {
  std::vector<ByteView> out;
  for (size_t at = 0; at < bytes.size(); at += size)
    out.push_back(bytes.subspan(at, std::min(size, bytes.size() - at)));
  return out;
}

Bytes joined(Bytes head, ByteView tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

void put_leb128(Bytes& out, size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

}  // namespace

Packetizer::Packetizer(const Clip& clip, Vp9Mode vp9_mode, Rng& rng)
    : clip_(clip),
      vp9_mode_(vp9_mode),
      picture_id_(static_cast<uint16_t>(rng.below(0x8000))),
      tl0_(static_cast<uint8_t>(rng.below(256))),
      frame_number_(static_cast<uint16_t>(rng.below(0x10000))) {}

std::vector<Part> Packetizer::put(size_t picture) {
  std::vector<Part> out;
  picture_id_ = (picture_id_ + 1) & 0x7FFF;
  if (clip_.picture(picture)[0].temporal == 0) ++tl0_;
  for (const ClipFrame& frame : clip_.picture(picture)) {
    if (clip_.codec == Codec::kVp8) put_vp8(frame, out);
    if (clip_.codec == Codec::kVp9) put_vp9(frame, out);
    if (clip_.codec == Codec::kH264) put_h264(frame, out);
    if (clip_.codec == Codec::kAv1) put_av1(frame, out);
  }
  out.back().marker = true;
  return out;
}

// RFC 7741 4.2: X, then I, L, T, and with N the frames that nothing refers to.
void Packetizer::put_vp8(const ClipFrame& frame, std::vector<Part>& out) const {
  const auto pieces = cut(frame.bytes, kPartSize);
  for (size_t i = 0; i < pieces.size(); ++i) {
    Bits bits;
    bits.put(8, 0x80u | (i == 0 ? 0x10u : 0u)).put(8, 0xE0).put(1, 1).put(15, picture_id_).put(8, tl0_);
    bits.put(2, frame.temporal).put(1, frame.is_switch).put(5, 0);
    out.push_back({joined(bits.bytes, pieces[i]), {}, false});
  }
}

void Packetizer::put_vp9(const ClipFrame& frame, std::vector<Part>& out) const {
  const auto pieces = cut(frame.bytes, kPartSize);
  for (size_t i = 0; i < pieces.size(); ++i) {
    out.push_back({joined(vp9_descriptor(frame, i == 0, i + 1 == pieces.size()), pieces[i]), {}, false});
  }
}

// RFC 9628 4.2
Bytes Packetizer::vp9_descriptor(const ClipFrame& frame, bool is_first, bool is_last) const {
  const bool is_flexible = vp9_mode_ == Vp9Mode::kFlexible;
  const bool has_structure = frame.is_key && frame.spatial == 0 && is_first;
  const bool has_layers = clip_.spatial_layers * clip_.temporal_layers > 1;
  Bits bits;
  bits.put(1, 1).put(1, !frame.is_key).put(1, has_layers).put(1, is_flexible).put(1, is_first).put(1, is_last);
  bits.put(1, has_structure).put(1, !frame.is_for_above);
  bits.put(1, 1).put(15, picture_id_);
  if (has_layers) {
    bits.put(3, frame.temporal).put(1, frame.is_switch).put(3, frame.spatial).put(1, frame.uses_below);
    if (!is_flexible) bits.put(8, tl0_);
  }
  if (is_flexible && !frame.is_key) {
    for (size_t i = 0; i < frame.back.size(); ++i) bits.put(7, frame.back[i]).put(1, i + 1 < frame.back.size());
  }
  if (has_structure) put_vp9_structure(bits);
  return bits.bytes;
}

// RFC 9628 4.2.1: the sizes of the layers; without flexible mode the group of pictures.
void Packetizer::put_vp9_structure(Bits& bits) const {
  const bool has_group = vp9_mode_ == Vp9Mode::kGroup;
  bits.put(3, clip_.spatial_layers - 1u).put(1, 1).put(1, has_group).put(3, 0);
  for (unsigned s = 0; s < clip_.spatial_layers; ++s) {
    const unsigned by = clip_.spatial_layers - 1u - s;
    bits.put(16, static_cast<uint32_t>(clip_.width >> by)).put(16, static_cast<uint32_t>(clip_.height >> by));
  }
  if (!has_group) return;
  bits.put(8, kPattern);
  for (size_t i = 0; i < kPattern; ++i) {
    const ClipFrame& frame = clip_.picture(kPattern + i)[0];
    bits.put(3, frame.temporal).put(1, frame.is_switch).put(2, static_cast<uint32_t>(frame.back.size())).put(2, 0);
    for (const uint8_t back : frame.back) bits.put(8, back);
  }
}

// RFC 6184 5.7.1, 5.8
void Packetizer::put_h264(const ClipFrame& frame, std::vector<Part>& out) {
  Bytes aggregate;
  for (const ByteView unit : split_nal_units(frame.bytes)) {
    const uint8_t type = unit[0] & 0x1F;
    if (type == 7 || type == 8) {  // STAP-A
      if (aggregate.empty()) aggregate.push_back(static_cast<uint8_t>((unit[0] & 0x60) | 24));
      aggregate.push_back(static_cast<uint8_t>(unit.size() >> 8));
      aggregate.push_back(static_cast<uint8_t>(unit.size()));
      aggregate.insert(aggregate.end(), unit.begin(), unit.end());
      continue;
    }
    if (!aggregate.empty()) out.push_back({std::exchange(aggregate, {}), {}, false});
    if (unit.size() <= kPartSize) {
      out.push_back({{unit.begin(), unit.end()}, {}, false});
      continue;
    }
    const auto pieces = cut(unit.subspan(1), kPartSize);
    for (size_t i = 0; i < pieces.size(); ++i) {
      const unsigned start = i == 0 ? 0x80 : 0, end = i + 1 == pieces.size() ? 0x40 : 0;
      const Bytes head{static_cast<uint8_t>((unit[0] & 0xE0) | 28), static_cast<uint8_t>(start | end | type)};
      out.push_back({joined(head, pieces[i]), {}, false});
    }
  }
}

// AV1 RTP specification 4.4: an aggregation header with Z, Y and N, then OBU elements, each with its size (W = 0).
void Packetizer::put_av1(const ClipFrame& frame, std::vector<Part>& out) {
  ++frame_number_;
  const size_t begin = out.size();
  Bytes payload{0};
  const auto close = [&](bool continues) {
    payload[0] |= static_cast<uint8_t>(continues ? 0x40 : 0);
    out.push_back({payload, {}, false});
    payload = {static_cast<uint8_t>(continues ? 0x80 : 0)};
  };
  for (const Bytes& obu : split_obus(frame.bytes)) {
    for (size_t at = 0; at < obu.size();) {
      if (payload.size() + 2 >= kPartSize) close(at > 0);
      const size_t size = std::min(obu.size() - at, kPartSize - payload.size());
      put_leb128(payload, size);
      payload.insert(payload.end(), obu.begin() + static_cast<ptrdiff_t>(at),
                     obu.begin() + static_cast<ptrdiff_t>(at + size));
      at += size;
    }
  }
  close(false);
  if (frame.is_key && frame.spatial == 0) out[begin].payload[0] |= 0x08;
  for (size_t i = begin; i < out.size(); ++i) {
    out[i].descriptor = dependency_descriptor(frame, frame_number_, i == begin, i + 1 == out.size());
  }
}

// AV1 RTP specification A.8: a template for each layer, without references; every frame says its own.
Bytes Packetizer::dependency_descriptor(const ClipFrame& frame, uint16_t number, bool is_first, bool is_last) const {
  const bool has_structure = frame.is_key && frame.spatial == 0 && is_first;
  const unsigned spatial = clip_.spatial_layers, temporal = clip_.temporal_layers, layers = spatial * temporal;
  Bits bits;
  bits.put(1, is_first).put(1, is_last).put(6, frame.spatial * temporal + frame.temporal).put(16, number);
  bits.put(1, has_structure).put(1, 0).put(1, 1).put(1, 1).put(1, 0);
  if (has_structure) {
    bits.put(6, 0).put(5, layers - 1);
    // 1: the next temporal layer, 2: the next spatial layer, 3: no more.
    for (unsigned i = 0; i < layers; ++i) bits.put(2, i + 1 == layers ? 3 : (i + 1) % temporal == 0 ? 2 : 1);
    for (unsigned i = 0; i < layers; ++i) {
      ClipFrame any;
      any.spatial = static_cast<uint8_t>(i / temporal), any.temporal = static_cast<uint8_t>(i % temporal);
      any.is_for_above = any.spatial + 1u < spatial;
      put_indications(bits, any);
    }
    for (unsigned i = 0; i < layers; ++i) bits.put(1, 0);                // no references
    bits.put(static_cast<unsigned>(std::bit_width(layers + 1)) - 1, 0);  // no chains: ns(decode targets + 1)
    bits.put(1, 0);                                                      // no resolutions
  }
  put_indications(bits, frame);
  std::vector<uint32_t> differences;
  for (const uint8_t back : frame.back) differences.push_back(back * spatial);
  if (frame.uses_below) differences.push_back(1);
  for (const uint32_t back : differences)
    back <= 16 ? bits.put(2, 1).put(4, back - 1) : bits.put(2, 2).put(8, back - 1);
  bits.put(2, 0);
  return bits.bytes;
}

// A.8.4: 0 not present, 2 switch, 3 required.
void Packetizer::put_indications(Bits& bits, const ClipFrame& frame) const {
  for (unsigned s = 0; s < clip_.spatial_layers; ++s) {
    for (unsigned t = 0; t < clip_.temporal_layers; ++t) {
      const bool is_needed = t >= frame.temporal && (s == frame.spatial || (s > frame.spatial && frame.is_for_above));
      const bool is_switch = frame.is_key || (frame.is_switch && s == frame.spatial);
      bits.put(2, !is_needed ? 0 : is_switch ? 2 : 3);
    }
  }
}

}  // namespace atm::layers
