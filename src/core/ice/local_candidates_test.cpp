// A full agent with server-reflexive and relayed local candidates: from where it checks, and what it prefers.
#include <gtest/gtest.h>

#include "core/ice/agent.h"
#include "wire/stun/message_writer.h"

namespace atm::ice {
namespace {

const SocketAddress kHost{IpAddress::v4(10, 0, 0, 2), 5'000};
const SocketAddress kMapped{IpAddress::v4(192, 0, 2, 1), 50'000};
const IpAddress kRelay = IpAddress::v4(198, 51, 100, 9);
const SocketAddress kRemote{IpAddress::v4(203, 0, 113, 5), 6'000};
const SocketAddress kOther{IpAddress::v4(203, 0, 113, 6), 6'000};

Candidate make_candidate(CandidateType type, const SocketAddress& address, std::optional<SocketAddress> related = {}) {
  Candidate out = make_host_candidate(address);
  out.type = type;
  out.priority = candidate_priority(type, 65'535, 1);
  out.related = related;
  return out;
}
Candidate reflexive() {
  return make_candidate(CandidateType::kServerReflexive, kMapped, kHost);
}
Candidate relayed(uint16_t port = 49'152) {
  return make_candidate(CandidateType::kRelayed, {kRelay, port}, kMapped);
}

struct Side {
  explicit Side(Role role = Role::kControlling)
      : agent(role, make_credentials(rng), rng), remote(make_credentials(rng)) {
    agent.set_remote(now, remote);
  }
  // The paths of what is sent within that time.
  std::vector<Path> run(Duration duration) {
    std::vector<Path> out;
    for (const Instant end = now.mono + duration; now.mono < end; now.mono += 5ms) {
      agent.on_timeout(now, batch);
      for (const auto& entry : batch.entries()) {
        out.push_back(entry.path);
        asked.emplace_back(entry.path, stun::parse_message(batch.bytes(entry))->id);
      }
      batch.clear();
    }
    return out;
  }
  void answer(const Path& path, const std::optional<Path>& over = {}) {
    for (size_t i = asked.size(); i-- > 0;) {
      if (asked[i].first != path) continue;
      uint8_t buffer[128];
      stun::MessageWriter writer(buffer, stun::Class::kSuccess, asked[i].second);
      writer.xor_mapped_address(mapped);
      Integrity(remote.pwd).sign(*writer.integrity_room());
      writer.fingerprint();
      agent.on_datagram(now, over.value_or(path), {buffer, writer.finish()}, batch);
      break;
    }
    keep();
  }
  void request(const Path& path, uint32_t priority) {
    uint8_t buffer[200];
    stun::MessageWriter writer(buffer, stun::Class::kRequest, make_transaction_id(rng));
    writer.username(agent.local().ufrag + ':' + remote.ufrag);
    writer.priority(priority);
    writer.ice_controlled(1);
    Integrity(agent.local().pwd).sign(*writer.integrity_room());
    writer.fingerprint();
    ASSERT_TRUE(agent.on_datagram(now, path, {buffer, writer.finish()}, batch));
    keep();
  }
  void keep() {
    for (const auto& entry : batch.entries()) {
      const auto message = stun::parse_message(batch.bytes(entry));
      if (message->message_class == stun::Class::kRequest) asked.emplace_back(entry.path, message->id);
    }
    batch.clear();
  }

  SocketAddress mapped = kMapped;  // that the remote side says it sees
  SeededRng rng{5};
  Now now{Instant{} + 1h, {}};
  Agent agent;
  Credentials remote;
  SendBatch batch;
  std::vector<std::pair<Path, stun::TransactionId>> asked;
};

Path from_host(const SocketAddress& remote) {
  return {remote, kHost.ip};
}
Path from_relay(const SocketAddress& remote, uint16_t port = 49'152) {
  return {remote, kRelay, Transport::kUdp, port};
}

TEST(LocalCandidates, AReflexiveOneIsCheckedFromItsBaseOnce) {
  Side side;
  side.agent.add_local_candidate(make_host_candidate(kHost));
  side.agent.add_local_candidate(reflexive());
  side.agent.add_remote_candidate(make_host_candidate(kRemote));
  side.agent.start(side.now, side.batch);
  side.keep();
  EXPECT_TRUE(side.run(400ms).empty());
  ASSERT_EQ(side.asked.size(), 1u);
  EXPECT_EQ(side.asked[0].first, from_host(kRemote));
}

TEST(LocalCandidates, RelaysAtOneAddressAreToldApartByTheirPorts) {
  Side side;
  side.agent.start(side.now, side.batch);
  side.agent.add_remote_candidate(make_host_candidate(kRemote));
  side.agent.add_local_candidate(relayed(49'152));
  side.agent.add_local_candidate(relayed(49'153));
  const auto sent = side.run(200ms);
  EXPECT_EQ(sent, (std::vector<Path>{from_relay(kRemote, 49'152), from_relay(kRemote, 49'153)}));
  side.answer(from_relay(kRemote, 49'152), from_relay(kRemote, 49'153));
  EXPECT_EQ(side.agent.counters().asymmetric_response, 1u);
  EXPECT_FALSE(side.agent.selected());
  side.answer(from_relay(kRemote, 49'153));
  EXPECT_EQ(side.agent.selected(), from_relay(kRemote, 49'153));
  EXPECT_FALSE(side.agent.is_validated(from_relay(kRemote, 49'152)));
  EXPECT_FALSE(side.agent.is_validated({kRemote, kRelay}));
}

TEST(LocalCandidates, ADirectPathIsWaitedForLongerThanARelay) {
  Side side;
  side.agent.add_local_candidate(make_host_candidate(kHost));
  side.agent.add_local_candidate(relayed());
  side.agent.add_remote_candidate(make_host_candidate(kRemote));
  side.agent.start(side.now, side.batch);
  side.keep();
  side.run(100ms);
  side.answer(from_relay(kRemote));
  EXPECT_EQ(side.agent.selected(), from_relay(kRemote)) << "in use at once";
  side.run(kRelayedPatience - 50ms);
  side.answer(from_host(kRemote));  // of the check that was sent again
  side.run(50ms);
  side.answer(from_host(kRemote));
  EXPECT_TRUE(side.agent.is_nominated());
  EXPECT_EQ(side.agent.selected(), from_host(kRemote));
}

TEST(LocalCandidates, ACheckIsSentAgainWhenTheOtherSidesComes) {
  Side side;
  side.agent.add_local_candidate(make_host_candidate(kHost));
  side.agent.add_remote_candidate(make_host_candidate(kRemote));
  side.agent.start(side.now, side.batch);
  side.keep();
  EXPECT_TRUE(side.run(200ms).empty());
  side.request(from_host(kRemote), 1);
  EXPECT_EQ(side.run(10ms).size(), 1u);
  for (int i = 0; i < 10; ++i) side.request(from_host(kRemote), 1);
  EXPECT_TRUE(side.run(200ms).empty()) << "once";
}

TEST(LocalCandidates, AnAddressLearnedFromACheckBecomesWhatItIsSaidToBe) {
  for (const bool is_told : {false, true}) {
    Side side;
    side.agent.add_local_candidate(make_host_candidate(kHost));
    side.agent.add_remote_candidate(make_candidate(CandidateType::kServerReflexive, kOther));
    side.agent.start(side.now, side.batch);
    side.keep();
    side.request(from_host(kRemote), candidate_priority(CandidateType::kPeerReflexive, 65'535, 1));
    side.run(100ms);
    if (is_told) side.agent.add_remote_candidate(make_candidate(CandidateType::kRelayed, kRemote));
    side.answer(from_host(kOther));
    side.answer(from_host(kRemote));
    side.run(10ms);
    EXPECT_EQ(side.asked.back().first, from_host(is_told ? kOther : kRemote)) << "which is nominated";
  }
}

TEST(LocalCandidates, ALostAddressTakesItsPathsWithIt) {
  Side side;
  side.agent.add_local_candidate(make_host_candidate(kHost));
  side.agent.add_local_candidate(reflexive());
  side.agent.add_local_candidate(relayed());
  side.agent.add_remote_candidate(make_host_candidate(kRemote));
  side.agent.start(side.now, side.batch);
  side.keep();
  side.run(100ms);
  side.answer(from_relay(kRemote));
  side.answer(from_host(kRemote));
  side.run(10ms);
  side.answer(from_host(kRemote));
  ASSERT_EQ(side.agent.selected(), from_host(kRemote));
  side.agent.remove_local_candidate(reflexive());
  EXPECT_EQ(side.agent.selected(), from_host(kRemote)) << "its base is there";
  side.agent.remove_local_candidate(make_host_candidate(kHost));
  EXPECT_EQ(side.agent.selected(), from_relay(kRemote)) << "what is left";
  side.agent.remove_local_candidate(relayed());
  EXPECT_FALSE(side.agent.selected());
  EXPECT_EQ(side.agent.state(), State::kFailed);
  EXPECT_TRUE(side.agent.local_candidates().empty());
}

TEST(LocalCandidates, TheSelectedOneIsTheOneThatTheRemoteSideSees) {
  const auto type_of = [](const std::vector<Candidate>& candidates, const Path& path, const SocketAddress& mapped) {
    Side side;
    side.mapped = mapped;
    EXPECT_FALSE(side.agent.selected_type());
    for (const Candidate& candidate : candidates) side.agent.add_local_candidate(candidate);
    side.agent.add_remote_candidate(make_host_candidate(kRemote));
    side.agent.start(side.now, side.batch);
    side.keep();
    side.run(100ms);
    side.answer(path);
    EXPECT_EQ(side.agent.selected(), path);
    return side.agent.selected_type();
  };
  const Candidate host = make_host_candidate(kHost);
  EXPECT_EQ(type_of({host}, from_host(kRemote), kHost), CandidateType::kHost);
  EXPECT_EQ(type_of({host, reflexive()}, from_host(kRemote), kMapped), CandidateType::kServerReflexive);
  EXPECT_EQ(type_of({host}, from_host(kRemote), kMapped), CandidateType::kPeerReflexive);
  EXPECT_EQ(type_of({host, relayed()}, from_relay(kRemote), kMapped), CandidateType::kRelayed);
}

// Two NATs that let everything in and have a port for each destination: one more address comes with each check.
TEST(LocalCandidates, AHostOfManyPortsIsFollowedNotForEver) {
  Side side;
  side.agent.add_local_candidate(make_host_candidate(kHost));
  side.agent.start(side.now, side.batch);
  size_t checked = 0;
  for (uint16_t port = 1; port <= 100; ++port) {
    side.request(from_host({kRemote.ip, port}), 1);
    for (const Path& path : side.run(50ms)) checked += path.remote.port == port;
  }
  EXPECT_EQ(checked, kMaxReflexivePairs);
  side.run(1min);  // all of them have failed
  side.request(from_host({kRemote.ip, 200}), 1);
  const auto sent = side.run(100ms);
  EXPECT_EQ(sent.size(), 1u) << "a NAT that was restarted";
}

}  // namespace
}  // namespace atm::ice
