#include "media/receiver/quality_meter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "core/peer/call_test.h"

namespace atm::receiver {
namespace {

using negotiation::Direction;
using peer::Call;

constexpr uint8_t kKeyFrame[] = {0x10, 0x10, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0x00};  // 640 x 360
constexpr size_t kAudio = 1, kVideo = 2;  // m-lines of the viewer

struct QualityMeterTest : testing::Test {
  void SetUp() override {
    ASSERT_TRUE(viewer.connect({Call::line(MediaKind::kAudio, Direction::kRecvOnly, "a"),
                                Call::line(MediaKind::kVideo, Direction::kRecvOnly, "v")}));
    audio.kind = MediaKind::kAudio;
    audio.set_codecs(viewer.server.peer->media(kAudio).negotiated().codecs);
    video.kind = MediaKind::kVideo;
    video.set_codecs(viewer.server.peer->media(kVideo).negotiated().codecs);
  }
  peer::MediaPacket packet(size_t size) {
    peer::MediaPacket out;
    out.payload = world.pool.copy(Bytes(size, 0x78));
    return out;
  }
  // A second of frames of 20 ms; every n-th is lost on the way to us.
  std::optional<uint32_t> hear(int lost_every = 0, size_t copies = 0, size_t size = 80) {
    for (int i = 0; i < 50; ++i) {
      ++sequence;
      peer::MediaPacket frame = packet(size);
      frame.sequence = sequence;
      frame.payload_type = audio.codecs[0].payload_type;
      if (lost_every != 0 && sequence % lost_every == 0) continue;
      audio.add_frame(now, frame);
      audio_meter.on_sent(now, frame, 0, copies);
      now += 20ms;
    }
    return audio_meter.judge(now, audio, {*viewer.server.peer, kAudio});
  }
  // A second of frames of two packets.
  std::optional<uint32_t> see(int frames = 30, size_t size = 1'000, uint8_t layer = 0) {
    for (int i = 0; i < frames; ++i) {
      timestamp += 3'000;
      for (int part = 0; part < 2; ++part) video_meter.on_sent(now, packet(size), timestamp, 0);
      now += Duration(1s) / frames + 1us;
    }
    return video_meter.judge(now, video, {*viewer.server.peer, kVideo, Codec::kVp8, layer});
  }
  void learn_size(uint8_t layer, const Bytes& payload) {
    peer::MediaPacket key = packet(0);
    key.payload = world.pool.copy(payload);
    key.payload_type = payload_type(Codec::kVp8);
    key.starts_key_frame = true;
    key.simulcast_layer = layer;
    video.measure(now, key);
  }
  uint8_t payload_type(Codec codec) const {
    for (const auto& c : video.codecs) {
      if (c.codec == codec) return c.payload_type;
    }
    return 0;
  }

  peer::CallWorld world{1};
  Call viewer{world};
  sender::Source audio, video;
  QualityMeter audio_meter{MediaKind::kAudio}, video_meter{MediaKind::kVideo};
  Instant now{100s};
  int64_t sequence = 0;
  uint32_t timestamp = 0;
};

TEST_F(QualityMeterTest, AudioWithoutLossIsAsGoodAsItGetsAndToldOnce) {
  EXPECT_FALSE(hear()) << "nothing to compare with yet";
  const auto mos = hear();
  ASSERT_TRUE(mos);
  EXPECT_GE(*mos, 4'390u);
  EXPECT_FALSE(hear());
}

TEST_F(QualityMeterTest, LossOnThePublishersWayShowsInTheNumbers) {
  hear();
  const auto good = hear();
  uint32_t mos = 0;
  for (int i = 0; i < 3; ++i) mos = hear(10).value_or(mos);
  ASSERT_GT(mos, 0u);
  EXPECT_LT(mos + 500, *good);
  for (int i = 0; i < 6; ++i) mos = hear().value_or(mos);
  EXPECT_GE(mos + 100, *good);
}

TEST_F(QualityMeterTest, SpeechThatPausesIsNoWorse) {
  hear();
  EXPECT_GE(hear(0, 0, 80).value_or(0), 4'390u);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(hear(0, 0, 60)) << "24 kbit/s";
}

TEST_F(QualityMeterTest, WhatIsNotHeardAtAllIsAsBadAsItGets) {
  hear();
  hear();
  now += 1s;
  EXPECT_LE(audio_meter.judge(now, audio, {*viewer.server.peer, kAudio}).value_or(0), 1'200u);
}

TEST_F(QualityMeterTest, VideoIsJudgedByTheLayerThatIsShown) {
  video.simulcast_layers = 2;
  Bytes small(std::begin(kKeyFrame), std::end(kKeyFrame));
  small[7] = 0x40, small[8] = 0x01, small[9] = 0xb4, small[10] = 0x00;  // 320 x 180
  learn_size(0, small);
  learn_size(1, Bytes(std::begin(kKeyFrame), std::end(kKeyFrame)));
  EXPECT_EQ(video.sizes[0], (payload::PictureSize{320, 180}));
  EXPECT_EQ(video.sizes[1], (payload::PictureSize{640, 360}));
  EXPECT_FALSE(see(30, 1'000, 1));
  const auto top = see(30, 1'000, 1);
  ASSERT_TRUE(top);
  EXPECT_GE(*top, 4'000u);
  const auto low = see(30, 250, 0);
  ASSERT_TRUE(low);
  EXPECT_LT(*low + 300, *top) << "shown larger than it is";
}

TEST_F(QualityMeterTest, FewerFramesAndFreezesAreWorse) {
  see();
  const auto good = see();
  ASSERT_TRUE(good);
  uint32_t few = *good;
  for (int i = 0; i < 4; ++i) few = see(8).value_or(few);
  EXPECT_LT(few + 300, *good);
  for (int i = 0; i < 6; ++i) see();
  now += 1s;
  const auto frozen = video_meter.judge(now, video, {*viewer.server.peer, kVideo, Codec::kVp8, 0});
  ASSERT_TRUE(frozen);
  EXPECT_LT(*frozen, 1'500u);
}

TEST_F(QualityMeterTest, AScreenMayStandStill) {
  video.screen = true;
  see(5);
  const auto good = see(5);
  now += 1s;
  EXPECT_GE(video_meter.judge(now, video, {*viewer.server.peer, kVideo, Codec::kVp8, 0}).value_or(*good), 3'000u);
}

TEST_F(QualityMeterTest, APictureThatTheViewerLostIsWorse) {
  see();
  const auto good = see();
  now += 1s / 2;
  see();
  see();
  video_meter.on_picture_lost(now, 50ms);
  EXPECT_LT(see().value_or(*good), 1'800u) << "nothing new is seen for the whole second";
}

// What it costs, told beside the result; nothing is asserted of a machine.
TEST_F(QualityMeterTest, Cost) {
  constexpr int kRounds = 1'000'000;
  const auto measure = [](auto&& step) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i) step(i);
    const auto took = std::chrono::steady_clock::now() - start;
    return std::chrono::duration<double, std::nano>(took).count() / kRounds;
  };
  const peer::MediaPacket frame = packet(80);
  learn_size(0, Bytes(std::begin(kKeyFrame), std::end(kKeyFrame)));
  hear();
  see();
  uint64_t sum = 0;
  const double audio_packet = measure([&](int i) { audio_meter.on_sent(now, frame, 0, static_cast<size_t>(i & 1)); });
  const double video_packet =
      measure([&](int i) { video_meter.on_sent(now, frame, timestamp + static_cast<uint32_t>(i), 0); });
  const double heard_packet = measure([&](int i) { audio.heard.on_frame(now, 1, 0, i, 80, false); });
  const double audio_judged =
      measure([&](int) { sum += audio_meter.judge(now += 1s, audio, {*viewer.server.peer, kAudio}).value_or(0); });
  const double video_judged = measure([&](int) {
    video_meter.on_sent(now, frame, ++timestamp, 0);
    sum += video_meter.judge(now += 1s, video, {*viewer.server.peer, kVideo, Codec::kVp8, 0}).value_or(0);
  });
  EXPECT_GT(sum, 0u);
  std::printf(
      "ns: packet to a viewer, audio %.1f, video %.1f; frame of a source %.1f; judged, audio %.0f, video %.0f\n",
      audio_packet, video_packet, heard_packet, audio_judged, video_judged);
}

}  // namespace
}  // namespace atm::receiver
