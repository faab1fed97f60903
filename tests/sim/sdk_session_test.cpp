// Connections of an engine: made, lost, brought back and given up.
#include "gtest/gtest.h"
#include "sdk_world.h"

namespace atm::sim {
namespace {

using client::State;
using contract::StreamKey;

struct Pair {
  SdkClient& ann;
  SdkClient& bob;
};

client::Config publisher(const std::string& peer) {
  client::Config config = sdk_config(peer);
  config.senders = {sdk_audio(), sdk_video()};
  return config;
}

void view(SdkWorld& world, SdkClient& viewer, const std::string& peer) {
  EXPECT_FALSE(world.ask(viewer, [&](uint64_t request, client::Output& out) {
    viewer->view(world.now(), 0, {peer, "video_main"}, 50, request, out);
  }));
  EXPECT_FALSE(world.ask(viewer, [&](uint64_t request, client::Output& out) {
    viewer->view(world.now(), 1, {peer, "audio_main"}, 50, request, out);
  }));
}

// Both publish, both view the other.
Pair join_two(SdkWorld& world, client::Config one = publisher("ann"), client::Config two = publisher("bob")) {
  SdkClient& ann = world.join(std::move(one));
  SdkClient& bob = world.join(std::move(two));
  for (SdkClient* client : {&ann, &bob}) {
    world.encode(*client, 0);
    world.encode(*client, 1);
  }
  view(world, ann, "bob");
  view(world, bob, "ann");
  world.run_for(3s);
  return {ann, bob};
}

// Frames of the last second, of 30 and 50. Of audio some are held back in the first seconds, while its buffer settles.
void expect_seen(SdkWorld& world, SdkClient& viewer, size_t video = 29, size_t audio = 44) {
  const Instant since = world.now().mono - 1s;
  EXPECT_GE(viewer.frames_since(0, since), video);
  EXPECT_GE(viewer.frames_since(1, since), audio);
}

std::vector<State> states(const SdkClient& client) {
  std::vector<State> out;
  for (const auto& changed : client.told<client::StateChanged>()) out.push_back(changed.state);
  return out;
}

void connect(SdkWorld& world, SdkClient& client) {
  world.call(client, [&](client::Output& out) { client->connect(world.now(), out); });
}

TEST(SdkSession, TwoPublishAndViewEachOther) {
  SdkWorld world(1);
  const auto [ann, bob] = join_two(world);
  expect_seen(world, ann);
  expect_seen(world, bob);
  EXPECT_EQ(states(ann), (std::vector{State::kConnecting, State::kConnected}));
}

TEST(SdkSession, LossIsRepaired) {
  LinkConfig link;
  link.loss = 0.03;
  SdkWorld world(2, link);
  const auto [ann, bob] = join_two(world);
  const Instant begin = world.now().mono;
  world.run_for(10s);
  for (SdkClient* viewer : {&ann, &bob}) {
    EXPECT_GE(viewer->frames_since(0, begin), 290u);
    EXPECT_GE(viewer->frames_since(1, begin), 470u);
    // In order, each once.
    for (size_t i = 1; i < viewer->seen[0].size(); ++i) {
      ASSERT_GT(viewer->seen[0][i].counter, viewer->seen[0][i - 1].counter);
    }
  }
}

TEST(SdkSession, OfAReplacedServerThereIsANewSessionWithAllThatWasAskedFor) {
  SdkWorld world(3);
  const auto [ann, bob] = join_two(world);
  world.kill("one");
  world.run_for(500ms);
  world.replace("one");
  world.expect_state(ann, State::kReconnecting, 10s);
  world.expect_state(ann, State::kConnected, 20s);
  world.expect_state(bob, State::kConnected, 20s);
  world.run_for(4s);
  expect_seen(world, ann);
  expect_seen(world, bob);
  EXPECT_EQ(ann.calls_of("/webrtc/connect"), 2u);
  EXPECT_EQ(world.session_count("one"), 2u);
}

TEST(SdkSession, AnOutageOfTwentySecondsKeepsTheSession) {
  SdkWorld world(4);
  const auto [ann, bob] = join_two(world);
  ann.is_cut = true;
  world.expect_state(ann, State::kReconnecting, 10s);
  world.run_for(17s);
  ann.is_cut = false;
  world.expect_state(ann, State::kConnected, 15s);
  world.run_for(3s);
  expect_seen(world, ann);
  expect_seen(world, bob);
  EXPECT_EQ(ann.calls_of("/webrtc/connect"), 1u);  // its conn_id is the same
  EXPECT_GE(ann.calls_of("/webrtc/ice_restart"), 1u);
  EXPECT_EQ(world.session_count("one"), 2u);
}

TEST(SdkSession, TriesComeAtGrowingWaitsUntilItGivesUp) {
  SdkWorld world(5);
  SdkClient& ann = world.join(publisher("ann"));
  world.kill("one");
  world.expect_state(ann, State::kReconnecting, 10s);
  const Instant lost = world.now().mono;
  world.expect_state(ann, State::kDisconnected, 130s);
  EXPECT_GE(world.now().mono - lost, 119s);
  EXPECT_LE(world.now().mono - lost, 124s);
  std::vector<Duration> waits;
  for (size_t i = 1; i < ann.calls.size(); ++i) {
    if (ann.calls[i - 1].at >= lost) waits.push_back(ann.calls[i].at - ann.calls[i - 1].at - 40ms);
  }
  ASSERT_GE(waits.size(), 20u);
  Duration full = 250ms;  // of which up to 30 % are left to chance
  for (size_t i = 0; i < 5; ++i, full = std::min<Duration>(full * 2, 3s)) {
    EXPECT_GE(waits[i], full * 7 / 10) << i;
    EXPECT_LE(waits[i], full) << i;
  }
  EXPECT_EQ(ann.told<client::StateChanged>().back().why->code, ErrorCode::kNetworkError);
}

TEST(SdkSession, TheNextUrlIsTriedWhenOneDoesNotAnswer) {
  SdkWorld world(6);
  world.add_server("two");
  world.kill("one");
  client::Config config = publisher("ann");
  config.urls = {SdkWorld::url("one"), SdkWorld::url("two")};
  SdkClient& ann = world.join(config);
  EXPECT_EQ(ann->url(), SdkWorld::url("two"));
  // And when it goes, the other one again.
  world.replace("one");
  world.kill("two");
  world.expect_state(ann, State::kReconnecting, 10s);
  world.expect_state(ann, State::kConnected, 30s);
  EXPECT_EQ(ann->url(), SdkWorld::url("one"));
}

TEST(SdkSession, AWrongTokenIsTheEnd) {
  SdkWorld world(7);
  world.add_server("two");
  client::Config config = publisher("ann");
  config.urls = {SdkWorld::url("one"), SdkWorld::url("two")};
  config.token = world.token("somebody else");
  SdkClient& ann = world.add(config);
  connect(world, ann);
  world.expect_state(ann, State::kDisconnected, 5s);
  world.run_for(10s);
  EXPECT_EQ(ann.calls.size(), 1u);
  const auto why = ann.told<client::StateChanged>().back().why;
  ASSERT_TRUE(why);
  EXPECT_TRUE(client::is_final(why->code)) << to_text(why->code);
}

TEST(SdkSession, ATokenThatIsRefusedLaterEndsTheRecovery) {
  SdkWorld world(8);
  SdkClient& ann = world.join(publisher("ann"));
  world.answer = [](const client::HttpCall&) -> std::optional<Result<std::string>> {
    return Result<std::string>(
        R"({"status":false,"data":{"code":"INVALID_TOKEN","message":"expired"},"error":"INVALID_TOKEN"})");
  };
  world.kill("one");
  world.expect_state(ann, State::kDisconnected, 20s);
  EXPECT_EQ(ann.told<client::StateChanged>().back().why->code, ErrorCode::kInvalidToken);
}

TEST(SdkSession, AServerThatStopsSendsItElsewhere) {
  SdkWorld world(9);
  world.add_server("two");
  client::Config config = publisher("ann");
  config.urls = {SdkWorld::url("one"), SdkWorld::url("two")};
  SdkClient& ann = world.join(config);
  world.drain("one");
  world.expect_state(ann, State::kReconnecting, 2s);
  world.expect_state(ann, State::kConnected, 5s);
  EXPECT_EQ(ann->url(), SdkWorld::url("two"));
  EXPECT_EQ(ann.server_said<contract::SessionClosing>().size(), 1u);
}

TEST(SdkSession, AServerThatStopsAndIsTheOnlyOneIsAskedAgainWhenItSaid) {
  SdkWorld world(10);
  SdkClient& ann = world.join(publisher("ann"));
  world.drain("one");
  world.expect_state(ann, State::kReconnecting, 2s);
  const Instant told = world.now().mono;
  const auto closing = ann.server_said<contract::SessionClosing>();
  ASSERT_EQ(closing.size(), 1u);
  ASSERT_TRUE(closing[0].retry_ms);
  world.replace("one");
  world.expect_state(ann, State::kConnected, 30s);
  EXPECT_GE(world.now().mono - told, std::chrono::milliseconds(*closing[0].retry_ms));
}

TEST(SdkSession, WithoutReconnectingALossIsTheEnd) {
  SdkWorld world(11);
  client::Config config = publisher("ann");
  config.reconnects = false;
  SdkClient& ann = world.join(config);
  world.kill("one");
  world.expect_state(ann, State::kDisconnected, 40s);
  EXPECT_EQ(ann.calls_of("/webrtc/connect"), 1u);
}

// The longest time without a frame of the receiver since then.
Duration longest_gap(const SdkClient& viewer, size_t receiver, Instant since) {
  Duration out{};
  Instant last = since;
  for (const SeenFrame& frame : viewer.seen.at(receiver)) {
    if (frame.at < since) continue;
    out = std::max<Duration>(out, frame.at - last);
    last = frame.at;
  }
  return out;
}

TEST(SdkSession, ANewNetworkIsARestartThatKeepsTheSession) {
  for (uint64_t seed = 12; seed < 17; ++seed) {
    SdkWorld world(seed);
    const auto [ann, bob] = join_two(world);
    SdkClient& moved = ann;
    const Instant since = world.now().mono;
    moved.address.port = 41'000;
    world.call(moved, [&](client::Output& out) { moved->set_addresses(world.now(), {moved.address}, out); });
    world.expect_state(moved, State::kReconnecting, 1s);
    world.expect_state(moved, State::kConnected, 1s);
    world.run_for(4s);
    expect_seen(world, moved);
    expect_seen(world, bob);
    EXPECT_EQ(moved.calls_of("/webrtc/connect"), 1u);
    EXPECT_EQ(moved.calls_of("/webrtc/ice_restart"), 1u);
    for (const SdkClient* viewer : {&ann, &bob}) {
      const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(longest_gap(*viewer, 0, since));
      std::printf("seed %lu: %s without video for %ld ms\n", seed, viewer == &ann ? "who moved" : "the other",
                  gap.count());
      // Who views somebody who moved waits for the packets that were not sent until a key frame is behind them for as
      // long as its assembler has patience then.
      EXPECT_LT(gap, viewer == &ann ? 500ms : 1s);
    }
  }
}

TEST(SdkSession, AnAddressThatIsNotInUseComesAndGoesUnnoticed) {
  SdkWorld world(18);
  SdkClient& ann = world.join(publisher("ann"));
  const SocketAddress other{IpAddress::v4(192, 0, 2, 200), 41'000};
  for (const auto& addresses : {std::vector{ann.address, other}, std::vector{ann.address}}) {
    world.call(ann, [&](client::Output& out) { ann->set_addresses(world.now(), addresses, out); });
    world.run_for(1s);
  }
  EXPECT_EQ(ann->state(), State::kConnected);
  EXPECT_EQ(ann.told<client::StateChanged>().size(), 2u);
}

// Of a network without a way to the server: what a restart does not bring back a new connection does.
TEST(SdkSession, ANewNetworkWhoseRestartIsRefusedIsANewConnection) {
  SdkWorld world(19);
  const auto [ann, bob] = join_two(world);
  SdkClient& moved = ann;
  world.answer = [](const client::HttpCall& call) {
    std::optional<Result<std::string>> out;
    if (call.url.ends_with("/webrtc/ice_restart"))
      out = std::string(R"({"status":false,"error":{"code":"NOT_FOUND"}})");
    return out;
  };
  moved.address.port = 41'000;
  world.call(moved, [&](client::Output& out) { moved->set_addresses(world.now(), {moved.address}, out); });
  world.expect_state(moved, State::kConnected, 3s);
  world.run_for(4s);
  expect_seen(world, moved);
  EXPECT_EQ(moved.calls_of("/webrtc/connect"), 2u);
}

TEST(SdkSession, ARestartOfIceIsAnswered) {
  SdkWorld world(13);
  const auto [ann, bob] = join_two(world);
  SdkClient& who = ann;
  EXPECT_FALSE(world.ask(who, [&](uint64_t id, client::Output& out) { who->restart_ice(world.now(), id, out); }));
  world.run_for(1500ms);
  expect_seen(world, bob);
  EXPECT_EQ(who.calls_of("/webrtc/connect"), 1u);
}

TEST(SdkSession, AnEndIsToldToTheServer) {
  SdkWorld world(14);
  SdkClient& ann = world.join(publisher("ann"));
  world.call(ann, [&](client::Output& out) { ann->disconnect(world.now(), out); });
  world.run_for(1s);
  EXPECT_EQ(ann->state(), State::kDisconnected);
  EXPECT_FALSE(ann.told<client::StateChanged>().back().why);
  EXPECT_EQ(world.session_count("one"), 0u);
  EXPECT_EQ(ann->next_timeout(), kNever);
}

// The server makes a session by its answer, and would wait for us.
TEST(SdkSession, WhatIsGivenUpWhileItConnectsLeavesNoSession) {
  SdkWorld world(20);
  SdkClient& ann = world.add(publisher("ann"));
  connect(world, ann);
  world.call(ann, [&](client::Output& out) { ann->disconnect(world.now(), out); });
  EXPECT_EQ(ann->state(), State::kDisconnected);
  EXPECT_TRUE(ann->owes_last_word());
  ASSERT_TRUE(world.run_until([&] { return world.session_count("one") == 1; }, 1s)) << "its answer is under way";
  world.run_for(500ms);
  EXPECT_EQ(world.session_count("one"), 0u);
  EXPECT_EQ(ann.calls_of("/webrtc/conn/"), 1u);
  EXPECT_FALSE(ann->owes_last_word());
  EXPECT_EQ(ann->next_timeout(), kNever);
}

// --- servers that are none --------------------------------------------------------------------------------------

constexpr const char* kGarbage[] = {
    "",
    "{",
    "null",
    "[]",
    "<html>bad gateway</html>",
    R"({"status":true})",
    R"({"status":true,"data":null})",
    R"({"status":true,"data":{"node_id":0,"conn_id":"x","sdp":""}})",
    R"({"status":true,"data":{"node_id":0,"conn_id":"x","sdp":"v=0\r\nm=audio 9 RTP/AVP 0\r\n"}})",
    R"({"status":true,"data":{"node_id":-1,"conn_id":7,"sdp":[]}})",
    R"({"status":false,"data":7,"error":9})"};

TEST(SdkSession, GarbageToConnectIsAnError) {
  for (const char* text : kGarbage) {
    SdkWorld world(15);
    world.answer = [text](const client::HttpCall&) { return std::optional(Result<std::string>(text)); };
    SdkClient& ann = world.add(publisher("ann"));
    connect(world, ann);
    world.expect_state(ann, State::kDisconnected, 30s);
    const auto why = ann.told<client::StateChanged>().back().why;
    ASSERT_TRUE(why) << text;
    EXPECT_EQ(why->code, std::string(text).find("false") == std::string::npos ? ErrorCode::kBadAnswer : why->code);
  }
}

TEST(SdkSession, GarbageToARestartMakesANewConnection) {
  for (const char* text : kGarbage) {
    SdkWorld world(16);
    SdkClient& ann = world.join(publisher("ann"));
    world.answer = [text](const client::HttpCall& call) -> std::optional<Result<std::string>> {
      if (call.url.find("ice_restart") == std::string::npos) return std::nullopt;
      return Result<std::string>(text);
    };
    EXPECT_FALSE(world.ask(ann, [&](uint64_t id, client::Output& out) { ann->restart_ice(world.now(), id, out); }));
    EXPECT_EQ(ann->state(), State::kConnected) << text;
    EXPECT_EQ(ann.calls_of("/webrtc/connect"), 2u) << text;
  }
}

TEST(SdkSession, GarbageWhileItReconnectsIsTriedAgain) {
  SdkWorld world(17);
  SdkClient& ann = world.join(publisher("ann"));
  size_t next = 0;
  world.answer = [&next](const client::HttpCall&) -> std::optional<Result<std::string>> {
    if (next == std::size(kGarbage)) return std::nullopt;
    return Result<std::string>(kGarbage[next++]);
  };
  world.replace("one");
  world.expect_state(ann, State::kReconnecting, 10s);
  world.expect_state(ann, State::kConnected, 60s);
  EXPECT_EQ(next, std::size(kGarbage));
}

TEST(SdkSession, AnAnswerThatLeadsNowhereIsATimeout) {
  SdkWorld world(18);
  SdkClient& ann = world.add(publisher("ann"));
  ann.udp_is_shut = true;
  connect(world, ann);
  world.expect_state(ann, State::kDisconnected, 30s);
  EXPECT_EQ(ann.told<client::StateChanged>().back().why->code, ErrorCode::kTimeout);
}

}  // namespace
}  // namespace atm::sim
