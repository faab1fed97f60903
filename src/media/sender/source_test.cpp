// What a source takes from the header extensions of its packets.
#include "media/sender/source.h"

#include <gtest/gtest.h>

#include "wire/payload/carried_descriptor.h"
#include "wire/payload/layers_allocation.h"
#include "wire/payload/red.h"

namespace atm::sender {
namespace {

constexpr uint8_t kAv1 = 45, kDescriptorId = 13;
// The key frame of L1T3 (wire/payload/dependency_descriptor_test.cpp).
const Bytes kKey = {0x80, 0x12, 0x34, 0x80, 0x02, 0x14, 0xEA, 0xA8, 0x60, 0x41, 0x4D, 0x14, 0x10, 0x20, 0x84, 0x26};

struct World {
  explicit World(Codec codec = Codec::kAv1) : line(0) {
    negotiation::NegotiatedMedia media;
    media.mid = "0";
    media.kind = MediaKind::kVideo;
    media.direction = negotiation::Direction::kRecvOnly;
    negotiation::NegotiatedCodec negotiated;
    negotiated.codec = codec;
    negotiated.payload_type = kAv1;
    media.codecs = {negotiated};
    media.extensions.set(kDescriptorId, rtp::Extension::kDependencyDescriptor);
    line.negotiate(media, 0);
    source.kind = MediaKind::kVideo;
    source.take_formats(line);
  }
  peer::MediaPacket read(int64_t sequence, const Bytes& descriptor, const Bytes& payload = {0x10, 0x30, 1}) {
    const rtp::ExtensionValue extension{kDescriptorId, descriptor};
    Bytes bytes(1'500);
    const size_t size =
        rtp::write_header(bytes, {false, kAv1, static_cast<uint16_t>(sequence), 3'000, 7}, {&extension, 1});
    bytes.resize(size);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    std::vector<peer::MediaPacket> out;
    source.read(line, {0, sequence, 0, *rtp::parse(bytes)}, pool, out);
    EXPECT_EQ(out.size(), 1u);
    return out.at(0);
  }
  PacketPool pool;
  peer::MediaLine line;
  Source source;
};

TEST(Source, AFrameWasCapturedBeforeThePacketThatBringsItsCopy) {
  constexpr uint8_t kOpus = 111, kRed = 63;
  negotiation::NegotiatedMedia media;
  media.kind = MediaKind::kAudio;
  media.direction = negotiation::Direction::kRecvOnly;
  media.codecs.emplace_back();
  media.codecs[0].codec = Codec::kOpus;
  media.codecs[0].payload_type = kOpus;
  media.codecs[0].red_payload_type = kRed;
  peer::MediaLine line(0);
  line.negotiate(media, 0);
  Source source;
  source.kind = MediaKind::kAudio;
  source.take_formats(line);
  PacketPool pool;
  std::vector<peer::MediaPacket> out;
  const auto read = [&](int64_t sequence, uint8_t payload_type, ByteView payload, std::optional<Instant> captured_at) {
    Bytes bytes(100);
    const auto timestamp = static_cast<uint32_t>(sequence) * 960;
    bytes.resize(rtp::write_header(bytes, {false, payload_type, static_cast<uint16_t>(sequence), timestamp, 7}, {}));
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    source.read(line, {0, sequence, 0, *rtp::parse(bytes), captured_at}, pool, out);
  };
  const Bytes frame{0x78, 1, 2, 3};
  const std::array<payload::RedBlock, 2> blocks{{{kOpus, 960, frame}, {kOpus, 0, frame}}};
  Bytes red(100);
  red.resize(payload::write_red(red, blocks));
  read(1, kOpus, frame, std::nullopt);
  read(3, kRed, red, Instant{5s});  // 2 was lost
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0].captured_at, std::nullopt) << "its publisher has not told yet";
  EXPECT_EQ(out[1].captured_at, Instant{5s} - 20ms);
  EXPECT_EQ(out[2].captured_at, Instant{5s});
}

TEST(Source, ADescriptorGoesWithThePayload) {
  World world;
  const peer::MediaPacket key = world.read(1, kKey);
  EXPECT_TRUE(key.info.is_key_frame && key.starts_key_frame) << "whatever the payload looks like";
  EXPECT_EQ(key.payload.bytes().size(), 3u);
  const peer::MediaPacket upper = world.read(2, {0xC3, 0x12, 0x35});
  EXPECT_EQ(upper.info.temporal_layer, 2);
  EXPECT_FALSE(upper.info.is_key_frame);
  Bytes out(payload::kMaxWrittenDescriptor);
  out.resize(payload::write_carried_descriptor(upper.payload.trailer(), {7, 31, true, false}, out));
  EXPECT_EQ(out, (Bytes{0xC3, 0x00, 0x07}));
  EXPECT_EQ(upper.extensions.size(), 0u) << "it is not kept twice";
}

TEST(Source, Vp9TellsItsLayersItself) {
  World world(Codec::kVp9);
  const peer::MediaPacket packet = world.read(1, kKey, {0xE9, 0x81, 0x01, 0x42, 5, 7});
  EXPECT_FALSE(packet.info.has_frame_number);
  EXPECT_EQ(packet.info.spatial_layer, 1);
  EXPECT_TRUE(packet.payload.trailer().empty());
}

// It would not fit into a datagram anyway.
TEST(Source, APayloadWithoutRoomBehindItGoesAlone) {
  World world;
  world.read(1, kKey);
  const peer::MediaPacket packet = world.read(2, {0xC3, 0x12, 0x35}, Bytes(PacketBuffer::kCapacity - 5));
  EXPECT_EQ(packet.payload.bytes().size(), PacketBuffer::kCapacity - 5);
  EXPECT_TRUE(packet.payload.trailer().empty());
}

TEST(Source, WhatALayerAimsAtCountsUntilItIsMeasured) {
  payload::LayersAllocation told;
  told.streams = 2;
  told.layers[0][0] = {1, {150}};
  told.layers[1][0] = {2, {300, 500}};
  Bytes value(100);
  value.resize(write_layers_allocation(told, value));
  Source source;
  source.kind = MediaKind::kVideo;
  source.simulcast_layers = 2;
  source.take_allocation(value);
  const Instant now = Instant{} + 1s;
  source.rates.on_packet(now, 1, 1, 100);
  const share::RateTable table = source.rates.table(now, share::Scaling::kIndependent);
  EXPECT_EQ(table.bps[1][1], 500'000u);
  EXPECT_EQ(table.bps[0][0], 0u) << "it brings nothing";
  source.take_allocation(Bytes{0xFF});
  EXPECT_EQ(source.rates.table(now, share::Scaling::kIndependent).bps[1][1], 500'000u) << "what cannot be read";
}

TEST(Source, OfOneStreamTheAllocationIsBySpatialLayer) {
  payload::LayersAllocation told;
  told.streams = 1;
  told.layers[0][0] = {1, {150}};
  told.layers[0][2] = {1, {900}};
  Bytes value(100);
  value.resize(write_layers_allocation(told, value));
  Source source;
  source.take_allocation(value);
  const Instant now = Instant{} + 1s;
  source.rates.on_packet(now, 2, 0, 100);
  EXPECT_EQ(source.rates.table(now, share::Scaling::kFullSvc).bps[2][0], 900'000u);
}

TEST(Source, IsAsLoudAsItsPacketsSayAndALittleWhereTheySayNothing) {
  constexpr uint8_t kLevelId = 1;
  const auto loudness = [](std::optional<uint8_t> level, size_t payload_size) {
    World world(Codec::kOpus);
    negotiation::NegotiatedMedia media = world.line.negotiated();
    media.kind = MediaKind::kAudio;
    media.extensions.set(kLevelId, rtp::Extension::kAudioLevel);
    world.line.negotiate(media, 0);
    const Bytes value = {rtp::write_audio_level({true, level.value_or(0)})};
    const rtp::ExtensionValue extension{kLevelId, value};
    const std::span<const rtp::ExtensionValue> extensions(&extension, level ? 1 : 0);
    Bytes bytes(1'500);
    bytes.resize(rtp::write_header(bytes, {false, kAv1, 1, 960, 7}, extensions) + payload_size);
    world.source.listen(Instant{} + 1s, world.line, {0, 1, 0, *rtp::parse(bytes)});
    return world.source.loudness.dbov(Instant{} + 1s);
  };
  EXPECT_EQ(loudness(30, 80), -30);
  EXPECT_EQ(loudness(127, 80), -127);
  EXPECT_EQ(loudness({}, 80), mixminus::kUntoldLevel);
  EXPECT_EQ(loudness({}, 2), mixminus::kSilence) << "discontinuous transmission";
  EXPECT_EQ(loudness(0, 0), mixminus::kSilence) << "padding";
}

}  // namespace
}  // namespace atm::sender
