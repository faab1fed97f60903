// A TURN client against a TURN server of the tests, in virtual time.
#include "core/turn/turn_client.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/turn/server_test.h"

namespace atm::turn {
namespace {

const SocketAddress kClient{IpAddress::v4(10, 0, 0, 2), 40'000};
const SocketAddress kPeer{IpAddress::v4(203, 0, 113, 7), 6'000};
const SocketAddress kOtherPeer{IpAddress::v4(203, 0, 113, 8), 6'000};
const Bytes kMedia{0x80, 1, 2, 3, 4};
const Bytes kCheck = [] {
  Bytes out(40);
  stun::MessageWriter writer(out, stun::Class::kRequest, {});
  out.resize(writer.finish());
  return out;
}();

struct Setup {
  TestServer::Options server = {};
  std::string username = "ann", credential = "secret";
  Protocol protocol = Protocol::kUdp;
  uint32_t loss_percent = 0;
  size_t cut = 0;  // of a stream, into pieces of so many bytes
  uint64_t seed = 1;
};

class World {
 public:
  explicit World(Setup given = {}) : setup(std::move(given)), rng_(setup.seed), server(setup.server) {
    server.options.is_stream = setup.protocol != Protocol::kUdp;
    const Transport transport = server.options.is_stream ? Transport::kTcp : Transport::kUdp;
    const Path path{server.options.address, kClient.ip, transport};
    const ServerUrl url{ServerKind::kTurn, setup.protocol, "turn.example", 3'478};
    client = std::make_unique<TurnClient>(TurnConfig{url, path, setup.username, setup.credential}, rng_);
  }

  Now now() const { return {Instant{} + elapsed, WallTime{} + elapsed}; }
  void start() {
    client->start(now(), out);
    settle();
  }
  void send(const SocketAddress& peer, ByteView bytes) {
    client->wrap(now(), peer, bytes, out);
    settle();
  }
  void from_peer(const SocketAddress& peer, ByteView bytes) {
    server.on_peer(now(), last_relayed, peer, bytes);
    settle();
  }
  void run(Duration duration) {
    const Instant end = now().mono + duration;
    for (int turns = 0; client->next_timeout() <= end; ++turns) {
      ASSERT_LT(turns, 10'000) << "a timeout that never ends";
      elapsed = std::max(now().mono, client->next_timeout()) - Instant{};
      client->on_timeout(now(), out);
      settle();
    }
    elapsed = end - Instant{};
  }
  // All that is on its way arrives at once.
  void settle() {
    do {
      to_server();
      to_client();
    } while (!batch_.empty());
    for (const TurnEvent& event : events_) {
      if (const auto* allocated = std::get_if<Allocated>(&event)) last_relayed = allocated->relayed;
      if (const auto* failed = std::get_if<Failed>(&event)) failures.push_back(failed->why);
      if (const auto* refused = std::get_if<PeerRefused>(&event)) refusals.push_back(refused->why);
    }
    events_.clear();
  }

  Setup setup;

 private:
  bool is_lost() { return rng_.below(100) < setup.loss_percent; }
  void to_server() {
    for (const auto& entry : batch_.entries()) {
      ++datagrams_sent;
      EXPECT_EQ(entry.path, client->server());
      EXPECT_TRUE(!server.options.is_stream || entry.size % 4 == 0);
      if (entry.path.remote != server.options.address || is_lost() || is_cut) continue;
      server.on_client(now(), kClient, batch_.bytes(entry));
    }
    batch_.clear();
  }
  void to_client() {
    auto sent = std::move(server.sent);
    server.sent.clear();
    for (auto& [from, to, bytes] : sent) {
      if (to != kClient) {
        at_peers.push_back({from, to, bytes});
        continue;
      }
      if (is_lost() || is_cut) continue;
      received_.clear();
      if (!server.options.is_stream) {
        EXPECT_TRUE(client->on_datagram(now(), {{from, kClient.ip}, now().mono, bytes}, out));
      } else if (setup.cut == 0) {
        client->on_stream_bytes(now(), bytes, out);
      }
      take();
      for (size_t at = 0; setup.cut > 0 && at < bytes.size(); at += setup.cut) {
        client->on_stream_bytes(now(), MutByteView(bytes).subspan(at, std::min(setup.cut, bytes.size() - at)), out);
        take();
      }
    }
  }
  void take() {
    for (const Datagram& datagram : received_) {
      EXPECT_EQ(datagram.path.local, client->relayed_address()->ip);
      EXPECT_EQ(datagram.path.local_port, client->relayed_address()->port);
      at_client.emplace_back(datagram.path.remote, Bytes(datagram.bytes.begin(), datagram.bytes.end()));
    }
    received_.clear();
  }

  SeededRng rng_;
  SendBatch batch_;
  std::vector<Datagram> received_;
  std::vector<TurnEvent> events_;

 public:
  TestServer server;
  std::unique_ptr<TurnClient> client;
  TurnOutput out{batch_, received_, events_};
  Duration elapsed = 1h;
  SocketAddress last_relayed;
  bool is_cut = false;
  size_t datagrams_sent = 0;
  std::vector<std::string> failures, refusals;
  std::vector<TestServer::Sent> at_peers;
  std::vector<std::pair<SocketAddress, Bytes>> at_client;
};

TEST(TurnClient, AllocatesWithTheChallengesRealmAndNonce) {
  World world;
  world.start();
  ASSERT_TRUE(world.client->relayed_address());
  EXPECT_EQ(world.server.requests[stun::kAllocate], 2u);
  EXPECT_EQ(world.server.bad_integrity, 0u);
  EXPECT_TRUE(world.failures.empty());
}

TEST(TurnClient, AllocatesWithSha256WhereTheNonceSaysSo) {
  World world({.server = {.has_sha256 = true}});
  world.start();
  ASSERT_TRUE(world.client->relayed_address());
  EXPECT_EQ(world.server.sha256_signed, 1u);
}

TEST(TurnClient, NeedsNoCredentialsWhereNoneAreAsked) {
  World world({.server = {.asks_credentials = false}, .username = "", .credential = ""});
  world.start();
  EXPECT_TRUE(world.client->relayed_address());
}

TEST(TurnClient, CarriesDatagramsBothWaysFirstByIndicationsThenByAChannel) {
  for (const Protocol protocol : {Protocol::kUdp, Protocol::kTcp}) {
    for (const size_t cut : {0, 1, 7}) {
      World world({.protocol = protocol, .cut = protocol == Protocol::kUdp ? 0u : cut});
      world.start();
      world.send(kPeer, kCheck);
      ASSERT_EQ(world.at_peers.size(), 1u);
      EXPECT_EQ(world.at_peers[0].from, world.last_relayed);
      EXPECT_EQ(world.at_peers[0].bytes, kCheck);
      world.from_peer(kPeer, kCheck);
      EXPECT_EQ(world.client->counters().received_by_indication, 1u);
      EXPECT_EQ(world.server.requests[stun::kChannelBind], 0u) << "a check needs no channel";
      world.send(kPeer, kMedia);
      EXPECT_EQ(world.server.requests[stun::kChannelBind], 1u);
      world.send(kPeer, kMedia);
      EXPECT_EQ(world.server.channel_data, 1u);
      world.from_peer(kPeer, kMedia);
      EXPECT_EQ(world.client->counters().received_by_channel, 1u);
      ASSERT_EQ(world.at_client.size(), 2u);
      EXPECT_EQ(world.at_client[1], std::pair(kPeer, kMedia));
      ASSERT_EQ(world.at_peers.size(), 3u);
      EXPECT_EQ(world.at_peers[2].bytes, kMedia);
      EXPECT_EQ(world.server.unpermitted, 0u);
      EXPECT_EQ(world.server.malformed + world.client->counters().malformed, 0u);
    }
  }
}

TEST(TurnClient, HoldsWhatIsSentBeforeThePeerIsLetInAndNoMoreThanItsBound) {
  World world;
  world.start();
  for (size_t i = 0; i < kMaxHeldDatagrams + 3; ++i) world.client->wrap(world.now(), kPeer, kCheck, world.out);
  world.settle();
  EXPECT_EQ(world.at_peers.size(), kMaxHeldDatagrams);
  EXPECT_EQ(world.client->counters().dropped_full, 3u);
  EXPECT_EQ(world.server.requests[stun::kCreatePermission], 1u);
}

TEST(TurnClient, KeepsAllocationPermissionAndChannelForHours) {
  World world({.server = {.nonce_life = 7min}});
  world.start();
  for (int i = 0; i < 3 * 360; ++i) {
    world.send(kPeer, kMedia);
    world.send(kOtherPeer, kCheck);
    world.run(10s);
    world.from_peer(kPeer, kMedia);
  }
  EXPECT_EQ(world.server.unpermitted, 0u);
  EXPECT_EQ(world.at_peers.size(), 2u * 3 * 360);
  EXPECT_EQ(world.at_client.size(), 3u * 360);
  EXPECT_GT(world.server.stale, 10u);
  EXPECT_TRUE(world.failures.empty());
}

TEST(TurnClient, LetsGoOfAPeerThatNothingIsSentToAndComesBackToIt) {
  World world;
  world.start();
  world.send(kPeer, kMedia);
  world.run(20min);
  const size_t asked = world.server.requests[stun::kChannelBind];
  EXPECT_LE(asked, 3u);
  world.from_peer(kPeer, kMedia);
  EXPECT_EQ(world.server.unpermitted, 1u);
  world.send(kPeer, kMedia);
  EXPECT_EQ(world.at_peers.size(), 2u);
  EXPECT_EQ(world.server.requests[stun::kChannelBind], asked + 1);
}

// A request and its answer are lost together in 36 of 100 cases; seven in a row end it once in 1,300 requests.
TEST(TurnClient, SurvivesLossOfAFifth) {
  int kept = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    World world({.loss_percent = 20, .seed = seed});
    world.start();
    world.run(80s);
    world.send(kPeer, kCheck);
    world.run(1h);
    kept += world.client->relayed_address().has_value();
  }
  EXPECT_GE(kept, 97);
}

TEST(TurnClient, GivesItsAllocationBack) {
  World world;
  world.start();
  EXPECT_EQ(world.server.allocation_count(world.now()), 1u);
  world.client->close(world.now(), world.out);
  EXPECT_FALSE(world.client->is_ended());
  world.settle();
  EXPECT_TRUE(world.client->is_ended());
  EXPECT_EQ(world.server.allocation_count(world.now()), 0u);
  EXPECT_EQ(world.client->next_timeout(), kNever);
}

TEST(TurnClient, GivesItsAllocationBackWithANonceThatHasGrownStale) {
  World world({.server = {.nonce_life = 2min}});
  world.start();
  world.run(3min);
  world.client->close(world.now(), world.out);
  world.settle();
  EXPECT_EQ(world.server.allocation_count(world.now()), 0u);
  EXPECT_GE(world.server.stale, 1u);
}

TEST(TurnClient, EndsSoonWhenNobodyConfirmsItsEnd) {
  World world;
  world.start();
  world.is_cut = true;
  world.client->close(world.now(), world.out);
  world.settle();
  world.run(15s);
  EXPECT_TRUE(world.client->is_ended());
  EXPECT_TRUE(world.failures.empty());
}

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
