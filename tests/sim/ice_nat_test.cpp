// Two full agents behind NATs of every kind of RFC 4787: they connect, directly wherever that can be, and else by the
// TURN server. The table is printed, and held to what is written here.
#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "ice_world.h"

namespace atm::sim {
namespace {

using enum NatDependence;
constexpr NatDependence kAll[] = {kEndpointIndependent, kAddress, kAddressAndPort};
const char* const kLetters[] = {"I", "A", "P"};  // independent, by address, by address and port

const IpAddress kOuterA = IpAddress::v4(192, 0, 2, 1), kOuterB = IpAddress::v4(203, 0, 113, 1);
const IpAddress kOuterC = IpAddress::v4(192, 0, 2, 77);
const SocketAddress kInnerA{IpAddress::v4(10, 0, 0, 2), 5'000}, kInnerB{IpAddress::v4(10, 0, 1, 2), 6'000};
const SocketAddress kInnerC{IpAddress::v4(10, 0, 3, 2), 5'000};

std::string name_of(const NatConfig& nat) {
  return std::string(kLetters[static_cast<int>(nat.mapping)]) + kLetters[static_cast<int>(nat.filtering)];
}

std::unique_ptr<IceWorld> connect(const NatConfig& a, const NatConfig& b, IceWorld::Options options = {}) {
  auto world = std::make_unique<IceWorld>(options);
  world->place(world->a, &world->add_nat(a, kOuterA), 1, kInnerA);
  world->place(world->b, &world->add_nat(b, kOuterB), 2, kInnerB);
  world->begin();
  world->run_until([&] { return world->is_connected(); }, 10s);
  return world;
}

bool is_relayed(const std::string& winner) {
  return winner.find("relay") != std::string::npos;
}

TEST(IceNat, GathersHostReflexiveAndRelayedCandidatesOfEachKind) {
  const auto world = connect({}, {});
  std::set<std::string> types;
  for (const ice::Candidate& candidate : world->a.gatherer.candidates()) {
    types.insert(world->a.type_of(candidate.address));
    EXPECT_EQ(ice::parse_candidate(ice::to_text(candidate)), candidate);
  }
  EXPECT_EQ(types, (std::set<std::string>{"host", "srflx", "relay"}));
  EXPECT_EQ(world->a.gatherer.candidates().size(), 3u) << "STUN and TURN server see one mapping";
  EXPECT_TRUE(world->a.is_done);
}

// Whether two hosts behind such NATs can reach each other at all, with each other's addresses from a STUN server.
bool can_be_direct(const NatConfig& a, const NatConfig& b) {
  const bool a_is_stable = a.mapping == kEndpointIndependent, b_is_stable = b.mapping == kEndpointIndependent;
  if (a_is_stable && b_is_stable) return true;
  // What comes from a port that nobody knew of has to be let in by the side that it knows.
  if (a_is_stable) return a.filtering != kAddressAndPort;
  if (b_is_stable) return b.filtering != kAddressAndPort;
  // Neither is where the other sends: one lets in whatever comes, the other what comes from the one's other ports, and
  // one of the ports must not change with each change of the other.
  if (a.mapping == kAddressAndPort && b.mapping == kAddressAndPort) return false;
  return (a.filtering == kEndpointIndependent && b.filtering != kAddressAndPort) ||
         (b.filtering == kEndpointIndependent && a.filtering != kAddressAndPort);
}

// The end of a direct pair as the other side learns of it.
std::string direct_end(const NatConfig& nat) {
  return nat.mapping == kEndpointIndependent ? "srflx" : "prflx";
}

TEST(IceNat, ConnectsEveryKindWithEveryOtherDirectlyWhereverThatCanBe) {
  std::vector<NatConfig> kinds;
  for (const NatDependence mapping : kAll) {
    for (const NatDependence filtering : kAll) kinds.push_back({mapping, filtering});
  }
  std::printf("mapping and filtering: I independent, A by address, P by address and port\n a \\ b");
  for (const NatConfig& b : kinds) std::printf("%12s", name_of(b).c_str());
  std::printf("\n");
  int direct = 0;
  Duration longest{};
  for (const NatConfig& a : kinds) {
    std::printf("%6s", name_of(a).c_str());
    for (const NatConfig& b : kinds) {
      SCOPED_TRACE(name_of(a) + " with " + name_of(b));
      const auto world = connect(a, b);
      ASSERT_TRUE(world->is_connected());
      longest = std::max(longest, world->now().mono - (Instant{} + 1h));
      EXPECT_TRUE(world->carries_media());
      const std::string winner = world->winner();
      std::printf("%12s", winner.c_str());
      direct += !is_relayed(winner);
      if (can_be_direct(a, b)) {
        EXPECT_EQ(winner, direct_end(a) + '-' + direct_end(b));
      } else {
        EXPECT_TRUE(is_relayed(winner)) << winner;
      }
      world->run(2min);  // consent, and a refresh or two
      EXPECT_TRUE(world->is_connected() && world->carries_media());
      EXPECT_EQ(connect(a, b, {.has_turn = false})->is_connected(), can_be_direct(a, b)) << "without a relay";
    }
    std::printf("\n");
  }
  std::printf("%d of 81 directly; the slowest nominated after %lld ms\n", direct,
              static_cast<long long>(to_ms(longest)));
}

TEST(IceNat, ConnectsEveryKindOverABadLink) {
  int connected = 0, count = 0;
  for (const NatDependence mapping : kAll) {
    for (const NatDependence filtering : kAll) {
      for (uint64_t seed = 1; seed <= 5; ++seed, ++count) {
        const LinkConfig link{.delay = 60ms, .jitter = 20ms, .loss = 0.1};
        const auto world =
            connect({mapping, filtering}, {kAddressAndPort, kAddressAndPort}, {.link = link, .seed = seed});
        connected += world->is_connected();
      }
    }
  }
  std::printf("%d of %d at 10 %% loss within 10 s\n", connected, count);
  EXPECT_GE(connected, count - 1);
}

TEST(IceNat, NeighboursBehindOneNatUseTheirOwnNetwork) {
  IceWorld world({});
  Nat& nat = world.add_nat({kAddressAndPort, kAddressAndPort}, kOuterA);
  world.place(world.a, &nat, 1, kInnerA);
  world.place(world.b, &nat, 1, kInnerB);
  world.begin();
  EXPECT_TRUE(world.run_until([&] { return world.is_connected(); }, 5s));
  EXPECT_EQ(world.winner(), "host-host");
}

// Two networks behind one NAT that do not reach each other, as with carrier-grade NAT.
TEST(IceNat, NeighboursThatDoNotReachEachOtherNeedHairpinningOrARelay) {
  for (const bool hairpins : {true, false}) {
    for (const NatDependence filtering : kAll) {
      IceWorld world({});
      Nat& nat = world.add_nat({.filtering = filtering, .hairpins = hairpins}, kOuterA);
      world.place(world.a, &nat, 1, kInnerA);
      world.place(world.b, &nat, 2, kInnerB);
      world.begin();
      EXPECT_TRUE(world.run_until([&] { return world.is_connected(); }, 5s));
      if (hairpins) {
        EXPECT_EQ(world.winner(), "srflx-srflx");
      } else {
        EXPECT_TRUE(is_relayed(world.winner())) << world.winner();
      }
      EXPECT_TRUE(world.carries_media());
    }
  }
}

TEST(IceNat, APublicHostIsReachedFromBehindAnyNat) {
  for (const NatDependence mapping : kAll) {
    for (const NatDependence filtering : kAll) {
      IceWorld world({});
      world.place(world.a, &world.add_nat({mapping, filtering}, kOuterA), 1, kInnerA);
      world.place(world.b, nullptr, 0, {kOuterB, 6'000});
      world.begin();
      EXPECT_TRUE(world.run_until([&] { return world.is_connected(); }, 5s));
      EXPECT_EQ(world.winner(), direct_end({mapping, filtering}) + "-host");
    }
  }
}

TEST(IceNat, HidesItsAddressesWhereOnlyRelayedCandidatesAreWanted) {
  const auto world = connect({}, {}, {.gathering = {.only_relayed = true}});
  EXPECT_EQ(world->winner(), "relay-relay");
  for (const ice::Candidate& candidate : world->a.gatherer.candidates()) {
    EXPECT_EQ(candidate.type, ice::CandidateType::kRelayed);
    EXPECT_EQ(ice::to_text(candidate).find("10.0."), std::string::npos);
    EXPECT_EQ(ice::to_text(candidate).find(kOuterA.to_string()), std::string::npos);
  }
  EXPECT_TRUE(world->carries_media());
}

// The address vanishes, and another one comes with another network: Wi-Fi is left, say.
TEST(IceNat, AnotherNetworkIsUsedAfterARestart) {
  Duration longest{};
  for (const NatDependence before : kAll) {
    for (const NatDependence after : kAll) {
      const NatConfig other{kAddressAndPort, kAddressAndPort};
      const auto world = connect({before, before}, other);
      ASSERT_TRUE(world->is_connected());
      for (int round = 0; round < 12; ++round) {
        const bool is_even = round % 2 == 0;
        const Instant began = world->now().mono;
        Nat& nat = world->add_nat({is_even ? after : before, after}, is_even ? kOuterC : kOuterA);
        world->move(world->a, &nat, 3 + round, is_even ? kInnerC : kInnerA);
        EXPECT_FALSE(world->a.agent.selected()) << "what went with the address";
        ASSERT_TRUE(world->run_until([&] { return world->a.agent.selected() && world->carries_media(); }, 10s))
            << round;
        longest = std::max(longest, world->now().mono - began);
        ASSERT_TRUE(world->run_until([&] { return world->is_connected(); }, 5s));
      }
      EXPECT_LE(world->a.gatherer.candidates().size(), 4u) << "host, relay, and what each of two servers sees";
    }
  }
  std::printf("media again after %lld ms at most\n", static_cast<long long>(to_ms(longest)));
}

TEST(IceNat, ALostAllocationIsToldAndAskedForAgain) {
  const NatConfig hard{kAddressAndPort, kAddressAndPort};
  const auto world = connect(hard, hard);
  ASSERT_TRUE(is_relayed(world->winner()));
  world->turn.forget_allocations();
  ASSERT_TRUE(world->run_until([&] { return !world->a.gone.empty() && !world->b.gone.empty(); }, 11min));
  EXPECT_EQ(world->a.told, std::vector<std::string>{"TURN server turn:3478 has lost the allocation (437)"});
  world->restart();
  ASSERT_TRUE(world->run_until([&] { return world->is_connected() && world->carries_media(); }, 10s));
}

TEST(IceNat, WrongCredentialsAreToldAndLeaveWhatNeedsNoRelay) {
  turn::TestServer::Options turn;
  turn.password = "another";
  const auto world = connect({}, {}, {.turn = turn});
  EXPECT_EQ(world->winner(), "srflx-srflx");
  EXPECT_EQ(world->a.told, std::vector<std::string>{"TURN server turn:3478 refused the credentials (401)"});
  EXPECT_TRUE(world->a.is_done);
}

}  // namespace
}  // namespace atm::sim
