// Two full agents over a made-up link in virtual time: who controls, what is nominated, and what a move does.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>

#include "core/ice/agent.h"
#include "wire/stun/message_writer.h"

namespace atm::ice {
namespace {

// Draws this tie-breaker first, and random bytes then.
class TieBreaker final : public Rng {
 public:
  TieBreaker(uint64_t first, uint64_t seed) : first_(first), random_(seed) {}
  void fill(MutByteView out) override {
    random_.fill(out);
    if (!is_drawn_ && out.size() == 8) {
      store_u64(out.data(), first_);
      is_drawn_ = true;
    }
  }

 private:
  uint64_t first_;
  bool is_drawn_ = false;
  SeededRng random_;
};

struct Side {
  Side(Role role, uint64_t tie_breaker, uint64_t seed, SocketAddress at)
      : rng(tie_breaker, seed), credentials_rng(seed), address(at), seen_as(at) {
    agent = std::make_unique<Agent>(role, make_credentials(credentials_rng), rng);
    agent->add_local_candidate(make_host_candidate(at));
  }
  TieBreaker rng;
  SeededRng credentials_rng;
  SocketAddress address;
  SocketAddress seen_as;  // what its NAT makes of it
  std::unique_ptr<Agent> agent;
};

class Pair {
 public:
  Pair(Role a_role, uint64_t a_tie, Role b_role, uint64_t b_tie, uint64_t seed = 1, uint32_t loss_percent = 0)
      : loss_percent_(loss_percent),
        rng_(seed),
        a(a_role, a_tie, 2 * seed + 1'000, {IpAddress::v4(10, 0, 0, 2), 5'000}),
        b(b_role, b_tie, 2 * seed + 1'001, {IpAddress::v4(10, 0, 0, 3), 6'000}) {}

  Now now() const { return {Instant{} + elapsed, WallTime{} + elapsed}; }
  void introduce() {
    for (Side* side : {&a, &b}) {
      Side& other = side == &a ? b : a;
      side->agent->set_remote(now(), other.agent->local());
      side->agent->add_remote_candidate(other.agent->local_candidates()[0]);
    }
  }
  void start() {
    for (Side* side : {&a, &b}) {
      side->agent->start(now(), out_);
      carry(*side);
    }
  }
  void run(Duration duration) {
    const Duration end = elapsed + duration;
    for (int turns = 0;; ++turns) {
      ASSERT_LT(turns, 100'000) << "a timeout that never ends";
      Instant next = std::min(a.agent->next_timeout(), b.agent->next_timeout());
      if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
      if (next > Instant{} + end) break;
      elapsed = std::max(elapsed, next - Instant{});
      for (Side* side : {&a, &b}) {
        if (side->agent->next_timeout() > now().mono) continue;
        side->agent->on_timeout(now(), out_);
        carry(*side);
      }
      while (!flying_.empty() && flying_.begin()->first <= now().mono) {
        const Flying datagram = std::move(flying_.begin()->second);
        flying_.erase(flying_.begin());
        datagram.to->agent->on_datagram(now(), datagram.path, datagram.bytes, out_);
        carry(*datagram.to);
      }
    }
    elapsed = end;
  }
  bool connected() const {
    return a.agent->is_nominated() && b.agent->is_nominated() && a.agent->selected()->remote == b.seen_as &&
           b.agent->selected()->remote == a.seen_as;
  }
  bool one_controls() const {
    return (a.agent->role() == Role::kControlling) != (b.agent->role() == Role::kControlling);
  }

 private:
  struct Flying {
    Side* to;
    Path path;
    Bytes bytes;
  };
  void carry(Side& from) {
    Side& to = &from == &a ? b : a;
    for (const auto& entry : out_.entries()) {
      ++sent;
      if (rng_.below(100) < loss_percent_ || entry.path.remote != to.seen_as) continue;
      const ByteView bytes = out_.bytes(entry);
      flying_.emplace(now().mono + 10ms, Flying{&to, {from.seen_as, to.address.ip}, {bytes.begin(), bytes.end()}});
    }
    out_.clear();
  }

  uint32_t loss_percent_;
  SeededRng rng_;
  std::multimap<Instant, Flying> flying_;
  SendBatch out_;

 public:
  Side a, b;
  Duration elapsed = 1h;
  size_t sent = 0;
};

TEST(FullAgents, ConnectInBothRoles) {
  Pair pair(Role::kControlling, 1, Role::kControlled, 2);
  pair.introduce();
  pair.start();
  pair.run(100ms);
  EXPECT_TRUE(pair.connected());
  EXPECT_EQ(pair.a.agent->role(), Role::kControlling);
  EXPECT_EQ(pair.b.agent->role(), Role::kControlled);
  EXPECT_EQ(pair.a.agent->counters().role_conflict + pair.b.agent->counters().role_conflict, 0u);
}

// RFC 8445 7.3.1.1: the larger tie-breaker controls.
TEST(FullAgents, SettleAConflictByTheirTieBreakers) {
  for (const Role both : {Role::kControlling, Role::kControlled}) {
    for (const bool a_is_larger : {false, true}) {
      for (const bool a_first : {false, true}) {
        Pair pair(both, a_is_larger ? 9 : 5, both, a_is_larger ? 5 : 9);
        pair.introduce();
        SendBatch out;
        if (a_first) {
          pair.start();
        } else {
          pair.run(1ms);
          pair.start();
        }
        pair.run(2s);
        ASSERT_TRUE(pair.connected());
        ASSERT_TRUE(pair.one_controls());
        EXPECT_EQ(pair.a.agent->role() == Role::kControlling, a_is_larger);
        EXPECT_GE(pair.a.agent->counters().role_conflict + pair.b.agent->counters().role_conflict, 1u);
      }
    }
  }
}

// A check and its answer are lost together in 36 of 100 cases, and seven in a row end a pair (RFC 8445 14.3): once in
// some hundred calls of several checks each. All others connect, and nobody ends with both in one role.
TEST(FullAgents, SettleAConflictAtTwentyPercentLossFromAlmostAnySeed) {
  int connected = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Role both = seed % 2 == 0 ? Role::kControlling : Role::kControlled;
    SeededRng ties(seed);
    Pair pair(both, ties.u64(), both, ties.u64(), seed, 20);
    pair.introduce();
    pair.start();
    pair.run(38s);
    connected += pair.connected();
    ASSERT_TRUE(pair.one_controls()) << seed;
  }
  EXPECT_GE(connected, 197);
  std::cout << connected << " of 200 calls connected\n";
}

TEST(FullAgents, EqualTieBreakersSettleAsWell) {
  for (const Role both : {Role::kControlling, Role::kControlled}) {
    Pair pair(both, 7, both, 7);
    pair.introduce();
    pair.start();
    pair.run(5s);
    EXPECT_TRUE(pair.connected());
    EXPECT_TRUE(pair.one_controls());
  }
}

TEST(FullAgents, BothKeepConsentAlive) {
  Pair pair(Role::kControlling, 1, Role::kControlled, 2);
  pair.introduce();
  pair.start();
  pair.run(1s);
  const size_t before = pair.sent;
  pair.run(10min);
  EXPECT_TRUE(pair.connected());
  // Two sides, a check every 4 to 6 s and its answer, ten minutes.
  EXPECT_GE(pair.sent - before, 4 * 100u);
  EXPECT_LE(pair.sent - before, 4 * 150u);
}

TEST(FullAgents, FollowEachOtherToANewNatBinding) {
  for (const bool controlling_moves : {true, false}) {
    Pair pair(Role::kControlling, 1, Role::kControlled, 2);
    pair.introduce();
    pair.start();
    pair.run(10s);
    ASSERT_TRUE(pair.connected());
    Side& mover = controlling_moves ? pair.a : pair.b;
    mover.seen_as.port = 40'000;
    pair.run(35s);
    EXPECT_TRUE(pair.connected()) << controlling_moves;
    pair.run(1min);
    EXPECT_TRUE(pair.connected()) << controlling_moves;
  }
}

TEST(FullAgents, RestartTogether) {
  Pair pair(Role::kControlling, 1, Role::kControlled, 2, 3, 10);
  pair.introduce();
  pair.start();
  pair.run(20s);
  for (int round = 0; round < 5; ++round) {
    for (Side* side : {&pair.a, &pair.b}) side->agent->restart(pair.now(), make_credentials(side->credentials_rng));
    EXPECT_TRUE(pair.a.agent->selected() && pair.b.agent->selected());
    pair.introduce();
    pair.run(40s);
    EXPECT_TRUE(pair.connected()) << round;
    EXPECT_EQ(pair.a.agent->counters().unknown_ufrag + pair.a.agent->counters().bad_integrity, 0u);
  }
}

// A remote side that answers every check with 487 makes us change our role a few times, not for ever.
TEST(FullAgents, ChangeTheirRoleAFewTimesAtMost) {
  SeededRng rng(1);
  Agent agent(Role::kControlling, make_credentials(rng), rng);
  const Credentials hostile = make_credentials(rng);
  const Path path{{IpAddress::v4(10, 0, 0, 3), 6'000}, IpAddress::v4(10, 0, 0, 2)};
  agent.add_local_candidate(make_host_candidate({path.local, 5'000}));
  agent.add_remote_candidate(make_host_candidate(path.remote));
  Now now{Instant{} + 1h, {}};
  SendBatch out;
  agent.set_remote(now, hostile);
  agent.start(now, out);
  size_t checks = 0;
  for (int i = 0; i < 1'000; ++i) {
    now.mono += 10ms;
    agent.on_timeout(now, out);
    std::vector<stun::TransactionId> ids;
    for (const auto& entry : out.entries()) ids.push_back(stun::parse_message(out.bytes(entry))->id);
    out.clear();
    checks += ids.size();
    for (const stun::TransactionId& id : ids) {
      uint8_t buffer[100];
      stun::MessageWriter writer(buffer, stun::Class::kError, id);
      writer.error(487, "");
      Integrity(hostile.pwd).sign(*writer.integrity_room());
      writer.fingerprint();
      agent.on_datagram(now, path, {buffer, writer.finish()}, out);
    }
  }
  EXPECT_EQ(checks, kMaxRoleSwitches + 1);
  EXPECT_EQ(agent.state(), State::kFailed);
}

}  // namespace
}  // namespace atm::ice
