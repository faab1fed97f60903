// A TURN client and a TURN server of the tests, in virtual time; what is on its way arrives at once. For the tests of
// the client.
#pragma once

#include "core/turn/turn_client.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/turn/server_test.h"

namespace atm::turn::test {

inline const SocketAddress kClient{IpAddress::v4(10, 0, 0, 2), 40'000};
inline const SocketAddress kPeer{IpAddress::v4(203, 0, 113, 7), 6'000};
inline const SocketAddress kOtherPeer{IpAddress::v4(203, 0, 113, 8), 6'000};
inline const Bytes kMedia{0x80, 1, 2, 3, 4};
inline const Bytes kCheck = [] {
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

}  // namespace atm::turn::test
