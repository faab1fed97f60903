#include "core/frames/packetizer.h"

#include <gtest/gtest.h>

#include "wire/payload/h264.h"
#include "wire/payload/vp8.h"
#include "wire/payload/vp9.h"

namespace atm::frames {
namespace {

// The first bytes of a 176 x 144 key frame (RFC 6386 9.1), and of an inter frame.
const Bytes kVp8Key = {0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 176, 0, 144, 0, 1, 2, 3};
const Bytes kVp8Inter = {0x11, 0x02, 0x00, 4, 5, 6};
// VP9 bitstream specification 6.2: profile 0, key frame, shown, sync code, color space 1, 320 x 180.
const Bytes kVp9Key = {0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xF0, 0x0B, 0x30, 9, 9};
const Bytes kVp9Inter = {0x86, 0x00, 7, 7};

std::vector<Bytes> packetize(Packetizer& packetizer, const EncodedFrame& frame) {
  PacketizedFrame out;
  std::vector<Bytes> payloads;
  if (!packetizer.packetize(frame, out)) return payloads;
  for (size_t i = 0; i < out.count(); ++i) payloads.emplace_back(out.payload(i).begin(), out.payload(i).end());
  return payloads;
}

std::vector<Bytes> packetize(const PacketizerConfig& config, const EncodedFrame& frame) {
  SeededRng rng(1);
  Packetizer packetizer(config, rng);
  return packetize(packetizer, frame);
}

Bytes joined(Bytes head, const Bytes& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

TEST(Packetizer, Vp8WritesTheDescriptorOfRfc7741) {
  SeededRng rng(1);
  Packetizer packetizer({.codec = Codec::kVp8}, rng);
  const auto key = packetize(packetizer, {.bytes = kVp8Key});
  ASSERT_EQ(key.size(), 1u);
  const auto id = packetizer.picture_id();
  const auto high = static_cast<uint8_t>(0x80 | id >> 8), low = static_cast<uint8_t>(id);
  EXPECT_EQ(key[0], joined({0x90, 0x80, high, low}, kVp8Key));
  EXPECT_TRUE(payload::parse_vp8(key[0])->is_key_frame);
  const auto layered =
      packetize(packetizer, {.bytes = kVp8Inter, .temporal_layer = 2, .is_layer_sync = true, .is_discardable = true});
  const auto read = payload::parse_vp8(layered.at(0));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->picture_id, (id + 1) & 0x7FFF);
  EXPECT_TRUE(read->picture_id_is_long && read->is_non_reference && read->is_layer_sync && read->starts_partition);
  EXPECT_EQ(read->temporal_layer, 2);
}

TEST(Packetizer, Tl0PicIdxGrowsWithTheBaseLayer) {
  for (const Codec codec : {Codec::kVp8, Codec::kVp9}) {
    SeededRng rng(1);
    Packetizer packetizer({.codec = codec, .is_vp9_flexible = false}, rng);
    const auto tl0_of = [&](uint8_t layer) {
      const auto out = packetize(packetizer, {.bytes = kVp8Inter, .is_key = false, .temporal_layer = layer});
      return codec == Codec::kVp8 ? *payload::parse_vp8(out[0])->tl0_picture_index
                                  : *payload::parse_vp9(out[0])->tl0_picture_index;
    };
    const uint8_t first = tl0_of(0);
    EXPECT_EQ(tl0_of(1), first);
    EXPECT_EQ(tl0_of(2), first);
    EXPECT_EQ(tl0_of(0), static_cast<uint8_t>(first + 1));
  }
}

TEST(Packetizer, PictureIdsWrapAtFifteenBits) {
  SeededRng rng(1);
  Packetizer packetizer({.codec = Codec::kVp8}, rng);
  bool has_wrapped = false;
  for (uint16_t before = packetizer.picture_id(); !has_wrapped; before = packetizer.picture_id()) {
    const auto out = packetize(packetizer, {.bytes = kVp8Inter});
    ASSERT_EQ(*payload::parse_vp8(out[0])->picture_id, (before + 1) & 0x7FFF);
    has_wrapped = packetizer.picture_id() == 0;
  }
}

TEST(Packetizer, Vp9TellsSizeWithKeyFramesAndReferencesWithOthers) {
  SeededRng rng(1);
  Packetizer packetizer({.codec = Codec::kVp9}, rng);
  const auto key = packetize(packetizer, {.bytes = kVp9Key});
  const auto id = packetizer.picture_id();
  const auto high = static_cast<uint8_t>(0x80 | id >> 8), low = static_cast<uint8_t>(id);
  // I, F, B, E, V, Z; then N_S 0 and Y: 320 x 180.
  EXPECT_EQ(key.at(0), joined({0x9F, high, low, 0x10, 0x01, 0x40, 0x00, 0xB4}, kVp9Key));
  const uint8_t references[] = {1, 4};
  const auto read = payload::parse_vp9(
      packetize(packetizer, {.bytes = kVp9Inter, .temporal_layer = 1, .references = references}).at(0));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->is_inter_predicted && read->is_flexible && read->has_layers && !read->has_structure);
  EXPECT_EQ(read->reference_count, 2);
  EXPECT_EQ(read->references[1], 4);
  EXPECT_EQ(payload::parse_vp9(packetize(packetizer, {.bytes = kVp9Inter}).at(0))->references[0], 1);
}

TEST(Packetizer, Vp9WithoutFlexibleModeTellsTheGroupAndTl0PicIdx) {
  PacketizerConfig config{.codec = Codec::kVp9, .is_vp9_flexible = false};
  config.vp9_group = {{0, true, 1, {2}}, {1, false, 1, {1}}};
  SeededRng rng(1);
  Packetizer packetizer(config, rng);
  const auto key = packetize(packetizer, {.bytes = kVp9Key}).at(0);
  const auto read = payload::parse_vp9(key);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->has_structure && !read->is_flexible && read->tl0_picture_index);
  // Behind I, two of picture id, two of layers: Y and G, the size, two pictures.
  EXPECT_EQ(Bytes(key.begin() + 5, key.begin() + static_cast<ptrdiff_t>(read->size)),
            (Bytes{0x18, 0x01, 0x40, 0x00, 0xB4, 2, 0x14, 2, 0x24, 1}));
}

TEST(Packetizer, CutsFramesIntoPiecesOfAboutTheSameSize) {
  for (const Codec codec : {Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) {
    Bytes bytes = codec == Codec::kH264 ? Bytes{0, 0, 0, 1, 0x61} : codec == Codec::kAv1 ? Bytes{0x30} : Bytes{0x11};
    bytes.resize(2'300, 0xAB);
    SeededRng rng(1);
    Packetizer packetizer({.codec = codec}, rng);
    PacketizedFrame out;
    ASSERT_TRUE(packetizer.packetize({.bytes = bytes, .is_key = false}, out)) << to_text(codec);
    ASSERT_EQ(out.count(), 3u) << to_text(codec);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_LE(out.payload(i).size(), kPayloadBudget);
      EXPECT_EQ(out.marker(i), i == 2);
    }
    EXPECT_GE(out.payload(2).size(), codec == Codec::kAv1 ? 100u : 700u) << to_text(codec);
  }
}

TEST(Packetizer, H264PutsParameterSetsIntoOnePacketAndLargeSlicesIntoFragments) {
  const Bytes small = {0, 0, 0, 1, 0x67, 0x42, 0xE0, 0, 0, 1, 0x68, 0xCE, 0, 0, 0, 1, 0x65, 0x88, 7};
  const auto out = packetize({.codec = Codec::kH264}, {.bytes = small});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0], (Bytes{0x78, 0, 3, 0x67, 0x42, 0xE0, 0, 2, 0x68, 0xCE})) << "RFC 6184 5.7.1: STAP-A";
  EXPECT_EQ(out[1], (Bytes{0x65, 0x88, 7})) << "5.6: a NAL unit alone";
  Bytes large = {0, 0, 1, 0x65};
  for (int i = 0; i < 150; ++i) large.push_back(static_cast<uint8_t>(i | 0x80));
  const auto fragments = packetize({.codec = Codec::kH264, .max_payload = 64}, {.bytes = large});
  ASSERT_EQ(fragments.size(), 3u);
  EXPECT_EQ(Bytes(fragments[0].begin(), fragments[0].begin() + 3), (Bytes{0x7C, 0x85, 0x80})) << "5.8: S";
  EXPECT_EQ(Bytes(fragments[1].begin(), fragments[1].begin() + 2), (Bytes{0x7C, 0x05}));
  EXPECT_EQ(Bytes(fragments[2].begin(), fragments[2].begin() + 2), (Bytes{0x7C, 0x45})) << "E";
}

TEST(Packetizer, H264OfAvcIsTheSameAsOfAnnexB) {
  const Bytes annex_b = {0, 0, 0, 1, 0x09, 0x10, 0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x68, 0xCE, 0, 0, 1, 0x65, 0x88, 0, 0};
  const Bytes avc = {0, 0, 0, 2, 0x09, 0x10, 0, 0, 0, 2, 0x67, 0x42, 0, 0, 0, 2, 0x68, 0xCE, 0, 0, 0, 2, 0x65, 0x88};
  EXPECT_EQ(packetize({.codec = Codec::kH264}, {.bytes = annex_b}),
            packetize({.codec = Codec::kH264, .h264_format = H264Format::kAvc}, {.bytes = avc}));
  EXPECT_EQ(packetize({.codec = Codec::kH264}, {.bytes = annex_b}).size(), 2u);
}

TEST(Packetizer, H264KeyFramesWithoutParameterSetsGetTheLastOnes) {
  SeededRng rng(1);
  Packetizer packetizer({.codec = Codec::kH264}, rng);
  const Bytes first = {0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x68, 0xCE, 0, 0, 1, 0x65, 0x88};
  const Bytes second = {0, 0, 1, 0x65, 0x88};
  EXPECT_EQ(packetize(packetizer, {.bytes = second}).size(), 1u) << "there are none yet";
  const auto with = packetize(packetizer, {.bytes = first});
  EXPECT_EQ(packetize(packetizer, {.bytes = second}), with);
  EXPECT_EQ(packetize(packetizer, {.bytes = Bytes{0, 0, 1, 0x61, 0x88}}).size(), 1u);
}

TEST(Packetizer, Av1WritesElementsWithoutSizesAndDropsTheDelimiter) {
  // A temporal delimiter, a sequence header, a key frame (frame type 0, shown).
  const Bytes unit = {0x12, 0x00, 0x0A, 0x03, 0x00, 0x01, 0x02, 0x32, 0x02, 0x10, 0xAA};
  const auto out = packetize({.codec = Codec::kAv1}, {.bytes = unit});
  ASSERT_EQ(out.size(), 1u);
  // AV1 RTP specification 4.4: W is 2, N is set; the first element with its length.
  EXPECT_EQ(out[0], (Bytes{0x28, 4, 0x08, 0x00, 0x01, 0x02, 0x30, 0x10, 0xAA}));
  const Bytes inter = {0x12, 0x00, 0x32, 0x02, 0x30, 0xAA};
  EXPECT_EQ(packetize({.codec = Codec::kAv1}, {.bytes = inter}).at(0), (Bytes{0x10, 0x30, 0x30, 0xAA}));
  Bytes large = {0x36, 0x08, 0xC8, 0x01, 0x30};  // an extension, and 200 bytes
  large.resize(204, 0xBB);
  const auto parts = packetize({.codec = Codec::kAv1, .max_payload = 100}, {.bytes = large});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(Bytes(parts[0].begin(), parts[0].begin() + 4), (Bytes{0x50, 0x34, 0x08, 0x30})) << "Y";
  EXPECT_EQ(parts[1][0], 0xD0) << "Z, Y";
  EXPECT_EQ(parts[2][0], 0x90) << "Z";
}

TEST(Packetizer, OpusIsThePacketAndItsMarkerSaysThatTalkBegins) {
  SeededRng rng(1);
  Packetizer packetizer({.codec = Codec::kOpus}, rng);
  PacketizedFrame out;
  const Bytes packet = {0xFC, 1, 2, 3};
  for (const auto& [starts_talk, marker] : {std::pair(false, true), {false, false}, {true, true}}) {
    ASSERT_TRUE(packetizer.packetize({.bytes = packet, .starts_talk = starts_talk}, out));
    EXPECT_EQ(out.count(), 1u);
    EXPECT_EQ(out.marker(0), marker) << "the first packet ever begins, too";
    EXPECT_EQ(Bytes(out.payload(0).begin(), out.payload(0).end()), packet);
  }
  EXPECT_FALSE(packetizer.packetize({.bytes = Bytes(kPayloadBudget + 1)}, out));
  EXPECT_EQ(packetizer.counters().too_large, 1u);
}

TEST(Packetizer, MakesNothingOfWhatItCannotRead) {
  const std::pair<Codec, Bytes> kBroken[] = {
      {Codec::kVp8, {}},
      {Codec::kH264, {0x65, 0x88}},                 // no start code
      {Codec::kH264, {0, 0, 1}},                    // nothing behind it
      {Codec::kH264, {0, 0, 1, 0x78, 0, 1, 0x65}},  // an aggregation is no encoder's
      {Codec::kAv1, {0x12, 0x00}},                  // a delimiter alone
      {Codec::kAv1, {0x0A, 0x05, 0x00}},            // cut off
      {Codec::kAv1, {0x8A, 0x00}},                  // the forbidden bit
      {Codec::kAv1, {0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
  };
  for (const auto& [codec, bytes] : kBroken) {
    SeededRng rng(1);
    Packetizer packetizer({.codec = codec}, rng);
    EXPECT_TRUE(packetize(packetizer, {.bytes = bytes}).empty());
    EXPECT_EQ(packetizer.counters().unreadable, 1u);
  }
  const Bytes avc = {0, 0, 0, 9, 0x65};
  EXPECT_TRUE(packetize({.codec = Codec::kH264, .h264_format = H264Format::kAvc}, {.bytes = avc}).empty());
}

TEST(Bitstream, TellsKeyFramesAndTheirSize) {
  EXPECT_TRUE(is_key_frame(Codec::kVp8, kVp8Key) && !is_key_frame(Codec::kVp8, kVp8Inter));
  EXPECT_TRUE(is_key_frame(Codec::kVp9, kVp9Key) && !is_key_frame(Codec::kVp9, kVp9Inter));
  EXPECT_EQ(read_frame_size(Codec::kVp8, kVp8Key), (payload::PictureSize{176, 144}));
  EXPECT_EQ(read_frame_size(Codec::kVp9, kVp9Key), (payload::PictureSize{320, 180}));
  for (const Codec codec : {Codec::kVp8, Codec::kVp9, Codec::kH264, Codec::kAv1}) {
    const Bytes& key = codec == Codec::kVp9 ? kVp9Key : kVp8Key;
    for (size_t size = 0; size < 9; ++size) {
      EXPECT_FALSE(is_key_frame(codec, ByteView(key).first(size))) << to_text(codec) << " " << size;
    }
    EXPECT_EQ(read_frame_size(codec, {}), payload::PictureSize{});
  }
}

}  // namespace
}  // namespace atm::frames
