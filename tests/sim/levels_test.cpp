// How loud streams are, as publisher and viewers are told: by the levels that packets say, on every worker.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>

#include "world.h"

namespace atm::sim {
namespace {

struct LevelsTest : testing::Test {
  Client& join(const std::string& peer) {
    ClientConfig config;
    config.peer = peer;
    config.audio_receivers = config.video_receivers = 1;
    config.sends_video = false;
    Client& client = world.add_client(config);
    EXPECT_TRUE(world.connect(client));
    EXPECT_TRUE(world.run_until([&] { return client.is_ready() && client.room_peers() > 0; }, 10s));
    return client;
  }
  void SetUp() override {
    talker = &join("talker");
    viewer = &join("viewer");
    world.run_until([&] { return viewer->streams().contains("talker/audio_main"); }, 5s);
    world.view(*viewer, "audio_0", "talker", "audio_main");
    world.run_until([&] { return viewer->audio_packets(0) > 0; }, 5s);
  }
  // Of what the client was told since the last call.
  template <typename Told>
  std::vector<int> levels(Client& client) {
    std::vector<int> found;
    size_t& seen = seen_[{client.number(), std::is_same_v<Told, contract::SenderLevelEvent>}];
    for (; seen < client.events().size(); ++seen) {
      if (const auto* told = std::get_if<Told>(&client.events()[seen])) found.push_back(told->dbov);
    }
    return found;
  }
  std::vector<int> own() { return levels<contract::SenderLevelEvent>(*talker); }
  std::vector<int> heard() { return levels<contract::ReceiverLevelEvent>(*viewer); }

  World world{71};
  Client* talker = nullptr;
  Client* viewer = nullptr;
  std::map<std::pair<uint32_t, bool>, size_t> seen_;
};

TEST_F(LevelsTest, PublisherAndViewerAreToldOfTheSameLevelAndOfSilence) {
  world.run_for(2s);
  EXPECT_TRUE(own().empty() && heard().empty()) << "its packets do not say";
  talker->set_audio_level(-30);
  world.run_for(2s);
  const auto loud = own(), loud_heard = heard();
  ASSERT_FALSE(loud.empty() || loud_heard.empty());
  EXPECT_NEAR(loud.back(), -30, 3);
  EXPECT_NEAR(loud_heard.back(), -30, 3);
  EXPECT_LE(loud.size(), 4u) << "it does not move any more";
  talker->set_audio_level(-127);
  world.run_for(3s);
  EXPECT_EQ(own().back(), -127);
  EXPECT_EQ(heard().back(), -127);
  world.run_for(3s);
  EXPECT_TRUE(own().empty() && heard().empty()) << "once";
}

TEST_F(LevelsTest, AreToldFiveTimesASecondAtMost) {
  for (int i = 0; i < 500; ++i) {
    talker->set_audio_level(i % 2 == 0 ? -20 : -60);
    world.run_for(100ms - 1ms * (i % 50));
  }
  const Duration length = 40s;
  EXPECT_LE(own().size(), static_cast<size_t>(length / session::kLevelInterval));
  const size_t told = heard().size();
  EXPECT_LE(told, static_cast<size_t>(length / session::kLevelInterval));
  EXPECT_GT(told, 50u);
}

TEST_F(LevelsTest, WhoIsSwitchedOffOrGoneIsSilent) {
  talker->set_audio_level(-30);
  world.run_for(1s);
  heard(), own();
  using Track = contract::SenderToggle::Track;
  world.request(*talker, contract::SenderToggle{"audio_main", MediaKind::kAudio, Track::kNone, "", {}});
  world.run_for(1s);
  ASSERT_FALSE(heard().empty());
  EXPECT_EQ(own().back(), -127);
  world.request(*talker, contract::SenderToggle{"audio_main", MediaKind::kAudio, Track::kSwitched, "t", {}});
  world.run_for(1s);
  ASSERT_FALSE(heard().empty());
  world.request(*viewer, contract::ReceiverDisconnect{"audio_0"});
  world.run_for(1s);
  const auto told = heard();
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), -127);
  world.view(*viewer, "audio_0", "talker", "audio_main");
  world.run_for(1s);
  EXPECT_NEAR(heard().back(), -30, 3);
  world.request(*talker, contract::PeerClose{});
  world.run_for(1s);
  EXPECT_EQ(heard().back(), -127);
}

// The same call with a level that moves all the time and with one that stands: the difference is that of the events, at
// the server and, about as much, at the clients that read them.
TEST(Levels, WhatTheyCost) {
  constexpr int kViewers = 30;
  constexpr Duration kLength = 10s;
  double seconds[2] = {};
  uint64_t datagrams[2] = {};
  size_t events = 0;
  for (const bool moves : {false, true}) {
    World world(73, {}, 1);
    std::vector<Client*> clients;
    for (int i = 0; i <= kViewers; ++i) {
      ClientConfig config;
      config.peer = "p" + std::to_string(i);
      config.sends_audio = i == 0;
      config.sends_video = false;
      config.video_receivers = 0;
      clients.push_back(&world.add_client(config));
      ASSERT_TRUE(world.connect(*clients.back()));
    }
    const auto sees = [](const Client* client) { return client->streams().contains("p0/audio_main"); };
    ASSERT_TRUE(world.run_until([&] { return std::all_of(clients.begin(), clients.end(), sees); }, 10s));
    for (Client* client : clients) world.view(*client, "audio_0", "p0", "audio_main");
    clients[0]->set_audio_level(-20);
    world.run_for(3s);
    const uint64_t before = world.datagrams_delivered();
    const size_t told = clients.back()->events().size();
    const std::clock_t began = std::clock();
    for (Duration at{}; at < kLength; at += 100ms) {
      if (moves) clients[0]->set_audio_level((at / 100ms) % 4 < 2 ? -60 : -10);
      world.run_for(100ms);
    }
    seconds[moves] = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
    datagrams[moves] = world.datagrams_delivered() - before;
    if (moves) events = (clients.back()->events().size() - told) * (kViewers + 2);
  }
  ASSERT_GT(events, 1'000u);
  std::printf("%zu level events: %.1f us each at both ends together, %.1f datagrams\n", events,
              (seconds[1] - seconds[0]) * 1e6 / static_cast<double>(events),
              static_cast<double>(datagrams[1] - datagrams[0]) / static_cast<double>(events));
}

}  // namespace
}  // namespace atm::sim
