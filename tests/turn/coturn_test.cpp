// Our TURN client and agent against coturn and libnice, over real sockets.
#include "coturn.h"

#include <gtest/gtest.h>

#include "core/ice/libnice_call_test.h"
#include "io/tls/tls_client.h"
#include "relay_client.h"

namespace atm {
namespace {

using ice::CandidateType;
using turn::Protocol;
using turn::ServerKind;

const std::string kMedia = std::string("\x80", 1) + " media";

Coturn& coturn() {
  static Coturn one("denied-peer-ip=127.0.0.66");
  return one;
}
ssl_ctx_st* trust() {
  static const auto one = io::make_tls_context({.ca_file = coturn().ca_file});
  return one ? one->get() : nullptr;
}
class CoturnTest : public testing::Test {
  void SetUp() override { ASSERT_TRUE(coturn().is_running()) << coturn().log(); }
};

SocketAddress at(uint16_t port) {
  return {IpAddress::v4(127, 0, 0, 1), port};
}
turn::Server server(Protocol protocol, const std::string& credential = Coturn::kPassword) {
  const SocketAddress address = at(protocol == Protocol::kTls ? coturn().tls_port : coturn().port);
  const std::string host = protocol == Protocol::kTls ? Coturn::kName : "127.0.0.1";
  return {{ServerKind::kTurn, protocol, host, address.port}, address, Coturn::kUser, credential};
}
turn::Server stun_server() {
  return {{ServerKind::kStun, Protocol::kUdp, "127.0.0.1", coturn().port}, at(coturn().port), "", ""};
}
RelayClient make_client(ice::Role role = ice::Role::kControlling, bool only_relayed = true) {
  return {role, {.only_relayed = only_relayed}, trust()};
}

constexpr Protocol kProtocols[] = {Protocol::kUdp, Protocol::kTcp, Protocol::kTls};

TEST_F(CoturnTest, CarriesDatagramsByAChannelBothWaysOverEachTransport) {
  for (const Protocol protocol : kProtocols) {
    SCOPED_TRACE(static_cast<int>(protocol));
    RelayClient client = make_client();
    client.add_server(server(protocol));
    ASSERT_TRUE(client.wait_for([&] { return client.find(CandidateType::kRelayed).has_value(); }))
        << coturn().log() << (client.failures.empty() ? "" : client.failures[0]);
    const SocketAddress relayed = client.find(CandidateType::kRelayed)->address;
    RelayClient peer = make_client(ice::Role::kControlled);
    const Path path{peer.address, relayed.ip, Transport::kUdp, relayed.port};
    for (size_t size : {1u, 2u, 3u, 100u, 1'200u, 1'472u}) {
      const std::string ping = kMedia + std::string(size, 'x');
      const size_t at_peer = peer.received.size(), at_client = client.received.size();
      client.send(path, as_bytes(ping));
      ASSERT_TRUE(client.wait_for([&] {
        peer.work();
        return peer.received.size() > at_peer;
      }));
      EXPECT_EQ(peer.received.back().second, ping);
      EXPECT_EQ(peer.received.back().first.remote, relayed);
      peer.send({relayed, peer.address.ip}, as_bytes(ping));
      ASSERT_TRUE(client.wait_for([&] { return client.received.size() > at_client; }));
      EXPECT_EQ(client.received.back(), std::pair(path, ping));
    }
    const turn::Counters counters = client.gatherer.counters();
    EXPECT_GE(counters.sent_by_channel, 4u);
    EXPECT_GE(counters.received_by_channel, 4u);
    EXPECT_EQ(counters.malformed + counters.bad_integrity + counters.unexpected_message, 0u);
    client.close();
    EXPECT_TRUE(client.wait_for([&] { return client.gatherer.is_closed(); }, 3s));
    EXPECT_TRUE(client.failures.empty());
  }
}

TEST_F(CoturnTest, SaysThatTheCredentialsAreWrongOverEachTransport) {
  for (const Protocol protocol : kProtocols) {
    RelayClient client = make_client();
    client.add_server(server(protocol, "guess"));
    ASSERT_TRUE(client.wait_for([&] { return !client.failures.empty(); }));
    EXPECT_EQ(client.failures[0], turn::to_text(server(protocol).url) + " refused the credentials (401)");
    EXPECT_TRUE(client.is_done);
  }
}

TEST_F(CoturnTest, SaysWhyAServerCannotBeReached) {
  RelayClient client = make_client();
  turn::Server wrong_name = server(Protocol::kTls);
  wrong_name.url.host = "other.example";
  client.add_server(wrong_name);
  turn::Server closed = server(Protocol::kTcp);
  closed.address.port = 9;
  client.add_server(closed);
  ASSERT_TRUE(client.wait_for([&] { return client.failures.size() == 2; }));
  std::sort(client.failures.begin(), client.failures.end());
  EXPECT_EQ(client.failures[0], turn::to_text(closed.url) + " could not be reached: Connection refused");
  EXPECT_EQ(client.failures[1], turn::to_text(wrong_name.url) + " has a certificate that is not for other.example");
}

TEST_F(CoturnTest, TellsOfAPeerThatItDoesNotRelayTo) {
  RelayClient client = make_client();
  client.add_server(server(Protocol::kUdp));
  ASSERT_TRUE(client.wait_for([&] { return client.find(CandidateType::kRelayed).has_value(); }));
  const SocketAddress relayed = client.find(CandidateType::kRelayed)->address;
  client.send({{IpAddress::v4(127, 0, 0, 66), 9}, relayed.ip, Transport::kUdp, relayed.port}, as_bytes(kMedia));
  ASSERT_TRUE(client.wait_for([&] { return !client.refusals.empty(); }));
  EXPECT_EQ(client.refusals[0], turn::to_text(server(Protocol::kUdp).url) + " does not relay to 127.0.0.66:9 (403)");
}

TEST_F(CoturnTest, TellsOurAddressAndAHostHasNoOtherWithoutANat) {
  RelayClient client = make_client(ice::Role::kControlling, false);
  client.add_server(stun_server());
  ASSERT_TRUE(client.wait_for([&] { return client.is_done; }));
  EXPECT_TRUE(client.failures.empty());
  EXPECT_EQ(client.gatherer.counters().responses, 1u);
  EXPECT_EQ(client.found.size(), 1u) << "it is the host's own";
}

// Two of ours, of which one has only what coturn relays.
TEST_F(CoturnTest, ConnectsTwoOfOurAgentsOverEachTransport) {
  for (const Protocol protocol : kProtocols) {
    RelayClient a = make_client(), b = make_client(ice::Role::kControlled, false);
    a.add_server(server(protocol));
    const Now now = io::read_clocks();
    a.agent.set_remote(now, b.agent.local());
    b.agent.set_remote(now, a.agent.local());
    SendBatch none;
    a.agent.start(now, none);
    b.agent.start(now, none);
    a.agent.add_remote_candidate(*b.find(CandidateType::kHost));
    ASSERT_TRUE(a.wait_for([&] { return a.find(CandidateType::kRelayed).has_value(); }));
    b.agent.add_remote_candidate(*a.find(CandidateType::kRelayed));
    ASSERT_TRUE(a.wait_for([&] {
      b.work();
      return a.agent.is_nominated() && b.agent.is_nominated();
    }));
    const SocketAddress relayed = a.find(CandidateType::kRelayed)->address;
    EXPECT_EQ(a.agent.selected()->local_port, relayed.port);
    EXPECT_EQ(b.agent.selected()->remote, relayed);
    a.send(*a.agent.selected(), as_bytes(kMedia));
    b.send(*b.agent.selected(), as_bytes(kMedia));
    EXPECT_TRUE(a.wait_for([&] {
      b.work();
      return !a.received.empty() && !b.received.empty();
    }));
  }
}

// libnice with what coturn relays to it, with a host of its own, and with both; ours with the same.
TEST_F(CoturnTest, ConnectsWithLibnice) {
  struct Case {
    bool ours_is_relayed, theirs_is_relayed, ours_controls;
  };
  for (const auto& [ours, theirs, controls] : {Case{true, false, true},
                                               {true, false, false},
                                               {false, true, true},
                                               {false, true, false},
                                               {true, true, true},
                                               {true, true, false}}) {
    SCOPED_TRACE(std::to_string(ours) + std::to_string(theirs) + std::to_string(controls));
    RelayClient client = make_client(controls ? ice::Role::kControlling : ice::Role::kControlled, ours);
    client.add_server(stun_server());
    client.add_server(server(Protocol::kUdp));
    ice::Nice::Options options{.controlling = !controls};
    options.stun = at(coturn().port);
    options.turn = at(coturn().port);
    options.username = Coturn::kUser;
    options.credential = Coturn::kPassword;
    options.only_relayed = theirs;
    ice::Nice nice(options);
    nice.set_remote(client.agent.local());
    client.agent.set_remote(io::read_clocks(), nice.local());
    SendBatch none;
    client.agent.start(io::read_clocks(), none);
    size_t given = 0;
    std::vector<std::string> taken;
    const auto trickle = [&] {
      nice.work();
      for (; given < client.found.size(); ++given) nice.add_remote(client.found[given]);
      for (const std::string& text : nice.candidates()) {
        if (std::find(taken.begin(), taken.end(), text) != taken.end()) continue;
        taken.push_back(text);
        const auto candidate = ice::parse_candidate(text);
        if (candidate && (!theirs || candidate->type == CandidateType::kRelayed)) {
          client.agent.add_remote_candidate(*candidate);
        }
      }
    };
    ASSERT_TRUE(client.wait_for([&] {
      trickle();
      return nice.is_ready() && client.agent.is_nominated();
    }));
    // Neither goes past what its only candidates are.
    EXPECT_EQ(client.agent.selected()->local_port != 0, ours);
    ASSERT_TRUE(nice.send("ping"));
    client.send(*client.agent.selected(), as_bytes("pong"));
    EXPECT_TRUE(client.wait_for([&] {
      trickle();
      return !client.received.empty() && !nice.received.empty();
    }));
    EXPECT_TRUE(!client.received.empty() && client.received[0].second == "ping");
    EXPECT_TRUE(!nice.received.empty() && nice.received[0] == "pong");
  }
}

}  // namespace
}  // namespace atm
