// Synthetic encoders for the tests of this folder: frames with the references that a real one of that mode makes, and
// packets with the descriptors that tell of them. The truth about a frame (its references) is kept beside the packets,
// so that layer_test_support.h can judge what a viewer got without believing any descriptor.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <vector>

#include "base/rng.h"
#include "media/forward/layer_selector.h"

namespace atm::forward {

enum class Mode { kVp8, kH264, kVp9Flexible, kVp9Fixed, kVp9Key, kAv1L1, kAv1Full, kAv1Key };

struct TestFrame {
  int ssrc = 0, picture = 0, spatial = 0, temporal = 0;
  bool is_key = false;
  std::vector<int> references;  // ids of frames
  int packets = 0;
};

struct TestPacket {
  int frame = 0, index = 0;  // id of the frame, place in it
  uint8_t simulcast_layer = 0;
  bool marker = false;
  int64_t sequence = 0;
  uint32_t timestamp = 0;
  Bytes payload, descriptor;
  payload::FrameInfo info;  // made when it arrives
  Bytes carried;            // the descriptor, made then too
};

class TestBits {
 public:
  TestBits& put(unsigned count, uint32_t value) {
    for (unsigned i = count; i-- > 0; ++at_) {
      if (at_ % 8 == 0) bytes.push_back(0);
      if (value >> i & 1) bytes.back() |= static_cast<uint8_t>(0x80 >> at_ % 8);
    }
    return *this;
  }
  Bytes bytes;

 private:
  size_t at_ = 0;
};

// One SSRC.
class TestEncoder {
 public:
  TestEncoder(Mode mode, int ssrc, std::vector<TestFrame>& frames, Rng& rng) : mode_(mode), ssrc_(ssrc), all_(frames) {
    sequence_ = 65'536 + rng.below(60'000);
    clock_ = rng.u32();
    picture_id_ = static_cast<uint16_t>(rng.below(0x8000));
    tl0_ = static_cast<uint8_t>(rng.below(256));
    number_ = static_cast<uint16_t>(rng.below(0x10000));
  }
  bool is_av1() const { return mode_ >= Mode::kAv1L1; }
  bool is_vp9() const { return mode_ >= Mode::kVp9Flexible && mode_ <= Mode::kVp9Key; }
  bool has_temporal() const { return mode_ != Mode::kH264; }
  bool is_key_mode() const { return mode_ == Mode::kVp9Key || mode_ == Mode::kAv1Key; }
  int spatial_layers() const { return mode_ <= Mode::kH264 || mode_ == Mode::kAv1L1 ? 1 : 3; }

  // Appends the packets of the next picture.
  void encode(int picture, bool wants_key, Rng& rng, std::vector<TestPacket>& out) {
    const bool is_key = wants_key || position_ < 0;
    position_ = is_key ? 0 : (position_ + 1) % 8;
    if (is_key) last_ = {};
    const int temporal = has_temporal() ? std::array{0, 2, 1, 2, 0, 2, 1, 2}[static_cast<size_t>(position_)] : 0;
    ++picture_id_;
    if (temporal == 0) ++tl0_;
    std::vector<int> made;
    for (int s = 0; s < spatial_layers(); ++s) {
      TestFrame frame{ssrc_, picture, s, temporal, is_key && s == 0, {}, 1 + static_cast<int>(rng.below(3))};
      if (!is_key) frame.references = temporal_references(s);
      if (s > 0 && (is_key || !is_key_mode())) frame.references.push_back(made.back());
      const int id = static_cast<int>(all_.size());
      all_.push_back(frame);
      numbers_[id] = ++number_;
      pictures_[id] = picture_id_;
      for (int i = 0; i < frame.packets; ++i) out.push_back(make(id, i, is_key, picture));
      made.push_back(id);
    }
    for (int s = 0; s < spatial_layers(); ++s)
      last_[static_cast<size_t>(s)][static_cast<size_t>(temporal)] = made[static_cast<size_t>(s)];
  }

 private:
  // As libwebrtc's patterns of three layers: 1 and 2 of eight are synchronised, 5 to 7 go on from those before.
  std::vector<int> temporal_references(int s) const {
    const auto& last = last_[static_cast<size_t>(s)];
    if (!has_temporal()) return {last[0]};
    switch (position_) {
      case 3:
        return {last[1]};
      case 5:
        return {last[0], last[2]};
      case 6:
        return {last[0], last[1]};
      case 7:
        return {last[0], last[1], last[2]};
      default:
        return {last[0]};
    }
  }
  bool is_switch(int temporal) const { return (position_ == 0 && temporal == 0) || (position_ == 2 && temporal == 1); }

  TestPacket make(int id, int index, bool is_key, int picture) {
    const TestFrame& frame = all_[static_cast<size_t>(id)];
    const bool first = index == 0, last = index + 1 == frame.packets;
    TestPacket out;
    out.frame = id;
    out.index = index;
    out.simulcast_layer = static_cast<uint8_t>(ssrc_);
    out.marker = last && frame.spatial + 1 == spatial_layers();
    out.sequence = sequence_++;
    out.timestamp = clock_ + static_cast<uint32_t>(picture) * 3'000;
    if (is_av1()) {
      out.payload = {0x10, 0x30, 1, 2, 3};
      out.descriptor = descriptor(id, first, last, is_key);
    } else if (is_vp9()) {
      out.payload = vp9(id, first, last, is_key);
    } else if (mode_ == Mode::kVp8) {
      const bool sync = position_ == 1 || position_ == 2;
      out.payload = {static_cast<uint8_t>(0x80 | (first ? 0x10 : 0)),
                     0xE0,
                     static_cast<uint8_t>(0x80 | (picture_id_ >> 8 & 0x7F)),
                     static_cast<uint8_t>(picture_id_),
                     tl0_,
                     static_cast<uint8_t>(frame.temporal << 6 | (sync ? 0x20 : 0)),
                     static_cast<uint8_t>(first && is_key ? 0 : 1),
                     9};
    } else if (is_key && first) {
      out.payload = {0x78, 0, 2, 0x09, 0x10, 0, 3, 0x67, 0x42, 0xE0};  // STAP-A: delimiter, SPS
    } else {
      out.payload = {0x61, 1, 2};
    }
    return out;
  }

  Bytes vp9(int id, bool first, bool last, bool is_key) const {
    const TestFrame& frame = all_[static_cast<size_t>(id)];
    const bool flexible = mode_ == Mode::kVp9Flexible;
    const bool no_upper = frame.spatial == 2 || (is_key_mode() && !is_key);
    const bool has_structure = is_key && first && frame.spatial == 0;
    TestBits w;
    w.put(1, 1)
        .put(1, !is_key)
        .put(1, 1)
        .put(1, flexible)
        .put(1, first)
        .put(1, last)
        .put(1, has_structure)
        .put(1, no_upper);
    w.put(1, 1).put(15, picture_id_ & 0x7FFFu);
    w.put(3, static_cast<uint32_t>(frame.temporal))
        .put(1, is_switch(frame.temporal))
        .put(3, static_cast<uint32_t>(frame.spatial));
    w.put(1, frame.spatial > 0 && (is_key || !is_key_mode()));
    if (!flexible) w.put(8, tl0_);
    if (flexible && !is_key) {
      std::vector<uint32_t> back;
      for (const int r : frame.references) {
        if (pictures_.at(r) != picture_id_) back.push_back(static_cast<uint16_t>(picture_id_ - pictures_.at(r)));
      }
      for (size_t i = 0; i < back.size(); ++i) w.put(7, back[i]).put(1, i + 1 < back.size());
    }
    if (has_structure) w.put(3, 2).put(5, 0);
    w.put(8, 7).put(8, 7);
    return w.bytes;
  }

  Bytes descriptor(int id, bool first, bool last, bool is_key) const {
    const TestFrame& frame = all_[static_cast<size_t>(id)];
    const bool has_structure = is_key && first && frame.spatial == 0;
    const int layers = spatial_layers();
    const auto index = static_cast<uint32_t>(frame.spatial * 3 + frame.temporal);
    TestBits w;
    w.put(1, first).put(1, last).put(6, index).put(16, numbers_.at(id));
    w.put(1, has_structure).put(1, 0).put(1, 1).put(1, 1).put(1, 0);
    if (has_structure) {
      w.put(6, 0).put(5, static_cast<uint32_t>(layers * 3 - 1));
      for (int i = 0; i < layers * 3; ++i) w.put(2, i + 1 == layers * 3 ? 3 : i % 3 == 2 ? 2 : 1);
      for (int i = 0; i < layers * 3; ++i) put_indications(w, i / 3, i % 3, false, false);
      for (int i = 0; i < layers * 3; ++i) w.put(1, 0);
      w.put(layers == 1 ? 2 : 3, 0).put(1, 0);  // no chains: ns(4) and ns(10), no resolutions
    }
    put_indications(w, frame.spatial, frame.temporal, is_key, is_switch(frame.temporal));
    for (const int r : frame.references) {
      const uint32_t back = static_cast<uint16_t>(numbers_.at(id) - numbers_.at(r));
      back <= 16 ? w.put(2, 1).put(4, back - 1) : w.put(2, 2).put(8, back - 1);
    }
    w.put(2, 0);
    return w.bytes;
  }
  void put_indications(TestBits& w, int s, int t, bool is_key, bool is_switch) const {
    for (int ds = 0; ds < spatial_layers(); ++ds) {
      for (int dt = 0; dt < 3; ++dt) {
        const bool needed = dt >= t && (ds == s || (ds > s && (is_key || !is_key_mode())));
        w.put(2, !needed ? 0 : is_key || (is_switch && ds == s) ? 2 : 3);
      }
    }
  }

  Mode mode_;
  int ssrc_;
  std::vector<TestFrame>& all_;
  int position_ = -1;
  int64_t sequence_ = 0;
  uint32_t clock_ = 0;
  uint16_t picture_id_ = 0, number_ = 0;
  uint8_t tl0_ = 0;
  std::array<std::array<int, 3>, 3> last_{};  // newest frame of each layer
  std::map<int, uint16_t> numbers_, pictures_;
};

}  // namespace atm::forward
