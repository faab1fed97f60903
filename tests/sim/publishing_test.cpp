// Publishers that keep to what the server allows, as browsers do with REMB and the project's own SDKs with
// remote_stream_{name}_limit: next to nothing while nobody views, all at once for the first viewer, and never less for
// a slow one. With as many workers as ATM0S_SIM_WORKERS says.
#include <gtest/gtest.h>

#include <cstdio>

#include "wire/rtp/packet.h"
#include "world.h"

namespace atm::sim {
namespace {

using contract::BitrateControlMode;

constexpr LinkConfig kPerfect{20ms, 0ms, 0, 0};
constexpr uint64_t kTrickle = 150'000;  // bit/s of RTP: what an unwatched publisher sends at most
constexpr uint64_t kPicture = 864'000;  // of the video of a client, headers left out
constexpr uint64_t kAllLayers = 1'632'000;

ClientConfig publisher_config(bool simulcast = false) {
  ClientConfig config;
  config.peer = "anna";
  config.sends_audio = false;
  config.sends_simulcast = simulcast;
  config.video_receivers = config.audio_receivers = 0;
  config.obeys_remb = true;
  return config;
}

struct Stage {
  explicit Stage(size_t workers = World::default_workers()) : world(1, kPerfect, workers) {
    world.watch = [this](const Client& from, ByteView datagram) {
      if (&from == publisher && rtp::classify(datagram) == rtp::PacketClass::kRtp) bytes += datagram.size();
    };
  }
  void publish(const ClientConfig& config) { publisher = &world.join(config); }
  Client& add_viewer(const char* name) {
    ClientConfig config;
    config.peer = name;
    config.sends_audio = config.sends_video = false;
    Client& viewer = world.join(config);
    EXPECT_TRUE(world.run_until([&] { return viewer.streams().size() == 1; }, 10s));
    return viewer;
  }
  void view(Client& viewer) { world.view(viewer, "video_0", "anna", "video_main"); }
  void leave(Client& viewer) { world.request(viewer, contract::ReceiverDisconnect{"video_0"}); }
  void limit(Client& viewer, uint32_t max_spatial) {
    contract::ReceiverLimit wanted;
    wanted.max_spatial = max_spatial;
    world.request(viewer, contract::ReceiverSetLimit{"video_0", wanted});
  }
  // What the publisher sends from now on, bit/s of its RTP datagrams.
  uint64_t rate(Duration length) {
    bytes = 0;
    world.run_for(length);
    return bytes * 8 * 1'000 / static_cast<uint64_t>(to_ms(length));
  }
  uint64_t remb() const { return publisher->peer().remb_bps().value_or(0); }
  const contract::StreamLimitEvent& told() const { return publisher->limits().at("video_main"); }
  // The simulcast layer that is shown, or 0.
  int shown(Client& viewer) const {
    return static_cast<int>(viewer.video(0).shown_publisher()) -
           static_cast<int>(Client::layer_publisher(publisher->number(), 0));
  }
  // How long until it is so, in milliseconds; -1: not within `most`.
  int64_t time_until(const std::function<bool()>& is_so, Duration most) {
    const Duration before = world.elapsed();
    return world.run_until(is_so, most) ? to_ms(world.elapsed() - before) : -1;
  }

  World world;
  Client* publisher = nullptr;
  uint64_t bytes = 0;
};

struct Publishing : Stage, testing::Test {};

// Of the way from nobody to a viewer that sees all, for a publisher that was idle for `idle`.
struct Awakening {
  uint64_t idle_bps = 0;
  int64_t first_ms = -1, best_ms = -1;
};

Awakening awaken(Stage& stage, const ClientConfig& config, Duration idle) {
  Awakening out;
  stage.publish(config);
  Client& viewer = stage.add_viewer("bela");
  stage.world.run_for(3s);
  out.idle_bps = stage.rate(idle);
  stage.view(viewer);
  out.first_ms = stage.time_until([&] { return viewer.video(0).key_frames() > 0; }, 5s);
  const Duration since = stage.world.elapsed();
  const auto is_best = [&] { return config.sends_simulcast ? stage.shown(viewer) == 2 : stage.rate(500ms) > kPicture; };
  while (!is_best() && stage.world.elapsed() - since < 60s) stage.world.run_for(33ms);
  out.best_ms = out.first_ms + to_ms(stage.world.elapsed() - since);
  EXPECT_EQ(viewer.video(0).contradictions(), 0u);
  std::printf("%s%s: idle at %llu bit/s, first picture after %lld ms, the best after %lld ms\n",
              config.sends_simulcast ? "simulcast" : "one layer", config.applies_limits ? ", applies limits" : "",
              static_cast<unsigned long long>(out.idle_bps), static_cast<long long>(out.first_ms),
              static_cast<long long>(out.best_ms));
  return out;
}

TEST_F(Publishing, AnUnwatchedOneSendsATrickleAndAViewerGetsThePictureAtOnceAndTheBestSoon) {
  const Awakening one = awaken(*this, publisher_config(), 20s);
  EXPECT_LE(one.idle_bps, kTrickle);
  EXPECT_GE(one.idle_bps, 50'000u) << "enough for a key frame";
  EXPECT_LE(static_cast<uint64_t>(one.first_ms), 1'000u);
  EXPECT_LE(static_cast<uint64_t>(one.best_ms), 30'000u);
}

TEST_F(Publishing, SoWithSimulcast) {
  const Awakening one = awaken(*this, publisher_config(true), 20s);
  EXPECT_LE(one.idle_bps, kTrickle);
  EXPECT_LE(static_cast<uint64_t>(one.first_ms), 1'000u);
  EXPECT_LE(static_cast<uint64_t>(one.best_ms), 30'000u);
}

TEST(PublishingAnew, WhoAppliesLimitsIsBackAtTheBestWithinTenSeconds) {
  for (const bool simulcast : {false, true}) {
    Stage stage;
    ClientConfig config = publisher_config(simulcast);
    config.applies_limits = true;
    const Awakening one = awaken(stage, config, 20s);
    EXPECT_LE(one.idle_bps, kTrickle);
    EXPECT_LE(static_cast<uint64_t>(one.first_ms), 1'000u);
    EXPECT_LE(static_cast<uint64_t>(one.best_ms), 10'000u);
  }
}

TEST_F(Publishing, TheTrickleBeginsWithinThreeSecondsOfTheStartAndOfTheLastViewersEnd) {
  publish(publisher_config());
  world.run_for(3s);
  EXPECT_LE(rate(1s), kTrickle);
  Client& viewer = add_viewer("bela");
  view(viewer);
  world.run_for(40s);
  EXPECT_GE(rate(2s), kPicture);
  leave(viewer);
  world.run_for(3s);
  EXPECT_LE(rate(1s), kTrickle);
}

TEST_F(Publishing, AViewerThatOnlyLooksAwayForAMomentFindsItAsItWas) {
  publish(publisher_config());
  Client& viewer = add_viewer("bela");
  view(viewer);
  world.run_for(40s);
  for (int i = 0; i < 5; ++i) {
    leave(viewer);
    world.run_for(1s);
    view(viewer);
    world.run_for(1s);
    EXPECT_GE(rate(500ms), kPicture);
  }
}

TEST_F(Publishing, OfAMaximumAloneNothingIsIdledAndNothingIsTold) {
  ClientConfig config = publisher_config();
  config.bitrate_control_mode = BitrateControlMode::kSumBitrateOnly;
  publish(config);
  world.run_for(3s);
  EXPECT_GE(rate(5s), kPicture);
  EXPECT_NEAR(static_cast<double>(remb()), 2'500'000, 20);
  EXPECT_TRUE(publisher->limits().empty());
  EXPECT_EQ(publisher->last_answer().find("b=TIAS"), std::string::npos);
}

TEST(PublishingAnew, ATokenLowersTheMaximum) {
  for (const auto mode : {BitrateControlMode::kSumBitrateOnly, BitrateControlMode::kSumBitrateWithClientSide}) {
    Stage stage;
    ClientConfig config = publisher_config();
    config.bitrate_control_mode = mode;
    config.grant.max_bitrate_bps = 400'000;
    stage.publish(config);
    stage.view(stage.add_viewer("bela"));
    stage.world.run_for(30s);
    EXPECT_NEAR(static_cast<double>(stage.remb()), 400'000, 20);
    EXPECT_NEAR(static_cast<double>(stage.rate(2s)), 430'000, 30'000) << "with its headers";
  }
}

TEST(PublishingAnew, ARenewedTokenLowersTheMaximumAndLiftsIt) {
  Stage stage;
  contract::Grant renewed;
  stage.world.judge = [&](const contract::TokenQuestion&) -> Result<contract::Grant> { return renewed; };
  stage.publish(publisher_config());
  stage.view(stage.add_viewer("bela"));
  const auto renew = [&](uint64_t max_bps) {
    renewed.max_bitrate_bps = max_bps;
    const uint64_t id = stage.world.request(*stage.publisher, contract::PeerToken{"another"});
    EXPECT_TRUE(stage.world.run_until([&] { return stage.publisher->succeeded(id); }, 1s));
    stage.world.run_for(500ms);
  };
  stage.world.run_for(3s);
  const auto before = static_cast<double>(stage.remb());
  EXPECT_GT(before, 1'000'000);
  renew(300'000);
  EXPECT_NEAR(static_cast<double>(stage.remb()), 300'000, 20);
  renew(700'000);
  EXPECT_NEAR(static_cast<double>(stage.remb()), 700'000, 20);
  renew(0);
  EXPECT_NEAR(static_cast<double>(stage.remb()), before, before / 10);
}

TEST_F(Publishing, EachStreamOnItsOwnIsLimitedByItsSenderAndItsViewers) {
  ClientConfig config = publisher_config();
  config.bitrate_control_mode = BitrateControlMode::kPerStream;
  config.max_video_bitrate = 600'000;
  config.applies_limits = true;
  publish(config);
  EXPECT_NE(publisher->last_answer().find("b=TIAS:600000\r\n"), std::string::npos);
  world.run_for(3s);
  EXPECT_EQ(told().max_bitrate_bps, 100'000u);
  EXPECT_TRUE(told().layers.empty());
  EXPECT_LE(rate(2s), kTrickle);
  Client& viewer = add_viewer("bela");
  view(viewer);
  world.run_for(3s);
  EXPECT_EQ(told().max_bitrate_bps, 600'000u);
  EXPECT_EQ(told().layers, (std::vector<uint8_t>{0, 1, 2}));
  EXPECT_NEAR(static_cast<double>(rate(2s)), 630'000, 30'000);
  EXPECT_NEAR(static_cast<double>(remb()), 600'000, 20);
  // An offer may say another maximum.
  contract::PeerUpdateSdp update = publisher->make_update();
  update.senders[0].max_bitrate_bps = 300'000;
  world.request(*publisher, update);
  world.run_for(3s);
  EXPECT_EQ(told().max_bitrate_bps, 300'000u);
  EXPECT_NE(publisher->last_answer().find("b=TIAS:300000\r\n"), std::string::npos);
}

TEST_F(Publishing, ASlowViewerTakesNothingFromAnother) {
  publish(publisher_config(true));
  Client& fast = add_viewer("bela");
  Client& slow = add_viewer("carl");
  LinkConfig narrow = kPerfect;
  narrow.rate_bps = 250'000;
  world.downlink(slow).set_config(narrow);
  view(fast);
  view(slow);
  EXPECT_TRUE(world.run_until([&] { return shown(fast) == 2; }, 30s));
  world.run_for(20s);
  const uint64_t before = fast.video(0).decodable_frames();
  EXPECT_GE(rate(10s), kAllLayers);
  EXPECT_EQ(shown(fast), 2);
  EXPECT_GE(fast.video(0).decodable_frames() - before, 290u);
}

TEST(PublishingAnew, LayersThatNobodyWantsAreNotSent) {
  for (const bool applies_limits : {false, true}) {
    Stage stage;
    ClientConfig config = publisher_config(true);
    config.applies_limits = applies_limits;
    stage.publish(config);
    Client& small = stage.add_viewer("bela");
    Client& large = stage.add_viewer("carl");
    stage.limit(small, 0);
    stage.view(small);
    stage.world.run_for(20s);
    EXPECT_EQ(stage.told().layers, (std::vector<uint8_t>{0}));
    EXPECT_EQ(stage.shown(small), 0);
    // One is told to make the lowest alone, the other has no room for more than twice of it.
    EXPECT_LE(stage.rate(2s), applies_limits ? 300'000u : 500'000u);
    const uint64_t frames = small.video(0).decodable_frames();
    stage.view(large);
    const int64_t best = stage.time_until([&] { return stage.shown(large) == 2; }, 30s);
    EXPECT_GE(best, 0);
    EXPECT_LE(best, applies_limits ? 1'000 : 15'000);
    EXPECT_EQ(stage.told().layers, (std::vector<uint8_t>{0, 1, 2}));
    EXPECT_GE(stage.remb(), 2'400'000u);
    stage.leave(large);
    stage.world.run_for(4s);
    EXPECT_EQ(stage.told().layers, (std::vector<uint8_t>{0}));
    EXPECT_EQ(stage.shown(small), 0);
    EXPECT_GE(small.video(0).decodable_frames(), frames + 118);
    std::printf("from the lowest layer to the highest in %lld ms%s\n", static_cast<long long>(best),
                applies_limits ? ", applies limits" : "");
  }
}

// Two workers, whatever the rest runs with.
struct PublishingAcross : Stage, testing::Test {
  PublishingAcross() : Stage(2) {}
};

TEST_F(PublishingAcross, ALossyRelayDelaysWhatViewersWantAndNothingMore) {
  world.set_relay_loss(0.33);
  publish(publisher_config());
  ClientConfig config;
  config.peer = "bela";
  config.sends_audio = config.sends_video = false;
  Client& viewer = world.join(config);
  ASSERT_NE(world.worker_of(*publisher), world.worker_of(viewer));
  ASSERT_TRUE(world.run_until([&] { return viewer.streams().size() == 1; }, 20s));
  for (int i = 0; i < 5; ++i) {
    view(viewer);
    EXPECT_TRUE(world.run_until([&] { return remb() > 2'400'000; }, 10s));
    leave(viewer);
    EXPECT_TRUE(world.run_until([&] { return remb() < 110'000; }, 20s));
  }
}

}  // namespace
}  // namespace atm::sim
