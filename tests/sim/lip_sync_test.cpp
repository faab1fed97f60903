// What the server's sender reports tell a viewer of when sound and picture were captured: of a publisher whose video
// arrives later than its audio, whose clock has an epoch and a speed of its own; over a switch of publisher, of
// layer and of talker. A viewer can play lips and voice together only if this holds (core/playout/lip_sync.h).
#include <gtest/gtest.h>

#include <cstdio>

#include "world.h"

namespace atm::sim {
namespace {

constexpr LinkConfig kLink{20ms, 5ms, 0, 0};
constexpr Duration kMostApart = 5ms;
// The publisher's way to the server; the rest is jitter of the filter's first reports.
constexpr Duration kLeastDelay = 18ms, kMostDelay = 30ms;

struct Told {
  // How much later than it was captured the reports say it was.
  std::optional<Duration> audio, video;
};

struct Viewing {
  explicit Viewing(size_t workers) : world(71, kLink, workers) {}

  Client& publish(const std::string& peer, Duration video_latency, Duration clock_ahead, int64_t ppm,
                  bool is_simulcast = false) {
    ClientConfig config;
    config.peer = peer;
    config.video_receivers = config.audio_receivers = 0;
    config.video_latency = video_latency;
    config.clock_ahead = clock_ahead;
    config.clock_ppm = ppm;
    config.sends_simulcast = config.reports_layers = is_simulcast;
    publishers.push_back(&world.join(config));
    return *publishers.back();
  }
  void join_viewer() {
    ClientConfig config;
    config.peer = "viewer";
    config.sends_audio = config.sends_video = false;
    viewer = &world.join(config);
    ASSERT_TRUE(world.run_until([&] { return viewer->streams().size() == 2 * publishers.size(); }, 10s));
  }
  void view(const std::string& peer) {
    world.view(*viewer, "audio_0", peer, "audio_main");
    world.view(*viewer, "video_0", peer, "video_main");
  }
  // On the server's clock, which is the world's.
  std::optional<Duration> told(uint32_t ssrc, uint32_t timestamp, uint32_t clock_rate, Instant captured) {
    peer::Peer& peer = viewer->peer();
    for (size_t i = 0; i < peer.media_count(); ++i) {
      for (const auto& stream : peer.media(i).receive_streams()) {
        const auto& clock = stream->sender_clock();
        if (stream->config().ssrc != ssrc || !clock) continue;
        const auto ticks = static_cast<int32_t>(timestamp - clock->report.rtp_timestamp);
        const auto since = static_cast<int64_t>(clock->report.ntp - to_ntp(wall_of(captured)));
        return Duration((since >> 16) * 1'000'000 / 65'536) + Duration(int64_t{ticks} * 1'000'000 / clock_rate);
      }
    }
    return std::nullopt;
  }
  WallTime wall_of(Instant at) const { return world.now().wall - (world.now().mono - at); }
  Told look() {
    Told told_now;
    if (!viewer->heard().empty()) {
      const HeardFrame& frame = viewer->heard().back();
      const Instant captured = publishers[frame.publisher - 1]->audio_captured(frame.counter);
      told_now.audio = told(frame.ssrc, frame.timestamp, 48'000, captured);
    }
    const SeenPicture& picture = viewer->seen(0);
    if (picture.publisher != 0) {
      const uint32_t number = picture.publisher < 1'000 ? picture.publisher : picture.publisher / 1'000;
      const Instant captured = publishers[number - 1]->video_captured(picture.publisher, picture.frame);
      told_now.video = told(picture.ssrc, picture.timestamp, 90'000, captured);
    }
    return told_now;
  }
  void expect_together(const std::string& what, Duration length = 5s) {
    Duration most_apart{}, least = Duration::max(), most = Duration::min();
    for (Duration t{}; t < length; t += 100ms) {
      world.run_for(100ms);
      const Told now = look();
      ASSERT_TRUE(now.audio && now.video) << what;
      most_apart = std::max(most_apart, std::chrono::abs(*now.audio - *now.video));
      least = std::min({least, *now.audio, *now.video});
      most = std::max({most, *now.audio, *now.video});
    }
    std::printf("%zu worker(s), %s: audio and video apart by %.1f ms at most, %.1f to %.1f ms after the capture\n",
                world.worker_count(), what.c_str(), ms(most_apart), ms(least), ms(most));
    EXPECT_LE(most_apart, kMostApart) << what;
    EXPECT_GE(least, kLeastDelay) << what;
    EXPECT_LE(most, kMostDelay) << what;
  }
  static double ms(Duration d) { return static_cast<double>(d.count()) / 1'000; }

  World world;
  std::vector<Client*> publishers;
  Client* viewer = nullptr;
};

constexpr Duration kAheadOfServer = 12'345s, kBehindServer = -1'600'000'000s;  // not long after 1970

struct SenderReports : testing::TestWithParam<size_t> {};

TEST_P(SenderReports, TellWhenAudioAndVideoWereCapturedAlsoAfterASwitchOfPublisher) {
  Viewing call(GetParam());
  call.publish("anna", 300ms, kBehindServer, 50);
  call.publish("bela", 80ms, kAheadOfServer, -50);
  call.join_viewer();
  call.view("anna");
  call.world.run_for(5s);
  call.expect_together("video 300 ms late");
  for (const char* peer : {"bela", "anna", "bela"}) {
    call.view(peer);
    call.world.run_for(3s);
    call.expect_together(std::string("switched to ") + peer);
  }
  call.world.run_for(60s);
  call.expect_together("a minute later");
}

TEST_P(SenderReports, GoOnOverASwitchOfLayerAndASilence) {
  Viewing call(GetParam());
  call.publish("anna", 300ms, kBehindServer, 50, /*is_simulcast=*/true);
  call.join_viewer();
  call.view("anna");
  call.world.run_for(5s);
  call.expect_together("highest layer");
  for (const uint32_t layer : {0u, 2u, 1u}) {
    contract::ReceiverLimit wanted;
    wanted.max_spatial = layer;
    call.world.request(*call.viewer, contract::ReceiverSetLimit{"video_0", wanted});
    call.world.run_for(3s);
    EXPECT_EQ(call.viewer->seen(0).publisher, Client::layer_publisher(1, static_cast<uint8_t>(layer)));
    call.expect_together("layer " + std::to_string(layer));
  }
  for (const bool is_muted : {true, false}) {
    for (uint8_t layer = 0; layer < kSimulcastLayers; ++layer) call.publishers[0]->set_layer_muted(layer, is_muted);
    call.world.run_for(4s);
  }
  call.expect_together("after a silence");
}

// Their mapping is that of who is heard; the timestamps go on by the clock (mix_minus_test.cpp).
TEST_P(SenderReports, OfASlotTellWhenTheTalkerOfTheMomentWasHeard) {
  Viewing call(GetParam());
  for (const auto& [peer, latency] : {std::pair{"anna", 150ms}, {"bela", 0ms}}) {
    ClientConfig config;
    config.peer = peer;
    config.sends_video = false;
    config.video_receivers = config.audio_receivers = 0;
    config.audio_latency = latency;
    config.audio_copies = 1;
    config.clock_ahead = latency == 0ms ? kAheadOfServer : kBehindServer;
    call.publishers.push_back(&call.world.join(config));
    call.publishers.back()->set_audio_level(-127);
  }
  ClientConfig config;
  config.peer = "viewer";
  config.sends_audio = config.sends_video = false;
  config.mix_minus = contract::MixMinusMode::kAll;
  call.viewer = &call.world.join(config);
  call.world.view(*call.viewer, "audio_0", "", "mix_minus_default_0");
  for (const size_t talker : {0, 1, 0}) {
    call.publishers[talker]->set_audio_level(-30);
    call.publishers[1 - talker]->set_audio_level(-127);
    call.world.run_for(4s);
    for (int i = 0; i < 30; ++i) {
      call.world.run_for(100ms);
      ASSERT_EQ(call.viewer->heard().back().publisher, talker + 1);
      const auto told = call.look().audio;
      ASSERT_TRUE(told);
      EXPECT_GE(*told, kLeastDelay);
      EXPECT_LE(*told, kMostDelay);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, SenderReports, testing::Values(1, 2));

}  // namespace
}  // namespace atm::sim
