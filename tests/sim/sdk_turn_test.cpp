// STUN and TURN servers of an engine: relayed calls, and what is told of servers that are of no use.
#include <algorithm>

#include "gtest/gtest.h"
#include "sdk_world.h"

namespace atm::sim {
namespace {

using client::State;

struct Relayed {
  explicit Relayed(uint64_t seed, const std::string& url, bool is_stream = false) : world(seed) {
    turn::TestServer::Options options;
    options.is_stream = is_stream;
    world.turn = std::make_unique<turn::TestServer>(options);
    config.senders = {sdk_audio(), sdk_video()};
    config.relay_only = true;
    config.ice_servers = {{{url}, "ann", "secret"}};
  }
  SdkClient& connect() {
    SdkClient& client = world.add(config);
    world.call(client, [&](client::Output& out) { client->connect(world.now(), out); });
    return client;
  }
  // Its video is seen by somebody.
  void expect_call(SdkClient& ann) {
    world.expect_state(ann, State::kConnected, 15s);
    world.encode(ann, 1);
    SdkClient& bob = world.join(sdk_config("bob"));
    EXPECT_FALSE(world.ask(
        bob, [&](uint64_t id, client::Output& out) { bob->view(world.now(), 0, {"ann", "video_main"}, 50, id, out); }));
    world.run_for(4s);
    EXPECT_GE(bob.frames_since(0, world.now().mono - 1s), 29u);
    EXPECT_TRUE(ann.has_relayed_alone);
  }
  SdkWorld world;
  client::Config config = sdk_config("ann");
};

TEST(SdkTurn, ACallGoesOverARelay) {
  Relayed call(71, "turn:198.51.100.9");
  call.expect_call(call.connect());
}

TEST(SdkTurn, AStreamToTheServerDoesWhereUdpIsShut) {
  Relayed call(72, "turn:turn.example.org?transport=tcp", true);
  call.world.names["turn.example.org"] = {IpAddress::v4(198, 51, 100, 9)};
  SdkClient& ann = call.world.add(call.config);
  ann.udp_is_shut = true;
  call.world.call(ann, [&](client::Output& out) { ann->connect(call.world.now(), out); });
  call.expect_call(ann);
  const auto wanted = ann.told<client::StreamWanted>();
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_FALSE(wanted[0].has_tls);
  EXPECT_EQ(wanted[0].host, "turn.example.org");
}

TEST(SdkTurn, ATlsStreamIsAskedForWithTheNameOfTheServer) {
  Relayed call(73, "turns:turn.example.org:3478", true);
  call.world.names["turn.example.org"] = {IpAddress::v4(198, 51, 100, 9)};
  SdkClient& ann = call.connect();
  call.expect_call(ann);
  EXPECT_TRUE(ann.told<client::StreamWanted>().at(0).has_tls);
}

TEST(SdkTurn, ServersThatTheAnswerNamesAreUsed) {
  Relayed call(74, "turn:198.51.100.9");
  call.config.ice_servers.clear();
  token::IceServerSettings settings;
  settings.urls = {"turn:198.51.100.9"};
  settings.username = "ann";
  settings.credential = "secret";
  call.world.set_ice_servers("one", settings);
  SdkClient& ann = call.connect();
  call.expect_call(ann);
  EXPECT_EQ(ann.told<client::IceServersGiven>().size(), 1u);
}

TEST(SdkTurn, TheRelayServesTheNextConnectionToo) {
  Relayed call(75, "turn:198.51.100.9");
  SdkClient& ann = call.connect();
  call.world.expect_state(ann, State::kConnected, 15s);
  call.world.replace("one");
  call.world.expect_state(ann, State::kReconnecting, 10s);
  call.expect_call(ann);
  EXPECT_EQ(call.world.turn->allocation_count(call.world.now()), 1u);
}

// Credentials of a server of ours end with time: each answer has new ones.
TEST(SdkTurn, TheNextAnswersCredentialsAreUsed) {
  Relayed call(81, "turn:198.51.100.9");
  call.config.ice_servers.clear();
  call.config.relay_only = false;
  token::IceServerSettings settings;
  settings.urls = {"turn:198.51.100.9"};
  settings.username = "ann";
  settings.credential = "outlived";
  call.world.set_ice_servers("one", settings);
  SdkClient& ann = call.connect();
  call.world.expect_state(ann, State::kConnected, 15s);
  call.world.run_for(1s);
  EXPECT_EQ(ann.told<client::ServerFailed>().size(), 1u);
  EXPECT_EQ(call.world.turn->allocation_count(call.world.now()), 0u);
  settings.credential = "secret";
  call.world.replace("one");
  call.world.set_ice_servers("one", settings);
  call.world.expect_state(ann, State::kReconnecting, 10s);
  call.world.expect_state(ann, State::kConnected, 15s);
  call.world.run_for(1s);
  EXPECT_EQ(ann.told<client::ServerFailed>().size(), 1u);
  EXPECT_EQ(call.world.turn->allocation_count(call.world.now()), 1u);
}

TEST(SdkTurn, TheEndGivesTheRelayBack) {
  Relayed call(76, "turn:198.51.100.9");
  SdkClient& ann = call.connect();
  call.world.expect_state(ann, State::kConnected, 15s);
  call.world.call(ann, [&](client::Output& out) { ann->disconnect(call.world.now(), out); });
  call.world.run_for(1s);
  EXPECT_EQ(call.world.turn->allocation_count(call.world.now()), 0u);
  EXPECT_EQ(ann->next_timeout(), kNever);
}

TEST(SdkTurn, WrongCredentialsAreTheErrorOfConnect) {
  Relayed call(77, "turn:198.51.100.9");
  call.config.ice_servers[0].credential = "wrong";
  SdkClient& ann = call.connect();
  call.world.expect_state(ann, State::kDisconnected, 15s);
  const auto why = ann.told<client::StateChanged>().back().why;
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, ErrorCode::kNetworkError);
  EXPECT_NE(why->why.find("credentials"), std::string::npos) << why->why;
  const auto failed = ann.told<client::ServerFailed>();
  ASSERT_GE(failed.size(), 1u);
  EXPECT_EQ(failed[0].url, "turn:198.51.100.9");
  EXPECT_EQ(failed[0].why, why->why);
}

TEST(SdkTurn, EachServerThatIsOfNoUseIsTold) {
  Relayed call(78, "turn:nowhere.example.org");
  call.config.relay_only = false;
  call.config.ice_servers[0].urls = {"turn:nowhere.example.org", "http://example.org",
                                     "turn:198.51.100.9?transport=tcp"};
  SdkClient& ann = call.world.add(call.config);
  ann.tcp_is_shut = true;
  call.world.call(ann, [&](client::Output& out) { ann->connect(call.world.now(), out); });
  call.world.expect_state(ann, State::kConnected, 15s);  // without them
  call.world.run_for(1s);
  std::vector<std::string> urls;
  for (const auto& failed : ann.told<client::ServerFailed>()) urls.push_back(failed.url);
  EXPECT_EQ(urls.size(), 3u);
  for (const std::string& url : call.config.ice_servers[0].urls) {
    EXPECT_NE(std::find(urls.begin(), urls.end(), url), urls.end()) << url;
  }
}

// They are told where nothing else leads to the server, too.
TEST(SdkTurn, WrongCredentialsAreInTheErrorOfAConnectionThatDoesNotComeUp) {
  Relayed call(82, "turn:198.51.100.9?transport=tcp", true);
  call.config.relay_only = false;
  call.config.ice_servers[0].credential = "wrong";
  SdkClient& ann = call.world.add(call.config);
  ann.udp_is_shut = true;
  call.world.call(ann, [&](client::Output& out) { ann->connect(call.world.now(), out); });
  call.world.expect_state(ann, State::kDisconnected, 30s);
  const auto why = ann.told<client::StateChanged>().back().why;
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, ErrorCode::kTimeout);
  EXPECT_NE(why->why.find("no media path"), std::string::npos) << why->why;
  EXPECT_NE(why->why.find("refused the credentials (401)"), std::string::npos) << why->why;
}

TEST(SdkTurn, WithNoServerAtAllARelayedCallIsRefused) {
  Relayed call(79, "");
  call.config.ice_servers.clear();
  SdkClient& ann = call.connect();
  call.world.expect_state(ann, State::kDisconnected, 2s);
  EXPECT_EQ(ann.told<client::StateChanged>().back().why->code, ErrorCode::kNetworkError);
}

TEST(SdkTurn, AStunServerAddsACandidateAndHidesNothing) {
  Relayed call(80, "stun:198.51.100.9");
  call.config.relay_only = false;
  call.config.ice_servers[0] = {{"stun:198.51.100.9"}, "", ""};
  SdkClient& ann = call.connect();
  call.world.expect_state(ann, State::kConnected, 15s);
  EXPECT_EQ(call.world.turn->requests[stun::kBinding], 1u);
  EXPECT_TRUE(ann.told<client::ServerFailed>().empty());
}

}  // namespace
}  // namespace atm::sim
