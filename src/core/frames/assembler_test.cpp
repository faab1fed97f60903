#include "core/frames/assembler.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace atm::frames {
namespace {

constexpr uint32_t kTick = 3'000;

// VP8 as RFC 7741 has it: X, S; I, L, T; picture id of 15 bits; TL0PICIDX; TID and Y.
Bytes vp8(bool is_first, bool is_key, uint16_t id, uint8_t tl0, uint8_t layer, bool is_sync = false) {
  return {static_cast<uint8_t>(is_first ? 0x90 : 0x80),
          0xE0,
          static_cast<uint8_t>(0x80 | id >> 8),
          static_cast<uint8_t>(id),
          tl0,
          static_cast<uint8_t>(layer << 6 | (is_sync ? 0x20 : 0)),
          static_cast<uint8_t>(is_first && is_key ? 0x10 : 0x11),
          static_cast<uint8_t>(id)};
}

class Stream {
 public:
  explicit Stream(Codec codec) : assembler({codec}) {}

  void give(int64_t sequence, uint32_t picture, bool marker, const Bytes& payload, Instant at = Instant{}) {
    assembler.on_packet({sequence, picture * kTick, marker, payload, at});
    take();
  }
  // A VP8 frame of one packet; picture id and sequence are the same.
  void give_vp8(int64_t number, uint8_t tl0, uint8_t layer, bool is_key = false, bool is_sync = false) {
    give(number, static_cast<uint32_t>(number), true,
         vp8(true, is_key, static_cast<uint16_t>(number), tl0, layer, is_sync));
  }
  void give_up_before(int64_t sequence) {
    assembler.give_up_before(sequence);
    take();
  }
  void take() {
    for (Frame frame; assembler.take(frame);) frames.push_back(frame);
  }
  std::vector<uint32_t> pictures() const {
    std::vector<uint32_t> out;
    for (const Frame& frame : frames) out.push_back(frame.timestamp / kTick);
    return out;
  }

  Assembler assembler;
  std::vector<Frame> frames;
};

using Pictures = std::vector<uint32_t>;

TEST(Assembler, PutsAFrameTogetherInWhateverOrderItsPacketsCome) {
  std::vector<int64_t> order = {10, 11, 12};
  do {
    Stream stream(Codec::kVp8);
    for (const int64_t sequence : order) {
      stream.give(sequence, 1, sequence == 12, vp8(sequence == 10, true, 7, 1, 0), Instant{} + 1ms * sequence);
    }
    ASSERT_EQ(stream.frames.size(), 1u);
    const Frame& frame = stream.frames[0];
    EXPECT_EQ(frame.bytes, (Bytes{0x10, 7, 0x11, 7, 0x11, 7}));
    EXPECT_TRUE(frame.is_key && frame.temporal_layer == 0);
    EXPECT_EQ(frame.first_sequence, 10);
    EXPECT_EQ(frame.last_sequence, 12);
    EXPECT_EQ(frame.first_arrival, Instant{} + 10ms);
    EXPECT_EQ(frame.last_arrival, Instant{} + 12ms);
  } while (std::ranges::next_permutation(order).found);
}

TEST(Assembler, HoldsALaterFrameUntilTheHoleIsFilled) {
  Stream stream(Codec::kVp8);
  stream.give_vp8(1, 1, 0, true);
  stream.give_vp8(3, 3, 0);
  EXPECT_EQ(stream.pictures(), (Pictures{1}));
  EXPECT_FALSE(stream.assembler.wants_key_frame());
  stream.give_vp8(2, 2, 0);
  EXPECT_EQ(stream.pictures(), (Pictures{1, 2, 3}));
  stream.give_vp8(2, 2, 0);
  EXPECT_EQ(stream.assembler.counters().late, 1u);
}

TEST(Assembler, BeginsWithAKeyFrameAndSaysWhenItNeedsOne) {
  Stream stream(Codec::kVp8);
  EXPECT_FALSE(stream.assembler.wants_key_frame()) << "nothing has come yet";
  stream.give_vp8(1, 1, 0);
  EXPECT_TRUE(stream.assembler.wants_key_frame());
  stream.give(2, 2, false, vp8(true, true, 2, 2, 0));
  EXPECT_FALSE(stream.assembler.wants_key_frame()) << "one is coming";
  stream.give(3, 2, true, vp8(false, true, 2, 2, 0));
  EXPECT_EQ(stream.pictures(), (Pictures{2}));
  EXPECT_EQ(stream.assembler.counters().discarded, 1u);
}

TEST(Assembler, ALostBaseLayerFrameNeedsAKeyFrame) {
  Stream stream(Codec::kVp8);
  stream.give_vp8(1, 1, 0, true);
  stream.give_vp8(3, 3, 0);
  stream.give_up_before(3);
  EXPECT_TRUE(stream.assembler.wants_key_frame());
  stream.give_vp8(4, 4, 0);
  EXPECT_EQ(stream.pictures(), (Pictures{1}));
  stream.give_vp8(5, 5, 0, true);
  stream.give_vp8(6, 6, 0);
  EXPECT_EQ(stream.pictures(), (Pictures{1, 5, 6}));
  EXPECT_EQ(stream.assembler.counters().given_up, 1u);
  EXPECT_EQ(stream.assembler.counters().undecodable, 1u);
}

TEST(Assembler, ALostUpperLayerFrameStopsThatLayerUntilItIsSynchronised) {
  Stream stream(Codec::kVp8);
  stream.give_vp8(1, 1, 0, true);
  stream.give_vp8(3, 2, 0);  // 2 was of layer 1
  stream.give_up_before(3);
  stream.give_vp8(4, 2, 1);
  stream.give_vp8(5, 3, 0);
  stream.give_vp8(6, 3, 1, false, true);
  stream.give_vp8(7, 4, 0);
  stream.give_vp8(8, 4, 1);
  EXPECT_EQ(stream.pictures(), (Pictures{1, 3, 5, 6, 7, 8}));
  EXPECT_FALSE(stream.assembler.wants_key_frame());
}

TEST(Assembler, LostPaddingIsNoLossWherePictureIdsGoOn) {
  Stream stream(Codec::kVp8);
  stream.give(1, 1, true, vp8(true, true, 1, 1, 0));
  stream.give(3, 2, true, vp8(true, false, 2, 2, 0));
  stream.give_up_before(3);
  stream.give(4, 2, false, {});
  stream.give(5, 3, true, vp8(true, false, 3, 3, 0));
  EXPECT_EQ(stream.pictures(), (Pictures{1, 2, 3}));
}

TEST(Assembler, WaitsForAHoleAsLongAsItsPatience) {
  Stream stream(Codec::kVp8);
  stream.give_vp8(1, 1, 0, true);
  EXPECT_EQ(stream.assembler.next_timeout(), kNever);
  const Instant at = Instant{} + 1s;
  stream.give(3, 3, true, vp8(true, false, 3, 3, 0), at);
  stream.give(4, 4, true, vp8(true, false, 4, 4, 0), at + 1s);
  EXPECT_EQ(stream.assembler.next_timeout(), at + AssemblerConfig{}.patience) << "known since 3 came";
  stream.assembler.on_timeout(at + AssemblerConfig{}.patience - 1us);
  stream.take();
  EXPECT_EQ(stream.pictures(), (Pictures{1}));
  stream.assembler.on_timeout(at + AssemblerConfig{}.patience);
  stream.take();
  EXPECT_EQ(stream.assembler.counters().given_up, 1u);
  EXPECT_EQ(stream.assembler.next_timeout(), kNever);
}

TEST(Assembler, BehindAHoleAKeyFrameIsTakenEarlier) {
  Stream stream(Codec::kVp8);
  stream.give_vp8(1, 1, 0, true);
  const Instant at = Instant{} + 1s;
  stream.give(3, 3, true, vp8(true, false, 3, 3, 0), at);
  stream.give(5, 5, true, vp8(true, true, 5, 5, 0), at + 400ms);
  stream.give(6, 6, true, vp8(true, false, 6, 6, 0), at + 420ms);
  EXPECT_EQ(stream.assembler.next_timeout(), at + AssemblerConfig{}.key_patience);
  stream.assembler.on_timeout(at + AssemblerConfig{}.key_patience - 1us);
  stream.take();
  EXPECT_EQ(stream.pictures(), (Pictures{1}));
  stream.assembler.on_timeout(at + AssemblerConfig{}.key_patience);
  stream.take();
  EXPECT_EQ(stream.pictures(), (Pictures{1, 5, 6}));
  EXPECT_EQ(stream.assembler.next_timeout(), kNever);
}

// RFC 6184: STAP-A of SPS and PPS, then an IDR slice in fragments.
TEST(Assembler, H264IsAnAccessUnitWithStartCodes) {
  Stream stream(Codec::kH264);
  stream.give(1, 1, false, {0x78, 0, 3, 0x67, 0x42, 0xE0, 0, 2, 0x68, 0xCE});
  stream.give(2, 1, false, {0x7C, 0x85, 0x88, 1});
  stream.give(3, 1, false, {0x7C, 0x05, 2});
  stream.give(4, 1, true, {0x7C, 0x45, 3});
  stream.give(5, 2, true, {0x61, 0xE0});
  ASSERT_EQ(stream.frames.size(), 2u);
  EXPECT_EQ(stream.frames[0].bytes,
            (Bytes{0, 0, 0, 1, 0x67, 0x42, 0xE0, 0, 0, 0, 1, 0x68, 0xCE, 0, 0, 0, 1, 0x65, 0x88, 1, 2, 3}));
  EXPECT_EQ(stream.frames[1].bytes, (Bytes{0, 0, 0, 1, 0x61, 0xE0}));
  EXPECT_TRUE(stream.frames[0].is_key && !stream.frames[1].is_key);
  stream.give(7, 4, true, {0x61, 0xE0});
  stream.give_up_before(7);
  EXPECT_TRUE(stream.assembler.wants_key_frame()) << "nothing says what the lost one was";
  stream.give(8, 5, true, {0x65, 0x88});
  EXPECT_EQ(stream.frames.size(), 3u) << "the parameter sets are known";
}

TEST(Assembler, H264KeyFramesNeedParameterSets) {
  Stream stream(Codec::kH264);
  stream.give(1, 1, true, {0x65, 0x88});
  EXPECT_TRUE(stream.frames.empty());
  EXPECT_TRUE(stream.assembler.wants_key_frame());
}

// AV1 RTP specification 4.4: N, W 2, a sequence header with its length, a frame that goes on in the next packet.
TEST(Assembler, Av1IsATemporalUnitWithDelimiterAndSizes) {
  Stream stream(Codec::kAv1);
  stream.give(1, 1, false, {0x68, 3, 0x08, 0xAA, 0xBB, 0x30, 0x10});
  stream.give(2, 1, true, {0x90, 0xCC});
  ASSERT_EQ(stream.frames.size(), 1u);
  EXPECT_EQ(stream.frames[0].bytes, (Bytes{0x12, 0, 0x0A, 2, 0xAA, 0xBB, 0x32, 2, 0x10, 0xCC}));
  EXPECT_TRUE(stream.frames[0].is_key);
}

// RFC 9628: two spatial layers of a picture, B and E each; the marker ends it.
TEST(Assembler, Vp9LayersOfAPictureAreOneFrame) {
  Stream stream(Codec::kVp9);
  stream.give(1, 1, false, {0xAC, 0x81, 0x00, 0x00, 1, 0xA0});
  stream.give(2, 1, true, {0xAC, 0x81, 0x00, 0x03, 1, 0xB0});
  ASSERT_EQ(stream.frames.size(), 1u);
  EXPECT_EQ(stream.frames[0].bytes, (Bytes{0xA0, 0xB0}));
}

TEST(Assembler, OpusIsHandedOutAtOnceInTheOrderOfArrival) {
  Stream stream(Codec::kOpus);
  for (const int64_t sequence : {10, 12, 11, 14}) {
    stream.give(sequence, static_cast<uint32_t>(sequence), false, {0xFC, static_cast<uint8_t>(sequence)});
  }
  EXPECT_EQ(stream.pictures(), (Pictures{10, 12, 11, 14}));
  EXPECT_FALSE(stream.assembler.wants_key_frame());
  EXPECT_EQ(stream.assembler.held_packets(), 0u);
}

TEST(Assembler, HoldsNoMoreThanItsLimits) {
  Stream stream(Codec::kVp8);
  stream.give_vp8(1, 1, 0, true);
  for (int64_t i = 3; i < 3 + static_cast<int64_t>(kMaxHeldPackets) * 2; ++i) {
    stream.give(i, 2, false, vp8(false, false, 2, 2, 0));
    ASSERT_LE(stream.assembler.held_packets(), kMaxHeldPackets);
  }
  EXPECT_GT(stream.assembler.counters().discarded, kMaxHeldPackets / 2) << "a frame of so many cannot be completed";
  Stream large(Codec::kVp8);
  large.give_vp8(1, 1, 0, true);
  for (int64_t i = 3; i < 103; ++i) {
    Bytes payload = vp8(false, false, 2, 2, 0);
    payload.resize(60'000);
    large.give(i, 2, false, payload);
    ASSERT_LE(large.assembler.held_bytes(), kMaxHeldBytes);
  }
  EXPECT_GT(large.assembler.counters().overflows, 0u);
}

TEST(Assembler, GoesOnBehindAJumpOfTheSequence) {
  Stream stream(Codec::kVp8);
  stream.give_vp8(1, 1, 0, true);
  stream.give(int64_t{1} << 40, 9, true, vp8(true, true, 9, 9, 0));
  EXPECT_EQ(stream.pictures(), (Pictures{1, 9}));
}

TEST(Assembler, WhatContradictsItselfIsNoFrame) {
  const std::vector<std::pair<Codec, std::vector<Bytes>>> kBroken = {
      {Codec::kVp8, {vp8(true, true, 1, 1, 0), vp8(true, false, 1, 1, 0)}},   // two beginnings
      {Codec::kVp8, {vp8(true, true, 1, 1, 0), vp8(false, false, 2, 1, 0)}},  // another picture id
      {Codec::kVp8, {vp8(true, true, 1, 1, 0), {0x80}}},                      // cut off
      {Codec::kVp9, {{0x8C, 0x81, 0x00, 1}, {0x84, 0x81, 0x00, 1}}},          // behind the end of its layer
      {Codec::kH264, {{0x67, 1}, {0x7C, 0x05, 1}}},                           // a fragment without a beginning
      {Codec::kH264, {{0x67, 1}, {0x7C, 0x85, 1}}},                           // without an end
      {Codec::kH264, {{0x67, 1}, {0x78, 0, 9, 1}}},                           // an aggregate that is cut off
      {Codec::kH264, {{0x67, 1}, {0x79, 0, 9, 1}}},                           // STAP-B
      {Codec::kAv1, {{0x18, 0x08, 1}, {0x90, 1}}},                            // Z without Y
      {Codec::kAv1, {{0x58, 0x08, 1}, {0x10, 0x30}}},                         // Y without Z
      {Codec::kAv1, {{0x58, 0x08, 1}, {0xD0, 1}}},                            // goes on behind the end
      {Codec::kAv1, {{0x18, 0x08, 1}, {0x00, 0x09, 1}}},                      // an element that is cut off
      {Codec::kAv1, {{0x18, 0x0A, 9, 1}, {0x10, 0x30}}},                      // an OBU that is cut off
  };
  for (const auto& [codec, payloads] : kBroken) {
    Stream stream(codec);
    stream.give(1, 1, false, payloads[0]);
    stream.give(2, 1, true, payloads[1]);
    EXPECT_TRUE(stream.frames.empty()) << to_text(codec);
    EXPECT_EQ(stream.assembler.counters().malformed, 1u) << to_text(codec);
    EXPECT_TRUE(stream.assembler.wants_key_frame());
    EXPECT_EQ(stream.assembler.held_packets(), 0u);
  }
}

}  // namespace
}  // namespace atm::frames
