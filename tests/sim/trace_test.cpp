// What happens in calls, held to the texts in tests/sim/traces. A change of behaviour shows as a changed line:
// UPDATE_TRACES=1 writes them anew, and the difference belongs into the review.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "seeds.h"
#include "world.h"

namespace atm::sim {
namespace {

// No chance but in what is random by itself: the trace changes when behaviour does.
constexpr LinkConfig kClean{20ms, 0ms, 0, 0};

ClientConfig participant(const std::string& peer) {
  ClientConfig config;
  config.peer = peer;
  config.audio_receivers = config.video_receivers = 2;
  return config;
}

void hold(World& world, const std::string& name) {
  const std::string path = std::string(ATM0S_SOURCE_DIR) + "/tests/sim/traces/" + name + ".txt";
  const std::string& text = world.events().text();
  if (std::getenv("UPDATE_TRACES") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  if (chosen_seed()) {
    std::printf("%s", text.c_str());
    return;
  }
  std::ifstream file(path);
  std::stringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(text, expected.str()) << path << "; UPDATE_TRACES=1 writes it anew";
}

struct Story {
  explicit Story(size_t workers) : world(1, kClean, workers) {}

  Client& join(const char* name, std::optional<NatConfig> nat = std::nullopt) {
    Client& client = world.add_client(participant(name), nat);
    clients.push_back(&client);
    EXPECT_TRUE(world.connect(client));
    EXPECT_TRUE(world.run_until([&] { return client.streams().size() == clients.size() * 2; }, 5s));
    return client;
  }
  void view(Client& viewer, const char* receiver, const Client& publisher) {
    world.view(viewer, std::string("audio_") + receiver, publisher.config().peer, "audio_main");
    world.view(viewer, std::string("video_") + receiver, publisher.config().peer, "video_main");
  }

  World world;
  std::vector<Client*> clients;
};

void three_peers(size_t workers, const std::string& name) {
  Story story(workers);
  for (const char* peer : {"anna", "bela", "carl"}) story.join(peer);
  for (Client* viewer : story.clients) {
    int receiver = 0;
    for (Client* other : story.clients) {
      if (other != viewer) story.view(*viewer, std::to_string(receiver++).c_str(), *other);
    }
  }
  story.world.run_for(5s);
  story.world.request(*story.clients[2], contract::PeerClose{});
  story.world.run_for(5s);
  hold(story.world, name);
}

TEST(Traces, AThreePeerCallOnOneWorker) {
  three_peers(1, "three_peers_one_worker");
}

TEST(Traces, AThreePeerCallOnTwoWorkers) {
  three_peers(2, "three_peers_two_workers");
}

TEST(Traces, ASenderIsToggledAndAReceiverSwitched) {
  Story story(1);
  Client& anna = story.join("anna");
  Client& bela = story.join("bela");
  Client& viewer = story.join("viewer");
  story.view(viewer, "0", anna);
  story.world.run_for(1s);
  contract::SenderToggle toggle{"video_main", MediaKind::kVideo, contract::SenderToggle::Track::kNone, "", {}};
  story.world.request(anna, toggle);
  story.world.run_for(1s);
  toggle.track = contract::SenderToggle::Track::kSwitched;
  toggle.track_id = "again";
  story.world.request(anna, toggle);
  story.world.run_for(1s);
  story.view(viewer, "0", bela);
  story.world.run_for(1s);
  story.world.request(viewer, contract::ReceiverDisconnect{"video_0"});
  story.world.run_for(1s);
  hold(story.world, "toggle_and_switch");
}

TEST(Traces, APeerVanishesOnTheOtherWorker) {
  Story story(2);
  Client& stays = story.join("stays");
  Client& killed = story.join("killed");
  story.view(stays, "0", killed);
  story.world.run_for(1s);
  killed.set_silent(true);
  story.world.run_for(40s);
  hold(story.world, "killed_peer_two_workers");
}

TEST(Traces, APeerBehindANatGetsAnotherAddress) {
  Story story(1);
  Client& anna = story.join("anna");
  Client& mobile = story.join("mobile", NatConfig{NatDependence::kAddressAndPort, NatDependence::kAddressAndPort});
  story.view(anna, "0", mobile);
  story.view(mobile, "0", anna);
  story.world.run_for(1s);
  story.world.rebind(mobile);
  story.world.run_for(10s);
  story.world.rebind(mobile);
  EXPECT_TRUE(story.world.restart_ice(mobile));
  story.world.run_for(3s);
  hold(story.world, "new_address");
}

}  // namespace
}  // namespace atm::sim
