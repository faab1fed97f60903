// Requests in any order: the channel is unordered, so a switch, a limit and a disconnect overtake each other. Whatever
// comes, each is answered, and what holds in the end is what the client asked for last.
#include <gtest/gtest.h>

#include <numeric>

#include "contract/json/rpc.h"
#include "seeds.h"
#include "world.h"

namespace atm::sim {
namespace {

constexpr LinkConfig kLossy{40ms, 20ms, 0.05, 0.02};

struct RequestsTest : testing::Test {
  Client& join(World& world, ClientConfig config) {
    Client& client = world.add_client(std::move(config));
    EXPECT_TRUE(world.connect(client));
    EXPECT_TRUE(world.run_until([&] { return client.is_ready() && client.room_peers() > 0; }, 15s));
    return client;
  }
  static ClientConfig participant(const std::string& peer) {
    ClientConfig config;
    config.peer = peer;
    config.audio_receivers = config.video_receivers = 1;
    return config;
  }
  static contract::PeerReport report(World& world, const Client& client) {
    const auto reply = world.command({1, contract::ReadRoom{"room", client.config().peer}}, world.worker_of(client));
    return std::get<contract::RoomRead>(reply.body).peers.at(0);
  }
  // In another order than they were asked: what a channel without order does, within so many requests.
  std::vector<uint64_t> send_shuffled(World& world, Client& client, const std::vector<contract::RpcBody>& bodies,
                                      SeededRng& rng) {
    constexpr uint32_t kWindow = 6;
    std::vector<uint64_t> ids(bodies.size());
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = next_id_ + i;
    next_id_ += ids.size();
    std::vector<size_t> order(bodies.size());
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      const auto within = static_cast<uint32_t>(std::min<size_t>(kWindow, order.size() - i));
      std::swap(order[i], order[i + rng.below(within)]);
    }
    for (const size_t i : order) {
      world.send_raw(client, json::to_json(contract::RpcRequest{ids[i], bodies[i]}), true);
      world.run_for(1ms * rng.below(20));
    }
    return ids;
  }
  static bool all_succeed(World& world, Client& client, const std::vector<uint64_t>& ids) {
    return world.run_until(
        [&] { return std::all_of(ids.begin(), ids.end(), [&](uint64_t id) { return client.succeeded(id); }); }, 15s);
  }

  uint64_t next_id_ = 1'000;
};

TEST_F(RequestsTest, OfThoseForOneReceiverTheLastOnesHold) {
  for (const uint64_t seed : seeds(5'000, 30)) {
    World world(seed, kLossy);
    SeededRng rng(seed);
    Client& a = join(world, participant("a"));
    Client& b = join(world, participant("b"));
    Client& viewer = join(world, participant("v"));
    ASSERT_TRUE(world.run_until([&] { return viewer.streams().size() == 6; }, 15s));
    std::optional<contract::StreamKey> remote;
    contract::ReceiverLimit limit;
    std::vector<contract::RpcBody> asked;
    for (int i = 0; i < 30; ++i) {
      const uint32_t priority = 1 + rng.below(100);
      switch (rng.below(4)) {
        case 0:
        case 1:
          remote = contract::StreamKey{rng.below(2) == 0 ? "a" : "b", "video_main"};
          limit.priority = priority;
          asked.push_back(contract::ReceiverSwitch{"video_0", priority, *remote});
          break;
        case 2:
          limit = {priority, 0, rng.below(3), 0, rng.below(3)};
          asked.push_back(contract::ReceiverSetLimit{"video_0", limit});
          break;
        default:
          remote.reset();
          asked.push_back(contract::ReceiverDisconnect{"video_0"});
      }
    }
    const auto ids = send_shuffled(world, viewer, asked, rng);
    ASSERT_TRUE(all_succeed(world, viewer, ids)) << seed;
    world.run_for(3s);
    const auto receiver = report(world, viewer).receivers.at(1);
    EXPECT_EQ(receiver.remote, remote) << seed;
    EXPECT_EQ(receiver.limit.priority, limit.priority) << seed;
    EXPECT_EQ(receiver.limit.max_spatial, limit.max_spatial) << seed;
    EXPECT_EQ(receiver.limit.max_temporal, limit.max_temporal) << seed;
    if (remote) {
      EXPECT_EQ(viewer.receiver_states().at("video_0"), contract::ReceiverState::kLive) << seed;
      EXPECT_EQ(viewer.video(0).shown_publisher(), (remote->peer == "a" ? a : b).number()) << seed;
    } else if (viewer.receiver_states().contains("video_0")) {
      EXPECT_EQ(viewer.receiver_states().at("video_0"), contract::ReceiverState::kNoSource) << seed;
    }
  }
}

TEST_F(RequestsTest, OfTogglesAndSubscriptionsTheLastOnesHold) {
  for (const uint64_t seed : seeds(6'000, 20)) {
    World world(seed, kLossy);
    SeededRng rng(seed);
    Client& publisher = join(world, participant("p"));
    Client& viewer = join(world, participant("v"));
    ClientConfig config = participant("m");
    config.subscribe_scope = contract::SubscribeScope::kManual;
    config.sends_audio = config.sends_video = false;
    Client& manual = join(world, config);
    using Track = contract::SenderToggle::Track;
    Track track = Track::kSwitched;
    bool is_subscribed = false;
    std::vector<contract::RpcBody> toggles, subscriptions;
    for (int i = 0; i < 12; ++i) {
      track = static_cast<Track>(rng.below(3));
      is_subscribed = rng.below(2) == 0;
      toggles.push_back(contract::SenderToggle{"video_main", MediaKind::kVideo, track, "t", {}});
      subscriptions.push_back(contract::RoomSubscription{"p", is_subscribed});
    }
    const auto toggled = send_shuffled(world, publisher, toggles, rng);
    const auto subscribed = send_shuffled(world, manual, subscriptions, rng);
    ASSERT_TRUE(all_succeed(world, publisher, toggled) && all_succeed(world, manual, subscribed)) << seed;
    world.run_for(3s);
    EXPECT_EQ(viewer.streams().contains("p/video_main"), track != Track::kStopped) << seed;
    if (track != Track::kStopped) {
      EXPECT_EQ(viewer.streams().at("p/video_main").active, track == Track::kSwitched) << seed;
    }
    EXPECT_EQ(manual.streams().contains("p/audio_main"), is_subscribed) << seed;
  }
}

// Of every request: nothing in it, something else in it, a name that is too long, an id that nobody has. The session is
// there afterwards, and what it showed goes on.
TEST_F(RequestsTest, WhateverIsAskedIsAnsweredAndTheCallGoesOn) {
  World world(7'000);
  Client& publisher = join(world, participant("p"));
  Client& viewer = join(world, participant("v"));
  ASSERT_TRUE(world.run_until([&] { return viewer.streams().contains("p/video_main"); }, 5s));
  world.view(viewer, "video_0", "p", "video_main");
  uint64_t id = 100'000;
  const std::string longer(300, 'x');
  const std::string datas[] = {"null",
                               "7",
                               "\"x\"",
                               "[]",
                               "{}",
                               R"({"id":7})",
                               R"({"id":"video_7","remote":"p"})",
                               R"({"id":"video_7","limit":{"max_spatial":"x"}})",
                               R"({"id":")" + longer + "\"}",
                               R"({"name":"video_main","kind":7})",
                               R"({"token":[]})",
                               R"({"peer":"\u0000"})",
                               R"({"sdp":"v=0","senders":[{}],"receivers":[]})"};
  const uint64_t first = id;
  for (const char* name :
       {"peer.updateSdp", "peer.token", "sender.toggle", "receiver.switch", "receiver.limit", "receiver.disconnect",
        "mix_minus.add", "mix_minus.remove", "mix_minus.toggle", "room.subscribe", "room.unsubscribe", "no.such"}) {
    for (const std::string& data : datas) {
      world.send_raw(viewer,
                     R"({"type":"request","req_id":)" + std::to_string(id++) + R"(,"request":")" + name +
                         R"(","data":)" + data + "}",
                     true);
      world.run_for(30ms);
    }
  }
  world.run_for(11s);  // what is about a receiver that may still come waits for it
  for (uint64_t asked = first; asked < id; ++asked) {
    ASSERT_TRUE(viewer.answers().contains(asked)) << asked - first;
    EXPECT_FALSE(viewer.succeeded(asked)) << asked - first;
  }
  const uint64_t frames = viewer.video(0).decodable_frames();
  world.run_for(1s);
  EXPECT_GT(viewer.video(0).decodable_frames(), frames + 20);
  const uint64_t ping = world.request(viewer, contract::PeerPing{});
  EXPECT_TRUE(world.run_until([&] { return viewer.succeeded(ping); }, 1s));
  EXPECT_EQ(publisher.room_peers(), 2u);
}

}  // namespace
}  // namespace atm::sim
