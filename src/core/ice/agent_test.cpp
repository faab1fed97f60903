// A controlling and a lite agent over a made-up link, in virtual time.
#include "core/ice/agent.h"

#include <gtest/gtest.h>

#include <map>

namespace atm::ice {
namespace {

struct Conditions {
  uint32_t loss_percent = 0;
  Duration delay = 10ms;
  Duration jitter = 0us;  // reorders when it is above the packets' distance
};

// Client and server, the client behind a NAT that can change its outer port.
class World {
 public:
  explicit World(uint64_t seed, Conditions conditions = {}) : conditions_(conditions), rng_(seed) {
    client.add_local_candidate(make_host_candidate(kClientAddress));
    server.add_local_candidate(make_host_candidate(kServerAddress));
    client.add_remote_candidate(server.local_candidates()[0]);
    client.set_remote(now(), server.local());
  }

  Now now() const { return {Instant{} + elapsed, WallTime{} + elapsed}; }
  void start() {
    client.start(now(), out_);
    carry(out_, true);
  }
  void run(Duration duration) {
    const Duration end = elapsed + duration;
    for (int turns = 0;; ++turns) {
      ASSERT_LT(turns, 100'000) << "a timeout that never ends";
      Instant next = std::min(client.next_timeout(), server.next_timeout());
      if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
      if (next > Instant{} + end) break;
      elapsed = std::max(elapsed, next - Instant{});
      step();
    }
    elapsed = end;
  }
  template <typename Condition>
  Duration run_until(Condition condition, Duration limit) {
    const Duration begin = elapsed;
    while (!condition() && elapsed - begin < limit) run(5ms);
    return elapsed - begin;
  }
  bool connected() const { return client.is_nominated() && server.is_nominated(); }
  Path server_path() const { return {{IpAddress::v4(203, 0, 113, 5), nat_port}, kServerAddress.ip}; }

  static inline const SocketAddress kClientAddress{IpAddress::v4(10, 0, 0, 2), 5000};
  static inline const SocketAddress kServerAddress{IpAddress::v4(198, 51, 100, 1), 20000};

  Duration elapsed = 1h;
  uint16_t nat_port = 40001;
  bool cut = false;
  uint64_t trace = 0;
  size_t client_sent = 0;
  std::vector<Instant> client_sent_at;
  std::vector<size_t> client_sent_sizes;
  size_t lost_request_size = 0;  // the client's requests of this size get lost: those with USE-CANDIDATE are larger

 private:
  struct Flying {
    bool to_server;
    Path path;  // as the receiver sees it
    Bytes bytes;
  };

  void step() {
    if (client.next_timeout() <= now().mono) {
      client.on_timeout(now(), out_);
      carry(out_, true);
    }
    if (server.next_timeout() <= now().mono) {
      server.on_timeout(now(), out_);
      carry(out_, false);
    }
    while (!flying_.empty() && flying_.begin()->first <= now().mono) {
      const Flying datagram = flying_.begin()->second;
      flying_.erase(flying_.begin());
      (datagram.to_server ? server : client).on_datagram(now(), datagram.path, datagram.bytes, out_);
      carry(out_, !datagram.to_server);
    }
  }
  void carry(SendBatch& batch, bool from_client) {
    for (const auto& entry : batch.entries()) {
      const ByteView bytes = batch.bytes(entry);
      trace = trace * 0x100000001b3 ^ stun::fingerprint_of(bytes) ^ static_cast<uint64_t>(to_us(elapsed));
      if (from_client) {
        ++client_sent;
        client_sent_at.push_back(now().mono);
        client_sent_sizes.push_back(bytes.size());
        if (bytes.size() == lost_request_size) continue;
      }
      if (cut || rng_.below(100) < conditions_.loss_percent) continue;
      Path path;
      if (from_client) {
        if (entry.path.remote != kServerAddress) continue;  // to nowhere
        path = server_path();
      } else {
        if (entry.path.remote.port != nat_port) continue;  // the old binding is gone
        path = {kServerAddress, kClientAddress.ip};
      }
      const Duration jitter{rng_.below(static_cast<uint32_t>(conditions_.jitter.count()) + 1)};
      flying_.emplace(now().mono + conditions_.delay + jitter, Flying{from_client, path, {bytes.begin(), bytes.end()}});
    }
    batch.clear();
  }

  Conditions conditions_;
  SeededRng rng_;
  std::multimap<Instant, Flying> flying_;
  SendBatch out_;

 public:
  Agent client{Role::kControlling, make_credentials(rng_), rng_};
  Agent server{Role::kLite, make_credentials(rng_), rng_};
};

TEST(Agent, ConnectsInTwoRoundTrips) {
  World world(1);
  EXPECT_EQ(world.client.state(), State::kNew);
  world.start();
  EXPECT_EQ(world.client.state(), State::kChecking);
  const Duration took = world.run_until([&] { return world.connected(); }, 10s);
  EXPECT_LE(took, 45ms);
  EXPECT_EQ(world.client.state(), State::kConnected);
  EXPECT_EQ(world.client.selected(), (Path{World::kServerAddress, World::kClientAddress.ip}));
  EXPECT_EQ(world.server.selected(), world.server_path());
  EXPECT_EQ(world.client.rtt(), Duration(20ms));
  EXPECT_EQ(world.client.mapped_address(), world.server_path().remote);
  EXPECT_TRUE(world.client.is_validated(*world.client.selected()));
}

TEST(Agent, ConnectsOverABadLinkFromAnySeed) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    World world(seed, {.loss_percent = 20, .delay = 50ms, .jitter = 80ms});
    world.start();
    world.run_until([&] { return world.connected(); }, 39s);
    EXPECT_TRUE(world.connected()) << seed;
  }
}

TEST(Agent, TheSameSeedGivesTheSameTrace) {
  const auto trace = [](uint64_t seed) {
    World world(seed, {.loss_percent = 20, .delay = 30ms, .jitter = 20ms});
    world.start();
    world.run(60s);
    return world.trace;
  };
  EXPECT_EQ(trace(5), trace(5));
  EXPECT_NE(trace(5), trace(6));
}

TEST(Agent, StaysConnectedOverABadLink) {
  World world(2, {.loss_percent = 20, .delay = 30ms});
  world.start();
  world.run_until([&] { return world.connected(); }, 39s);
  const size_t before = world.client_sent;
  for (int minute = 0; minute < 10; ++minute) {
    world.run(1min);
    EXPECT_EQ(world.client.state(), State::kConnected) << minute;
    EXPECT_EQ(world.server.state(), State::kConnected) << minute;
  }
  // 120 checks; and when two in a row go unanswered, a search, which is a check and a nomination.
  EXPECT_GE(world.client_sent - before, 100u);
  EXPECT_LE(world.client_sent - before, 240u);
}

TEST(Agent, ConsentChecksKeepFourToSixSecondsApart) {
  World world(3);
  world.start();
  world.run(10min);
  const auto& sent = world.client_sent_at;
  Duration shortest = 1h;
  Duration longest = 0s;
  for (size_t i = 3; i < sent.size(); ++i) {  // after the check and the nomination
    shortest = std::min<Duration>(shortest, sent[i] - sent[i - 1]);
    longest = std::max<Duration>(longest, sent[i] - sent[i - 1]);
  }
  EXPECT_GE(shortest, 4s);
  EXPECT_LT(shortest, 4500ms);
  EXPECT_LE(longest, 6s);
  EXPECT_GT(longest, 5500ms);
  EXPECT_GT(sent.size(), 90u);
}

TEST(Agent, KeepsAFirstPathAliveWhoseNominationGetsLost) {
  World world(13);
  world.start();
  // The nomination and its six repetitions get lost, consent checks do not.
  constexpr size_t kUseCandidateSize = 4;
  world.lost_request_size = world.client_sent_sizes[0] + kUseCandidateSize;
  world.run(60s);
  EXPECT_EQ(world.client.state(), State::kConnected);
  EXPECT_FALSE(world.client.is_nominated());
  world.lost_request_size = 0;
  world.run(20s);
  EXPECT_TRUE(world.connected());
}

TEST(Agent, LosesConsentAfterThirtySecondsOnBothSides) {
  World world(4);
  world.start();
  world.run(10s);
  world.cut = true;
  const Instant last = *world.client.last_authenticated();
  world.run_until([&] { return world.client.state() == State::kFailed; }, 60s);
  EXPECT_GE(world.now().mono - last, kConsentTimeout);
  EXPECT_LE(world.now().mono - last, kConsentTimeout + 10ms);
  EXPECT_FALSE(world.client.selected());
  world.run(1s);
  EXPECT_EQ(world.server.state(), State::kFailed);
  const size_t sent = world.client_sent;
  world.run(1min);
  EXPECT_EQ(world.client_sent, sent);  // RFC 7675 5.1: silence
  EXPECT_EQ(world.client.next_timeout(), kNever);
}

TEST(Agent, SurvivesAnOutageShorterThanConsent) {
  World world(5);
  world.start();
  world.run(10s);
  for (int i = 0; i < 5; ++i) {
    world.cut = true;
    world.run(20s);
    world.cut = false;
    world.run(10s);
    EXPECT_EQ(world.client.state(), State::kConnected);
    EXPECT_LT(world.now().mono - *world.server.last_authenticated(), 10s);
  }
}

TEST(Agent, MovesWithTheClientsNatBinding) {
  World world(6);
  world.start();
  world.run(10s);
  world.nat_port = 40002;
  world.run_until([&] { return world.server.selected() == world.server_path(); }, 20s);
  EXPECT_EQ(world.server.selected(), world.server_path());
  world.run(10s);
  EXPECT_EQ(world.client.state(), State::kConnected);
  EXPECT_EQ(world.client.mapped_address()->port, 40002);
}

TEST(Agent, ARestartLosesNothing) {
  World world(7, {.loss_percent = 10, .delay = 40ms});
  world.start();
  world.run(10s);
  const Path before = *world.client.selected();
  SeededRng rng(99);
  // The client restarts, the answer is two seconds away.
  world.client.restart(world.now(), make_credentials(rng));
  EXPECT_EQ(world.client.selected(), before);
  world.run(1s);
  world.server.restart(world.now(), make_credentials(rng));
  EXPECT_EQ(world.server.selected(), world.server_path());
  world.run(1s);
  EXPECT_EQ(world.client.state(), State::kConnected);
  const uint64_t answered = world.server.counters().requests;
  world.client.set_remote(world.now(), world.server.local());
  world.client.add_remote_candidate(world.server.local_candidates()[0]);
  for (int i = 0; i < 100; ++i) {
    world.run(100ms);
    ASSERT_EQ(world.client.state(), State::kConnected);
    ASSERT_EQ(world.server.state(), State::kConnected);
  }
  EXPECT_GE(world.server.counters().requests, answered + 2);
  world.run(1min);  // the old generation is gone, and nobody needs it
  EXPECT_EQ(world.client.state(), State::kConnected);
  EXPECT_EQ(world.server.counters().unknown_ufrag, 0u);
  EXPECT_EQ(world.server.counters().bad_integrity, 0u);
}

TEST(Agent, ARestartRevivesWhatWasLost) {
  World world(8);
  world.start();
  world.run(10s);
  world.cut = true;
  world.run(1min);
  EXPECT_EQ(world.client.state(), State::kFailed);
  world.cut = false;
  SeededRng rng(99);
  world.client.restart(world.now(), make_credentials(rng));
  EXPECT_EQ(world.client.state(), State::kChecking);
  world.server.restart(world.now(), make_credentials(rng));
  world.client.add_remote_candidate(world.server.local_candidates()[0]);
  world.client.set_remote(world.now(), world.server.local());
  world.run(1s);
  EXPECT_TRUE(world.connected());
}

TEST(Agent, AWrongPasswordFailsAtOnce) {
  World world(9);
  world.client.set_remote(world.now(), {world.server.local().ufrag, "guessed"});
  world.start();
  world.run(1s);
  EXPECT_EQ(world.client.state(), State::kFailed);
  EXPECT_EQ(world.server.state(), State::kNew);
  EXPECT_GE(world.server.counters().bad_integrity, 1u);
}

TEST(Agent, GivesUpOnWhatNeverAnswersAfterSevenRequests) {
  World world(10);
  world.cut = true;
  world.start();
  world.run(39s);
  EXPECT_EQ(world.client.state(), State::kChecking);
  EXPECT_EQ(world.client_sent, static_cast<size_t>(kCheckSends));
  world.run(1s);  // RFC 8489 6.2.1: 39.5 s with an RTO of 500 ms
  EXPECT_EQ(world.client.state(), State::kFailed);
}

TEST(Agent, PassesByDeadCandidatesAndTakesLateOnes) {
  World world(11);
  SeededRng rng(1);
  Agent& client = world.client;
  // Better than the server's, and dead.
  for (uint16_t port = 1; port <= 5; ++port) {
    Candidate dead = make_host_candidate({IpAddress::v4(198, 51, 100, 99), port});
    dead.priority += port;
    client.add_remote_candidate(dead);
  }
  world.start();
  const Duration took = world.run_until([&] { return world.connected(); }, 10s);
  EXPECT_LE(took, 6 * kPace + kNominationPatience + 50ms);
  EXPECT_EQ(client.selected()->remote, World::kServerAddress);
}

TEST(Agent, ChecksOnePairEveryPace) {
  World world(12);
  for (uint16_t port = 1; port <= 10; ++port) {
    world.client.add_remote_candidate(make_host_candidate({IpAddress::v4(198, 51, 100, 99), port}));
  }
  world.cut = true;
  world.start();
  world.run(490ms);
  ASSERT_EQ(world.client_sent, 10u);
  for (size_t i = 1; i < 10; ++i) EXPECT_GE(world.client_sent_at[i] - world.client_sent_at[i - 1], kPace);
}

TEST(Agent, StartsWhenTheAnswerComes) {
  SeededRng rng(1);
  Agent client(Role::kControlling, make_credentials(rng), rng);
  Agent server(Role::kLite, make_credentials(rng), rng);
  SendBatch out;
  const Now now{Instant{} + 1h, {}};
  client.start(now, out);
  client.add_local_candidate(make_host_candidate(World::kClientAddress));
  client.on_timeout(now, out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(client.next_timeout(), kNever);
  client.set_remote(now, server.local());
  client.add_remote_candidate(make_host_candidate(World::kServerAddress));
  EXPECT_LE(client.next_timeout(), now.mono);
  client.on_timeout(now, out);
  EXPECT_EQ(out.entries().size(), 1u);
}

TEST(Agent, PairsKeepToOneFamilyAndLinkLocalToItself) {
  SeededRng rng(1);
  Agent client(Role::kControlling, make_credentials(rng), rng);
  SendBatch out;
  const Now now{Instant{} + 1h, {}};
  client.set_remote(now, make_credentials(rng));
  client.add_local_candidate(make_host_candidate(World::kClientAddress));
  client.add_local_candidate(make_host_candidate(*SocketAddress::parse("[fe80::1]:1")));
  client.add_remote_candidate(make_host_candidate(*SocketAddress::parse("[2001:db8::1]:1")));
  client.start(now, out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(client.next_timeout(), kNever);
}

TEST(Agent, LimitsTheCandidatesThatItIsGiven) {
  SeededRng rng(1);
  Agent client(Role::kControlling, make_credentials(rng), rng);
  for (uint16_t i = 1; i <= 1000; ++i) {
    client.add_remote_candidate(make_host_candidate({IpAddress::v4(198, 51, 100, 1), i}));
    client.add_local_candidate(
        make_host_candidate({IpAddress::v4(10, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)), 5000}));
  }
  EXPECT_EQ(client.local_candidates().size(), kMaxLocalCandidates);
  EXPECT_EQ(client.counters().candidates_refused, 2000 - kMaxLocalCandidates - kMaxRemoteCandidates);
}

TEST(Agent, AnswersARequestAndTrustsOnlyItsOwnCheck) {
  SeededRng rng(1);
  Agent client(Role::kControlling, make_credentials(rng), rng);
  const Now now{Instant{} + 1h, {}};
  SendBatch out;
  client.add_local_candidate(make_host_candidate(World::kClientAddress));
  client.set_remote(now, make_credentials(rng));
  client.start(now, out);
  // A controlled full agent would send this.
  Bytes request(200);
  stun::MessageWriter writer(request, stun::Class::kRequest, make_transaction_id(rng));
  writer.username(client.local().ufrag + ":other");
  writer.ice_controlled(1);
  writer.priority(7);
  Integrity(client.local().pwd).sign(*writer.integrity_room());
  writer.fingerprint();
  request.resize(writer.finish());
  const Path path{World::kServerAddress, World::kClientAddress.ip};
  EXPECT_TRUE(client.on_datagram(now, path, request, out));
  ASSERT_EQ(out.entries().size(), 1u);
  EXPECT_FALSE(client.is_validated(path));
  out.clear();
  client.on_timeout(now, out);  // RFC 8445 7.3.1.4: its triggered check, to the peer-reflexive candidate
  ASSERT_EQ(out.entries().size(), 1u);
  EXPECT_EQ(out.entries()[0].path, path);
}

// What an answer has to get right for a controlling agent to believe it.
class Answers : public testing::Test {
 protected:
  Answers() {
    client_.add_local_candidate(make_host_candidate(World::kClientAddress));
    client_.add_remote_candidate(make_host_candidate(World::kServerAddress));
    client_.set_remote(now_, server_.local());
    client_.start(now_, out_);
    const Bytes request(out_.bytes(out_.entries()[0]).begin(), out_.bytes(out_.entries()[0]).end());
    out_.clear();
    server_.on_datagram(now_, {World::kClientAddress, World::kServerAddress.ip}, request, out_);
    const ByteView bytes = out_.bytes(out_.entries()[0]);
    answer_ = {bytes.begin(), bytes.end()};
    out_.clear();
  }
  const Now now_{Instant{} + 1h, {}};
  const Path path_{World::kServerAddress, World::kClientAddress.ip};
  SeededRng rng_{1};
  Agent client_{Role::kControlling, make_credentials(rng_), rng_};
  Agent server_{Role::kLite, make_credentials(rng_), rng_};
  SendBatch out_;
  Bytes answer_;
};

TEST_F(Answers, AreBelievedOnce) {
  EXPECT_TRUE(client_.on_datagram(now_, path_, answer_, out_));
  EXPECT_TRUE(client_.is_validated(path_));
  EXPECT_FALSE(client_.on_datagram(now_, path_, answer_, out_));
  EXPECT_EQ(client_.counters().unexpected_message, 1u);
}

TEST_F(Answers, AreNotBelievedFromAnotherAddress) {
  Path other = path_;
  other.remote.port = 1;
  EXPECT_FALSE(client_.on_datagram(now_, other, answer_, out_));
  EXPECT_EQ(client_.counters().asymmetric_response, 1u);
  EXPECT_FALSE(client_.selected());
}

TEST_F(Answers, OnlyUnsignedErrorsOfMissingAuthenticationFailAPair) {
  const auto give_error = [&](uint16_t code) {
    stun::TransactionId id;
    std::memcpy(id.bytes.data(), answer_.data() + 8, id.bytes.size());
    Bytes error(100);
    stun::MessageWriter writer(error, stun::Class::kError, id);
    writer.error(code, "");
    writer.fingerprint();
    error.resize(writer.finish());
    EXPECT_FALSE(client_.on_datagram(now_, path_, error, out_));
  };
  for (const uint16_t code : {300, 420, 487, 500}) give_error(code);
  EXPECT_EQ(client_.state(), State::kChecking);
  give_error(401);
  EXPECT_EQ(client_.state(), State::kFailed);
}

TEST_F(Answers, AreNotBelievedWithAnyBitChanged) {
  for (size_t bit = 0; bit < (answer_.size() - 8) * 8; ++bit) {
    Bytes changed = answer_;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    store_u32(changed.data() + changed.size() - 4, stun::fingerprint_of(ByteView(changed).first(changed.size() - 8)));
    ASSERT_FALSE(client_.on_datagram(now_, path_, changed, out_)) << bit;
  }
  EXPECT_FALSE(client_.selected());
  EXPECT_TRUE(client_.on_datagram(now_, path_, answer_, out_));  // and the true one still counts
}

}  // namespace
}  // namespace atm::ice
