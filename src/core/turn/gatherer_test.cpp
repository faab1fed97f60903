// The gatherer with servers of the tests, in virtual time. What it finds behind NATs: tests/sim/ice_nat_test.cpp.
#include "core/turn/gatherer.h"

#include <gtest/gtest.h>

#include "core/turn/server_test.h"

namespace atm::turn {
namespace {

const SocketAddress kHost{IpAddress::v4(192, 0, 2, 1), 5'000};

TestServer::Options server_at(uint8_t last) {
  TestServer::Options out;
  out.address.ip = IpAddress::v4(198, 51, 100, last);
  return out;
}

struct World {
  void add(TestServer& server, ServerKind kind) {
    const ServerUrl url{kind, Protocol::kUdp, server.options.address.ip.to_string(), server.options.address.port};
    gatherer.add_server(now, {url, server.options.address, "ann", "secret"}, out);
  }
  void run(Duration duration) {
    for (const Instant end = now.mono + duration; now.mono < end; now.mono += 5ms) {
      if (gatherer.next_timeout() <= now.mono) gatherer.on_timeout(now, out);
      for (int turns = 0; turns < 10 && !batch.empty(); ++turns) exchange();
    }
  }
  void exchange() {
    SendBatch sent = std::move(batch);
    batch = {};
    for (const auto& entry : sent.entries()) {
      for (TestServer* server : {&first, &second}) {
        if (entry.path.remote != server->options.address) continue;
        server->on_client(now, kHost, sent.bytes(entry));
        for (auto& answer : server->sent) {
          EXPECT_TRUE(gatherer.on_datagram(now, {{answer.from, kHost.ip}, now.mono, answer.bytes}, out));
        }
        server->sent.clear();
      }
    }
  }
  template <typename T>
  std::vector<T> take() const {
    std::vector<T> found;
    for (const Event& event : events) {
      if (const auto* one = std::get_if<T>(&event)) found.push_back(*one);
    }
    return found;
  }

  SeededRng rng{3};
  Now now{Instant{} + 1h, {}};
  TestServer first{server_at(8)}, second{server_at(9)};
  SendBatch batch;
  std::vector<Datagram> received;
  std::vector<Event> events;
  Output out{batch, received, events};
  Gatherer gatherer{{}, rng};
};

TEST(Gatherer, TellsWhatItFindsAsItComes) {
  World world;
  world.gatherer.add_host(world.now, kHost, world.out);
  EXPECT_EQ(world.take<CandidateFound>().size(), 1u) << "the host at once";
  world.add(world.first, ServerKind::kStun);
  world.add(world.second, ServerKind::kTurn);
  world.run(200ms);
  const auto found = world.take<CandidateFound>();
  ASSERT_EQ(found.size(), 2u) << "without a NAT what a server sees is the host's own";
  EXPECT_EQ(found[1].candidate.type, ice::CandidateType::kRelayed);
  EXPECT_LT(found[1].candidate.priority, found[0].candidate.priority);
  EXPECT_EQ(world.take<GatheringDone>().size(), 1u);
}

TEST(Gatherer, TakesNoRelayedAddressThatAnotherAllocationHas) {
  World world;
  world.gatherer.add_host(world.now, kHost, world.out);
  world.add(world.first, ServerKind::kTurn);  // both relay the same address and begin with the same port
  world.add(world.second, ServerKind::kTurn);
  world.run(500ms);
  const auto failed = world.take<ServerFailed>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].why, "TURN server 198.51.100.9:3478 relays an address that is taken");
  EXPECT_EQ(world.gatherer.candidates().size(), 2u);
}

struct Renewed : World {
  Renewed() {
    gatherer.add_host(now, kHost, out);
    add(first, ServerKind::kTurn);
    run(500ms);
    first.options.password = "another";
  }
  void renew() {
    gatherer.set_credentials(now, {ServerKind::kTurn, Protocol::kUdp, first.options.address.ip.to_string(), 3'478},
                             "ann", "another", out);
  }
};

TEST(Gatherer, AsksAgainWithNewCredentialsWhereTheOldOnesFailed) {
  World world;
  world.first.options.password = "another";
  world.gatherer.add_host(world.now, kHost, world.out);
  world.add(world.first, ServerKind::kTurn);
  world.run(500ms);
  ASSERT_EQ(world.take<ServerFailed>().size(), 1u);
  EXPECT_EQ(world.take<ServerFailed>()[0].code, 401);
  world.gatherer.set_credentials(world.now, {ServerKind::kTurn, Protocol::kUdp, "198.51.100.8", 3'478}, "ann",
                                 "another", world.out);
  world.run(500ms);
  EXPECT_EQ(world.first.allocation_count(world.now), 1u);
  EXPECT_EQ(world.take<ServerFailed>().size(), 1u);
}

TEST(Gatherer, ALostAllocationOfOldCredentialsIsMadeAgainWithTheNewOnes) {
  Renewed world;
  world.renew();
  world.run(100ms);
  EXPECT_EQ(world.first.requests[stun::kAllocate], 2u) << "what is there stays as it is";
  world.first.forget_allocations();
  world.run(10min);
  EXPECT_EQ(world.first.allocation_count(world.now), 1u);
  EXPECT_TRUE(world.take<ServerFailed>().empty());
  EXPECT_EQ(world.take<CandidateLost>().size(), 1u);
}

TEST(Gatherer, WithoutNewCredentialsALostAllocationIsAFailure) {
  Renewed world;
  world.first.forget_allocations();
  world.run(10min);
  ASSERT_EQ(world.take<ServerFailed>().size(), 1u);
  EXPECT_EQ(world.take<ServerFailed>()[0].code, 401);
}

}  // namespace
}  // namespace atm::turn
