// Media of engines: simulcast, bitrates that hold, and lips that fit the voice.
#include <cmath>
#include <cstdio>

#include "gtest/gtest.h"
#include "sdk_world.h"

namespace atm::sim {
namespace {

void view(SdkWorld& world, SdkClient& viewer, size_t receiver, const std::string& peer, const std::string& stream) {
  EXPECT_FALSE(world.ask(viewer, [&](uint64_t id, client::Output& out) {
    viewer->view(world.now(), receiver, {peer, stream}, 50, id, out);
  }));
}

// bit/s of an encoder's frames in the time that passes.
uint64_t measure(SdkWorld& world, SdkClient& client, size_t encoder, Duration length) {
  const auto sum = [&] {
    uint64_t bytes = 0;
    for (const uint64_t layer : client.encoders[encoder].bytes) bytes += layer;
    return bytes;
  };
  const uint64_t before = sum();
  world.run_for(length);
  return (sum() - before) * 8 * 1'000'000 / static_cast<uint64_t>(to_us(length));
}

// --- simulcast --------------------------------------------------------------------------------------------------

struct Simulcast {
  explicit Simulcast(uint64_t seed, LinkConfig link = {}) : world(seed, link) {
    client::Config config = sdk_config("ann");
    config.senders = {sdk_video()};
    config.senders[0].simulcast = true;
    ann = &world.join(config);
    bob = &world.join(sdk_config("bob"));
    world.encode(*ann, 0, 200'000);
    view(world, *bob, 0, "ann", "video_main");
  }
  void limit(uint8_t spatial) {
    contract::ReceiverLimit limit;
    limit.max_spatial = spatial;
    EXPECT_FALSE(
        world.ask(*bob, [&](uint64_t id, client::Output& out) { (*bob)->limit(world.now(), 0, limit, id, out); }));
    world.run_for(4s);
  }
  SdkWorld world;
  SdkClient* ann = nullptr;
  SdkClient* bob = nullptr;
};

TEST(SdkSimulcast, ThreeLayersGoOutOnOneLine) {
  Simulcast call(41);
  call.world.run_for(10s);
  const peer::MediaLine& line = (*call.ann)->peer()->media(1);
  ASSERT_EQ(line.send_layers(), 3);
  for (uint8_t i = 0; i < 3; ++i) {
    EXPECT_GT(line.send_stream(i)->counters().packets, 100u) << int{i};
    EXPECT_TRUE(line.send_stream(i)->remote_report()) << int{i};  // the server knows its SSRC
    EXPECT_TRUE(line.send_stream(i)->rtt()) << int{i};            // from our sender reports
  }
  EXPECT_EQ(call.bob->seen[0].back().layer, 2);
}

TEST(SdkSimulcast, TheViewersLimitChoosesTheLayerAndItsKeyFrame) {
  Simulcast call(42);
  call.world.run_for(6s);
  for (const uint8_t layer : {0, 2, 1}) {
    const auto before = call.ann->encoders[0].key_frames;
    call.limit(layer);
    EXPECT_EQ(call.bob->seen[0].back().layer, layer);
    EXPECT_GT(call.ann->encoders[0].key_frames[layer], before[layer]) << int{layer};
    EXPECT_GE(call.bob->frames_since(0, call.world.now().mono - 1s), 29u);
  }
  bool is_asked_by_layer = false;
  for (const auto& wanted : call.ann->told<client::KeyFrameWanted>()) is_asked_by_layer |= wanted.layer == 1;
  EXPECT_TRUE(is_asked_by_layer);
}

TEST(SdkSimulcast, LossIsRepairedOnEachLayer) {
  LinkConfig link;
  link.loss = 0.03;
  Simulcast call(43, link);
  call.world.run_for(8s);
  const peer::MediaLine& line = (*call.ann)->peer()->media(1);
  for (const uint8_t layer : {0, 1, 2}) {
    call.limit(layer);
    const Instant since = call.world.now().mono;
    call.world.run_for(5s);
    EXPECT_GT(line.send_stream(layer)->counters().rtx_packets, 0u) << int{layer};
    EXPECT_GE(call.bob->frames_since(0, since), 145u) << int{layer};
  }
}

TEST(SdkSimulcast, ServesTwoViewersWithALayerEach) {
  Simulcast call(44);
  SdkClient& cid = call.world.join(sdk_config("cid"));
  view(call.world, cid, 0, "ann", "video_main");
  call.world.run_for(6s);
  call.limit(0);
  EXPECT_EQ(call.bob->seen[0].back().layer, 0);
  EXPECT_EQ(cid.seen[0].back().layer, 2);
}

TEST(SdkSimulcast, LivesOnInANewConnection) {
  Simulcast call(45);
  call.world.replace("one");
  call.world.expect_state(*call.ann, client::State::kReconnecting, 10s);
  call.world.expect_state(*call.ann, client::State::kConnected, 10s);
  call.world.run_for(10s);
  EXPECT_EQ(call.bob->seen[0].back().layer, 2);
  EXPECT_GE(call.bob->frames_since(0, call.world.now().mono - 1s), 29u);
}

TEST(SdkSimulcast, OnlyTheLowestLayerGoesOnWhenNobodyViews) {
  Simulcast call(46);
  call.world.run_for(6s);
  EXPECT_GT(call.ann->encoders[0].layer_bps[2], 0u);
  EXPECT_FALSE(call.world.ask(
      *call.bob, [&](uint64_t id, client::Output& out) { (*call.bob)->unview(call.world.now(), 0, id, out); }));
  call.world.run_for(5s);
  const auto& bps = call.ann->encoders[0].layer_bps;
  EXPECT_NEAR(static_cast<double>(bps[0]), 100'000, 10'000);
  EXPECT_EQ(bps[1], 0u);
  EXPECT_EQ(bps[2], 0u);
}

// --- bitrates ---------------------------------------------------------------------------------------------------

struct Rates {
  explicit Rates(uint64_t seed, contract::BitrateControlMode mode, std::vector<uint64_t> max_bps, LinkConfig link = {},
                 uint64_t token_bps = 0)
      : world(seed, link) {
    client::Config config = sdk_config("ann");
    for (size_t i = 0; i < max_bps.size(); ++i) {
      config.senders.push_back(sdk_video("video_" + std::to_string(i)));
      config.senders.back().max_bitrate_bps = max_bps[i];
    }
    config.bitrate_control_mode = mode;
    if (token_bps != 0) config.token = world.token("ann", token_bps);
    ann = &world.join(config);
    config = sdk_config("bob");
    config.receivers = {0, static_cast<uint32_t>(max_bps.size())};
    bob = &world.join(config);
    for (size_t i = 0; i < max_bps.size(); ++i) world.encode(*ann, i);
  }
  void view_all() {
    for (size_t i = 0; i < ann->encoders.size(); ++i) view(world, *bob, i, "ann", "video_" + std::to_string(i));
  }
  SdkWorld world;
  SdkClient* ann = nullptr;
  SdkClient* bob = nullptr;
};

using Mode = contract::BitrateControlMode;

TEST(SdkRates, MaxBitrateIsHeld) {
  for (const Mode mode : {Mode::kSumBitrateWithClientSide, Mode::kSumBitrateOnly, Mode::kPerStream}) {
    for (const uint64_t max : {300'000, 800'000, 1'500'000}) {
      Rates call(51, mode, {max});
      call.view_all();
      call.world.run_for(20s);
      const auto bps = static_cast<double>(measure(call.world, *call.ann, 0, 10s));
      EXPECT_NEAR(bps, static_cast<double>(max), static_cast<double>(max) / 10) << static_cast<int>(mode);
      std::printf("a maximum of %.0f kbit/s: %.0f\n", static_cast<double>(max) / 1e3, bps / 1e3);
    }
  }
}

TEST(SdkRates, WhatNobodyViewsIsIdleAndBackAtOnce) {
  Rates call(52, Mode::kSumBitrateWithClientSide, {1'500'000});
  call.world.run_for(5s);
  EXPECT_LE(measure(call.world, *call.ann, 0, 5s), 110'000u);
  call.view_all();
  call.world.run_for(3s);
  EXPECT_GE(measure(call.world, *call.ann, 0, 5s), 1'000'000u);
}

// Its own maximum alone: what the server knows of viewers is not said.
TEST(SdkRates, SumBitrateOnlyIsNotIdle) {
  Rates call(53, Mode::kSumBitrateOnly, {600'000});
  call.world.run_for(15s);
  EXPECT_NEAR(static_cast<double>(measure(call.world, *call.ann, 0, 5s)), 600'000, 60'000);
  EXPECT_TRUE(call.ann->server_said<contract::StreamLimitEvent>().empty());
}

TEST(SdkRates, PerStreamEachStreamHasItsOwn) {
  Rates call(54, Mode::kPerStream, {1'000'000, 1'000'000});
  view(call.world, *call.bob, 0, "ann", "video_0");
  call.world.run_for(15s);
  const auto watched = static_cast<double>(measure(call.world, *call.ann, 0, 5s));
  EXPECT_NEAR(watched, 1'000'000, 100'000);
  EXPECT_LE(measure(call.world, *call.ann, 1, 5s), 110'000u);
}

TEST(SdkRates, TheMaximumOfATokenIsForAllVideoTogether) {
  for (const Mode mode : {Mode::kSumBitrateWithClientSide, Mode::kSumBitrateOnly}) {
    Rates call(55, mode, {1'000'000, 500'000}, {}, 600'000);
    call.view_all();
    call.world.run_for(20s);
    const Instant since = call.world.now().mono;
    const uint64_t one = call.ann->encoders[0].bytes[0], two = call.ann->encoders[1].bytes[0];
    call.world.run_for(10s);
    const double seconds = static_cast<double>(to_us(call.world.now().mono - since)) / 1e6;
    const double first = static_cast<double>(call.ann->encoders[0].bytes[0] - one) * 8 / seconds;
    const double second = static_cast<double>(call.ann->encoders[1].bytes[0] - two) * 8 / seconds;
    EXPECT_NEAR(first + second, 600'000, 60'000) << static_cast<int>(mode);
    EXPECT_NEAR(first / second, 2, 0.2) << static_cast<int>(mode);
  }
}

TEST(SdkRates, AWayThatIsTooNarrowIsNotOverfilled) {
  LinkConfig link;
  link.rate_bps = 1'000'000;
  link.queue = 300ms;
  Rates call(56, Mode::kSumBitrateWithClientSide, {2'000'000}, link);
  call.view_all();
  call.world.run_for(20s);
  const uint64_t lost = call.ann->up->lost_in_queue(), sent = call.ann->up->sent();
  const auto bps = measure(call.world, *call.ann, 0, 10s);
  std::printf("a way of 1000 kbit/s: %.0f\n", static_cast<double>(bps) / 1e3);
  EXPECT_GE(bps, 500'000u);
  EXPECT_LE(bps, 1'000'000u);
  EXPECT_LE((call.ann->up->lost_in_queue() - lost) * 100, call.ann->up->sent() - sent);
}

// --- lip sync ---------------------------------------------------------------------------------------------------

double mean_latency_ms(const std::vector<SeenFrame>& frames, Instant since) {
  double sum = 0;
  size_t count = 0;
  for (const SeenFrame& frame : frames) {
    if (frame.at < since) continue;
    sum += static_cast<double>(to_us(frame.render_at - frame.captured_at)) / 1'000;
    ++count;
  }
  return count == 0 ? NAN : sum / static_cast<double>(count);
}

TEST(SdkLipSync, AudioAndVideoOfOnePeerPlayTogetherAlsoAfterASwitch) {
  LinkConfig link;
  link.rate_bps = 3'000'000;  // frames of video take longer than packets of audio
  link.queue = 500ms;
  SdkWorld world(61, link);
  for (const std::string peer : {"ann", "cid"}) {
    client::Config config = sdk_config(peer);
    config.senders = {sdk_audio(), sdk_video()};
    config.senders[1].max_bitrate_bps = 1'500'000;
    SdkClient& client = world.join(config);
    world.encode(client, 0);
    world.encode(client, 1);
  }
  SdkClient& bob = world.join(sdk_config("bob"));
  for (const std::string peer : {"ann", "cid", "ann"}) {
    view(world, bob, 0, peer, "video_main");
    view(world, bob, 1, peer, "audio_main");
    world.run_for(15s);
    const Instant since = world.now().mono;
    world.run_for(5s);
    const double video = mean_latency_ms(bob.seen[0], since), audio = mean_latency_ms(bob.seen[1], since);
    EXPECT_NEAR(video, audio, 20) << peer;
    std::printf("from capture to playing: video %.1f ms, audio %.1f ms\n", video, audio);
  }
}

// The server gets them apart: what it knows of their time is what the publisher says.
TEST(SdkLipSync, WhatASlowEncoderHoldsBackPlaysTogetherAlsoAfterASwitch) {
  SdkWorld world(62);
  const std::array<std::array<Duration, 2>, 2> latencies{{{0ms, 300ms}, {200ms, 20ms}}};  // audio, video
  for (size_t i = 0; i < latencies.size(); ++i) {
    client::Config config = sdk_config(i == 0 ? "ann" : "cid");
    config.senders = {sdk_audio(), sdk_video()};
    SdkClient& client = world.join(config);
    for (size_t sender = 0; sender < 2; ++sender) world.encode(client, sender).latency = latencies[i][sender];
  }
  SdkClient& bob = world.join(sdk_config("bob"));
  for (const std::string peer : {"ann", "cid", "ann"}) {
    view(world, bob, 0, peer, "video_main");
    view(world, bob, 1, peer, "audio_main");
    world.run_for(15s);
    const Instant since = world.now().mono;
    world.run_for(5s);
    const double video = mean_latency_ms(bob.seen[0], since), audio = mean_latency_ms(bob.seen[1], since);
    EXPECT_NEAR(video, audio, 20) << peer;
    std::printf("a slow encoder, from capture to playing: video %.1f ms, audio %.1f ms\n", video, audio);
  }
}

}  // namespace
}  // namespace atm::sim
