#include "media/receiver/receiver.h"

#include <gtest/gtest.h>

#include "core/peer/call_test.h"

namespace atm::receiver {
namespace {

using contract::ReceiverState;
using negotiation::Direction;
using peer::Call;

constexpr uint8_t kKeyFrame[] = {0x10, 0x10, 0x00, 0x00, 0x9d, 0x01,
                                 0x2a, 0x40, 0x01, 0xb4, 0x00};  // VP8, RFC 7741 4.2
constexpr uint8_t kDeltaFrame[] = {0x10, 0x11, 0x00, 0x00, 1, 2, 3};

// One publisher and one viewer, each with a call of its own: m-line 1 is video.
struct ReceiverTest : testing::Test {
  void SetUp() override { start({}, {}); }

  void start(const negotiation::Policy& publisher_policy, const negotiation::Policy& viewer_policy) {
    ASSERT_TRUE(publisher.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "v", 1'000)}, publisher_policy));
    ASSERT_TRUE(viewer.connect({Call::line(MediaKind::kVideo, Direction::kRecvOnly, "v")}, viewer_policy));
    receiver.emplace("video_0", MediaKind::kVideo, SessionId{1}, *viewer.server.peer, 1, world.rng);
    source.key = {"p", "s"};
    source.kind = MediaKind::kVideo;
    source.publisher = publisher.server.peer.get();
    source.media = 1;
    source.take_formats(publisher.server.peer->media(1));
  }
  uint8_t payload_type(const Call& call, Codec codec) const {
    for (const auto& c : call.server.peer->media(1).negotiated().codecs) {
      if (c.codec == codec) return c.payload_type;
    }
    return 0;
  }
  peer::MediaPacket packet(int64_t sequence, bool is_key, uint64_t epoch = 0) {
    peer::MediaPacket out;
    out.payload_type = payload_type(publisher, Codec::kVp8);
    out.starts_key_frame = out.info.is_key_frame = out.info.starts_frame = is_key;
    out.ssrc = 1'000;
    out.sequence = sequence;
    out.epoch = epoch;
    out.timestamp = static_cast<uint32_t>(sequence) * 3'000;
    out.payload = is_key ? world.pool.copy(kKeyFrame) : world.pool.copy(kDeltaFrame);
    return out;
  }
  void forward(const peer::MediaPacket& p) {
    receiver->forward(world.now, p, world.pool, viewer.server.out);
    viewer.flush(viewer.server);
    viewer.run(20ms);
  }
  size_t shown() const { return viewer.client.got.size(); }

  peer::CallWorld world{1};
  Call publisher{world}, viewer{world};
  std::optional<Receiver> receiver;
  Source source;
};

TEST_F(ReceiverTest, WaitsForAKeyFrameAndSaysSo) {
  receiver->bind(source.key);
  receiver->attach(&source);
  EXPECT_TRUE(receiver->wants_key_frame_of(world.now));
  forward(packet(100, false));
  EXPECT_EQ(shown(), 0u);
  EXPECT_TRUE(receiver->wants_key_frame_of(world.now));
  forward(packet(101, true));
  forward(packet(102, false));
  EXPECT_EQ(shown(), 2u);
  EXPECT_FALSE(receiver->wants_key_frame_of(world.now));
  EXPECT_EQ(receiver->state(), ReceiverState::kLive);
}

TEST_F(ReceiverTest, TellsEachStateOnce) {
  EXPECT_FALSE(receiver->take_state_change());
  receiver->bind(source.key);
  EXPECT_EQ(receiver->take_state_change(), ReceiverState::kConnecting);
  receiver->attach(&source);
  EXPECT_FALSE(receiver->take_state_change());
  receiver->attach(nullptr);
  EXPECT_EQ(receiver->take_state_change(), ReceiverState::kSourceDeactived);
  receiver->unbind();
  EXPECT_EQ(receiver->take_state_change(), ReceiverState::kNoSource);
}

TEST_F(ReceiverTest, ASourceWhoseNumbersBeginAnewNeverRepeatsOurs) {
  receiver->bind(source.key);
  receiver->attach(&source);
  for (int64_t sequence = 100; sequence < 110; ++sequence) forward(packet(sequence, sequence == 100, 1));
  ASSERT_EQ(shown(), 10u);
  const int64_t newest = viewer.client.got.back().sequence;
  forward(packet(103, false, 2));
  EXPECT_EQ(shown(), 10u) << "another numbering: nothing before its key frame";
  EXPECT_TRUE(receiver->wants_key_frame_of(world.now));
  for (int64_t sequence = 104; sequence < 110; ++sequence) forward(packet(sequence, sequence == 104, 2));
  ASSERT_EQ(shown(), 16u);
  EXPECT_EQ(viewer.client.got[10].sequence, newest + 1);
  EXPECT_EQ(viewer.client.got.back().sequence, newest + 6);
}

TEST_F(ReceiverTest, ANewReceiverOnAnMLineThatHasSentGoesOnAboveIt) {
  for (int i = 0; i < 20; ++i) {
    receiver.emplace("video_0", MediaKind::kVideo, SessionId{1}, *viewer.server.peer, 1, world.rng);
    receiver->bind(source.key);
    receiver->attach(&source);
    forward(packet(100, true));
  }
  ASSERT_EQ(shown(), 20u);
  for (size_t i = 1; i < 20; ++i) EXPECT_EQ(viewer.client.got[i].sequence, viewer.client.got[i - 1].sequence + 1);
}

TEST_F(ReceiverTest, ASourceThatLiesWhereAnotherLayIsLookedAtAnew) {
  // The first publisher may send VP9 only, the second, which takes its place in memory, VP8 only.
  const uint8_t vp8 = payload_type(publisher, Codec::kVp8);
  Call vp9_only(world);
  ASSERT_TRUE(vp9_only.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "v", 1'000)}, {{Codec::kVp9}}));
  const uint32_t version = source.codecs_version;
  source = {};
  source.take_formats(vp9_only.server.peer->media(1));
  ASSERT_EQ(source.codecs_version, version);
  receiver->bind(source.key);
  receiver->attach(&source);
  auto undecodable = packet(100, true);
  undecodable.payload_type = vp8;
  forward(undecodable);
  EXPECT_EQ(shown(), 0u);
  receiver->attach(nullptr);
  source = {};
  source.take_formats(publisher.server.peer->media(1));
  receiver->attach(&source);
  forward(packet(200, true));
  EXPECT_EQ(shown(), 1u);
}

TEST_F(ReceiverTest, WhatTheViewerCannotDecodeAsksForNoKeyFrames) {
  Call vp9_viewer(world);
  ASSERT_TRUE(vp9_viewer.connect({Call::line(MediaKind::kVideo, Direction::kRecvOnly, "v")}, {{Codec::kVp9}}));
  Receiver blind("video_0", MediaKind::kVideo, SessionId{2}, *vp9_viewer.server.peer, 1, world.rng);
  blind.bind(source.key);
  blind.attach(&source);
  for (int64_t sequence = 1; sequence < 5; ++sequence) {
    EXPECT_FALSE(blind.forward(world.now, packet(sequence, sequence % 2 == 0), world.pool, vp9_viewer.server.out));
    EXPECT_FALSE(blind.wants_key_frame_of(world.now));
  }
  EXPECT_EQ(blind.take_state_change(), ReceiverState::kConnecting);
  EXPECT_EQ(blind.reason(), ErrorCode::kUnsupportedCodec) << "and says why";
  EXPECT_FALSE(blind.take_state_change()) << "once";
  auto vp9 = packet(6, true);
  vp9.payload_type = payload_type(publisher, Codec::kVp9);
  EXPECT_TRUE(blind.forward(world.now, vp9, world.pool, vp9_viewer.server.out));
  EXPECT_EQ(blind.take_state_change(), ReceiverState::kLive);
  EXPECT_FALSE(blind.reason());
  vp9_viewer.server.out.clear();
  blind.forward(world.now, packet(7, true), world.pool, vp9_viewer.server.out);
  EXPECT_EQ(blind.take_state_change(), ReceiverState::kConnecting) << "the publisher went over to VP8";
  EXPECT_EQ(blind.reason(), ErrorCode::kUnsupportedCodec);
  EXPECT_TRUE(vp9_viewer.server.out.empty());
}

TEST_F(ReceiverTest, AnotherFormatOnTheSameSsrcBeginsWithAKeyFrame) {
  receiver->bind(source.key);
  receiver->attach(&source);
  forward(packet(100, true));
  forward(packet(101, false));
  const auto vp9 = [&](int64_t sequence, bool is_key) {
    auto out = packet(sequence, is_key);
    out.payload_type = payload_type(publisher, Codec::kVp9);
    return out;
  };
  forward(vp9(103, false));
  EXPECT_EQ(shown(), 2u);
  EXPECT_TRUE(receiver->wants_key_frame_of(world.now));
  forward(vp9(104, true));
  forward(packet(102, false));
  forward(vp9(105, false));
  EXPECT_EQ(shown(), 4u) << "what is late of the format before is left out";
  EXPECT_FALSE(receiver->wants_key_frame_of(world.now));
  const auto& got = viewer.client.got;
  EXPECT_EQ(got[3].sequence, got[0].sequence + 3) << "and nobody asks for it";
}

TEST_F(ReceiverTest, AnEmptyPacketKeepsItsPlaceInTheSequence) {
  receiver->bind(source.key);
  receiver->attach(&source);
  forward(packet(100, true));
  peer::ReceivedPacket padding;
  padding.media = 1;
  padding.sequence = 101;
  padding.view.payload_type = payload_type(publisher, Codec::kVp8);
  padding.view.ssrc = 1'000;
  padding.view.timestamp = 300'000;
  std::vector<peer::MediaPacket> made;
  source.read(publisher.server.peer->media(1), padding, world.pool, made);
  ASSERT_EQ(made.size(), 1u);
  forward(made.front());
  forward(packet(102, false));
  viewer.run(500ms);
  EXPECT_EQ(shown(), 3u);
  EXPECT_EQ(viewer.client.peer->counters().nacks_sent, 0u);
}

TEST_F(ReceiverTest, GetsTheSimulcastLayerOfItsTargetAndSaysWhichKeyFrameItWaitsFor) {
  source.simulcast_layers = 3;
  const auto layered = [this](uint8_t layer, int64_t sequence, bool is_key) {
    auto out = packet(sequence, is_key);
    out.simulcast_layer = layer;
    out.ssrc = 1'000u + layer;
    return out;
  };
  receiver->set_target({{0, 2}});
  receiver->bind(source.key);
  receiver->attach(&source);
  for (const uint8_t layer : {2, 1, 0}) forward(layered(layer, 100 * (layer + 1), true));
  ASSERT_EQ(shown(), 1u);
  EXPECT_FALSE(receiver->wants_key_frame_of(world.now));
  receiver->set_target({{2, 2}});
  EXPECT_EQ(receiver->wants_key_frame_of(world.now), 2);
  forward(layered(2, 301, false));
  forward(layered(0, 101, false));
  EXPECT_EQ(shown(), 2u) << "the old one goes on until then";
  EXPECT_EQ(receiver->shown_simulcast_layer(world.now), 0);
  forward(layered(2, 302, true));
  forward(layered(0, 102, false));
  ASSERT_EQ(shown(), 3u);
  EXPECT_EQ(receiver->shown_simulcast_layer(world.now), 2);
  for (size_t i = 1; i < 3; ++i) EXPECT_EQ(viewer.client.got[i].sequence, viewer.client.got[i - 1].sequence + 1);
}

TEST_F(ReceiverTest, AnotherLayerGoesOnAtTheVeryTimeOfItsCapture) {
  source.simulcast_layers = 2;
  const auto layered = [this](uint8_t layer, int64_t sequence, Duration age) {
    auto out = packet(sequence, true);
    out.simulcast_layer = layer;
    out.ssrc = 1'000u + layer;
    out.captured_at = world.now.mono - age;
    return out;
  };
  receiver->set_target({{0, 2}});
  receiver->bind(source.key);
  receiver->attach(&source);
  forward(layered(0, 100, 10ms));
  const auto first = layered(0, 101, 10ms);
  forward(first);
  receiver->set_target({{1, 2}});
  viewer.run(100ms);
  const auto second = layered(1, 700, 80ms);  // its encoder takes longer
  forward(second);
  ASSERT_EQ(shown(), 3u);
  const auto step = static_cast<int32_t>(viewer.client.got[2].timestamp - viewer.client.got[1].timestamp);
  EXPECT_EQ(step, to_us(*second.captured_at - *first.captured_at) * 90 / 1'000);
  // Of another source the clock says it: its way may be another.
  const Instant sent = world.now.mono - 20ms;  // run by forward()
  Source other;
  other.key = {"p", "other"};
  other.kind = MediaKind::kVideo;
  other.take_formats(publisher.server.peer->media(1));
  other.simulcast_layers = 2;
  receiver->bind(other.key);
  receiver->attach(&other);
  viewer.run(100ms);
  const Instant now = world.now.mono;
  forward(layered(1, 900, 300ms));
  ASSERT_EQ(shown(), 4u);
  EXPECT_EQ(static_cast<int32_t>(viewer.client.got[3].timestamp - viewer.client.got[2].timestamp),
            to_us(now - sent) * 90 / 1'000);
}

TEST_F(ReceiverTest, APausedOneGetsNothingAndSaysSoUntilTheNextKeyFrame) {
  receiver->bind(source.key);
  receiver->attach(&source);
  forward(packet(100, true));
  forward::Target target = receiver->target();
  target.is_paused = true;
  receiver->take_state_change();
  receiver->set_target(target);
  EXPECT_EQ(receiver->take_state_change(), ReceiverState::kPaused);
  forward(packet(101, false));
  forward(packet(102, true));
  EXPECT_EQ(shown(), 1u);
  EXPECT_FALSE(receiver->wants_key_frame_of(world.now));
  EXPECT_FALSE(receiver->take_state_change());
  target.is_paused = false;
  receiver->set_target(target);
  EXPECT_EQ(receiver->take_state_change(), ReceiverState::kConnecting);
  EXPECT_EQ(receiver->wants_key_frame_of(world.now), 0);
  forward(packet(103, false));
  forward(packet(104, true));
  EXPECT_EQ(shown(), 2u);
  EXPECT_EQ(receiver->take_state_change(), ReceiverState::kLive);
  EXPECT_EQ(viewer.client.got[1].sequence, viewer.client.got[0].sequence + 1);
}

TEST_F(ReceiverTest, AnotherSsrcOfTheSameLayerTakesOverOnceTheFirstIsSilent) {
  receiver->bind(source.key);
  receiver->attach(&source);
  forward(packet(100, true));
  auto other = packet(500, true);
  other.ssrc = 2'000;
  forward(other);
  EXPECT_EQ(shown(), 1u);
  world.set_time(world.now.mono + 1s);
  other.sequence = 501;
  other.info = {};
  forward(other);
  EXPECT_EQ(shown(), 1u);
  EXPECT_EQ(receiver->wants_key_frame_of(world.now), 0) << "the old one is gone";
  other = packet(502, true);
  other.ssrc = 2'000;
  forward(other);
  EXPECT_EQ(shown(), 2u);
}

}  // namespace
}  // namespace atm::receiver
