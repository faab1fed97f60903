// A TURN client and servers that refuse, forget, are silent or forge.
#include "core/turn/turn_client_test.h"

namespace atm::turn {
namespace {

using namespace test;

struct ErrorCase {
  uint16_t code;
  const char* why;
};

TEST(TurnClient, SaysWhatTheServerRefused) {
  for (const auto& [code, why] : {ErrorCase{403, "forbids this client to have an address relayed (403)"},
                                  {437, "has another allocation for this client's port (437)"},
                                  {440, "relays no addresses of IPv4 (440)"},
                                  {441, "has an allocation of other credentials for this client's port (441)"},
                                  {442, "does not relay UDP (442)"},
                                  {486, "lets this user have no more allocations (486)"},
                                  {508, "has no address or port left to relay (508)"},
                                  {500, "answered with error 500 because"},
                                  {300, "sends its clients to another server that cannot be used (300)"}}) {
    World world;
    world.server.options.error = [code = code](uint16_t method) {
      return method == stun::kAllocate ? code : uint16_t{0};
    };
    world.start();
    EXPECT_EQ(world.failures, std::vector<std::string>{std::string("TURN server turn.example:3478 ") + why});
    EXPECT_TRUE(world.client->is_ended());
  }
}

TEST(TurnClient, SaysThatTheCredentialsAreWrong) {
  for (const Protocol protocol : {Protocol::kUdp, Protocol::kTls}) {
    World world({.credential = "guess", .protocol = protocol});
    world.start();
    ASSERT_EQ(world.failures.size(), 1u);
    EXPECT_EQ(world.failures[0], std::string("TURN server turn.example:3478") +
                                     (protocol == Protocol::kTls ? " over TLS" : "") +
                                     " refused the credentials (401)");
  }
  World none({.username = "", .credential = ""});
  none.start();
  ASSERT_EQ(none.failures.size(), 1u);
  EXPECT_NE(none.failures[0].find("asks for a user name and a credential"), std::string::npos);
}

TEST(TurnClient, SaysThatNobodyAnswers) {
  World world;
  world.is_cut = true;
  world.start();
  world.run(39s);
  EXPECT_TRUE(world.failures.empty());
  world.run(1s);
  EXPECT_EQ(world.failures, std::vector<std::string>{"TURN server turn.example:3478 does not answer"});
  EXPECT_EQ(world.datagrams_sent, 7u);
}

TEST(TurnClient, GivesUpOnAServerThatCallsEachNonceStale) {
  World world;
  world.server.options.error = [](uint16_t) { return uint16_t{438}; };
  world.start();
  EXPECT_EQ(world.failures,
            std::vector<std::string>{"TURN server turn.example:3478 calls each of its nonces stale (438)"});
  EXPECT_EQ(world.datagrams_sent, 1u + kMaxChallenges);
}

TEST(TurnClient, RemovesAnAllocationThatItsPortHadBefore) {
  World world;
  world.start();
  const SocketAddress first = world.last_relayed;
  World again;
  again.server = std::move(world.server);
  again.start();
  ASSERT_TRUE(again.client->relayed_address());
  EXPECT_NE(*again.client->relayed_address(), first);
}

TEST(TurnClient, FollowsAServerToAnother) {
  World world;
  world.server.options.alternate = SocketAddress{IpAddress::v4(198, 51, 100, 10), 3'478};
  world.server.options.error = [&](uint16_t) { return world.server.options.alternate ? uint16_t{300} : uint16_t{0}; };
  world.client->start(world.now(), world.out);
  world.settle();
  EXPECT_EQ(world.client->server().remote, *world.server.options.alternate);
  world.server.options.address = *world.server.options.alternate;
  world.server.options.alternate.reset();
  world.run(1s);
  EXPECT_TRUE(world.client->relayed_address());
}

TEST(TurnClient, SaysThatTheServerForgotTheAllocation) {
  World world;
  world.start();
  world.server.forget_allocations();
  world.run(10min);
  EXPECT_EQ(world.failures, std::vector<std::string>{"TURN server turn.example:3478 has lost the allocation (437)"});
  World other;
  other.start();
  other.server.forget_allocations();
  other.send(kPeer, kCheck);
  EXPECT_EQ(other.failures.size(), 1u);
}

TEST(TurnClient, TellsOfAPeerThatTheServerDoesNotRelayToAndLeavesItAlone) {
  World world;
  world.server.options.forbids = [](const IpAddress& ip) { return ip == kPeer.ip; };
  world.start();
  world.send(kPeer, kCheck);
  world.send(kPeer, kCheck);
  EXPECT_EQ(world.refusals,
            std::vector<std::string>{"TURN server turn.example:3478 does not relay to 203.0.113.7:6000 (403)"});
  EXPECT_EQ(world.server.requests[stun::kCreatePermission], 1u);
  EXPECT_EQ(world.client->counters().dropped_refused, 1u);
  world.send(kOtherPeer, kCheck);
  EXPECT_EQ(world.at_peers.size(), 1u);
  world.run(kRefusalTime);
  world.send(kPeer, kCheck);
  EXPECT_EQ(world.server.requests[stun::kCreatePermission], 3u);
}

TEST(TurnClient, KeepsNoMorePeersThanItsBound) {
  World world;
  world.start();
  for (uint16_t i = 0; i < 3 * kMaxPeers; ++i) {
    world.run(1ms);
    world.send({kPeer.ip, static_cast<uint16_t>(1'000 + i)}, kMedia);
  }
  EXPECT_EQ(world.client->counters().peers_evicted, 2 * kMaxPeers);
  EXPECT_EQ(world.at_peers.size(), 3 * kMaxPeers);
}

TEST(TurnClient, TakesNoAnswerThatIsForged) {
  World world;
  world.start();
  world.send(kPeer, kCheck);
  world.server.options.password = "another";
  world.run(10min);
  EXPECT_GE(world.client->counters().errors_received + world.client->counters().bad_integrity, 1u);
  EXPECT_EQ(world.failures, std::vector<std::string>{"TURN server turn.example:3478 refused the credentials (401)"});
}

TEST(TurnClient, LeavesToOthersWhatIsNotItsServers) {
  World world;
  world.start();
  Bytes binding = kCheck, media = kMedia;
  EXPECT_FALSE(
      world.client->on_datagram(world.now(), {{world.server.options.address, kClient.ip}, {}, binding}, world.out));
  EXPECT_FALSE(
      world.client->on_datagram(world.now(), {{world.server.options.address, kClient.ip}, {}, media}, world.out));
  Bytes channel{0x40, 0, 0, 0};
  EXPECT_FALSE(world.client->on_datagram(world.now(), {{kPeer, kClient.ip}, {}, channel}, world.out));
  EXPECT_TRUE(
      world.client->on_datagram(world.now(), {{world.server.options.address, kClient.ip}, {}, channel}, world.out));
}

TEST(TurnClient, EndsWhenItsStreamBringsSomethingElse) {
  World world({.protocol = Protocol::kTcp});
  world.start();
  Bytes html{'H', 'T', 'T', 'P', '/', '1'};
  world.client->on_stream_bytes(world.now(), html, world.out);
  world.settle();
  EXPECT_EQ(world.failures, std::vector<std::string>{"TURN server turn.example:3478 over TCP sent what is not TURN"});
}

}  // namespace
}  // namespace atm::turn
