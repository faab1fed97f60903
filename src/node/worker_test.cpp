#include "node/worker.h"

#include <gtest/gtest.h>

#include "core/dtls/virtual_openssl_test.h"
#include "core/ice/remote_agent.h"

namespace atm::node {
namespace {

// A worker, and offers of clients that never come: what happens on the way to a call. Calls are in tests/sim.
struct WorkerTest : testing::Test {
  WorkerTest() : openssl(rng) {
    set_time(Instant{5s});
    config.index = 3;
    config.addresses = config.local_addresses = {{IpAddress::v4(192, 0, 2, 1), 20'003}};
    worker.emplace(config, now, rng);
    client_dtls.emplace(dtls::Certificate::make(now, rng));
  }
  void set_time(Instant t) {
    now = {t, WallTime{1'790'000'000s + t.time_since_epoch()}};
    dtls::VirtualOpenssl::set_time(now);
  }
  void run_for(Duration length) {
    const Instant end = now.mono + length;
    while (worker->next_timeout() <= end) {
      set_time(std::max(now.mono, worker->next_timeout()));
      worker->on_timeout(now, out);
      ASSERT_GT(worker->next_timeout(), now.mono) << "due again without end";
    }
    set_time(end);
  }
  std::string offer() {
    peer::Config client;
    client.role = peer::Role::kClient;
    client.dtls = &*client_dtls;
    negotiation::OfferMedia audio;
    audio.mid = "0";
    audio.stream_id = audio.track_id = "t";
    audio.ssrc = 5;
    return peer::Peer(client, rng).make_offer({audio}, {});
  }
  contract::Reply command(contract::Command command) {
    worker->on_command(now, std::move(command), out);
    if (worker->replies().empty()) return {};
    contract::Reply reply = std::move(worker->replies().front());
    worker->replies().erase(worker->replies().begin());
    return reply;
  }
  contract::Reply connect(const std::string& room, const std::string& peer, const std::string& sdp) {
    contract::ConnectRequest request;
    request.room = room;
    request.peer = peer;
    request.sdp = sdp;
    return command({1, contract::Connect{request}});
  }
  std::string conn_of(const contract::Reply& reply) {
    const auto* done = std::get_if<contract::ConnectDone>(&reply.body);
    return done == nullptr ? "" : done->conn_id;
  }
  static std::optional<ErrorCode> error_of(const contract::Reply& reply) {
    const auto* error = std::get_if<Error>(&reply.body);
    return error == nullptr ? std::nullopt : std::optional(error->code);
  }
  double metric(const std::string& name, const std::string& labels = "") {
    const auto reply = command({1, contract::ReadStats{}});
    for (const auto& value : std::get<contract::Stats>(reply.body).values) {
      if (name == value.name && labels == value.labels) return value.value;
    }
    return -1;
  }

  SeededRng rng{1};
  dtls::VirtualOpenssl openssl;
  Now now{};
  Config config;
  std::optional<Worker> worker;
  std::optional<dtls::Context> client_dtls;
  SendBatch out;
};

TEST_F(WorkerTest, AConnIdNamesItsWorkerAndIsForNobodyElse) {
  const std::string conn = conn_of(connect("r", "p", offer()));
  EXPECT_EQ(conn.substr(0, 2), "3-");
  EXPECT_EQ(conn.size(), 4 + 32u) << conn;
  for (const std::string& wrong : {std::string(), std::string("3-"), "0" + conn.substr(1), conn + "0",
                                   conn.substr(0, 35), conn.substr(0, 4) + std::string(32, '0')}) {
    EXPECT_EQ(error_of(command({1, contract::Disconnect{wrong}})), ErrorCode::kConnNotFound);
    EXPECT_EQ(error_of(command({1, contract::IceRemote{wrong, "candidate", ""}})), ErrorCode::kConnNotFound);
    EXPECT_EQ(error_of(command({1, contract::IceRestart{wrong, "sdp"}})), ErrorCode::kConnNotFound);
  }
  EXPECT_EQ(error_of(command({1, contract::IceRemote{conn, "no candidate at all", ""}})), std::nullopt);
  EXPECT_EQ(error_of(command({1, contract::IceRestart{conn, "no SDP at all"}})), ErrorCode::kInvalidSdp);
  EXPECT_EQ(error_of(command({1, contract::Disconnect{conn}})), std::nullopt);
  EXPECT_EQ(error_of(command({1, contract::Disconnect{conn}})), ErrorCode::kConnNotFound);
}

TEST_F(WorkerTest, ARefusedConnectLeavesNothingBehind) {
  EXPECT_EQ(error_of(connect("r", "p", "v=0 nonsense")), ErrorCode::kInvalidSdp);
  EXPECT_EQ(worker->session_count(), 0u);
  EXPECT_EQ(worker->room_count(), 0u);
  EXPECT_EQ(metric("atm0s_sessions_opened_total"), metric("atm0s_sessions_closed_total"));
}

TEST_F(WorkerTest, ASessionThatNobodyComesForEndsAfterTenSeconds) {
  for (int i = 0; i < 50; ++i)
    EXPECT_NE(conn_of(connect("r" + std::to_string(i % 7), "p" + std::to_string(i), offer())), "");
  run_for(9'900ms);
  EXPECT_EQ(worker->session_count(), 50u);
  run_for(200ms);
  EXPECT_EQ(worker->session_count(), 0u);
  EXPECT_EQ(worker->room_count(), 0u);
  EXPECT_EQ(worker->next_timeout(), kNever);
  EXPECT_EQ(metric("atm0s_sessions_closed_total"), 50);
}

TEST_F(WorkerTest, APeerHasOneSessionInARoomAndOneInEachOtherRoom) {
  const std::string first = conn_of(connect("r", "p", offer()));
  connect("other", "p", offer());
  connect("r", "P", offer());
  EXPECT_EQ(worker->session_count(), 3u);
  connect("r", "p", offer());
  EXPECT_EQ(worker->session_count(), 3u);
  EXPECT_EQ(error_of(command({1, contract::Disconnect{first}})), ErrorCode::kConnNotFound);
}

TEST_F(WorkerTest, ADrainIsAnsweredWhenNoSessionIsLeftAndTakesNoneAnyMore) {
  connect("r", "p", offer());
  EXPECT_EQ(command({7, contract::Drain{}}).ticket, 7u);
  EXPECT_EQ(worker->session_count(), 0u);
  EXPECT_EQ(error_of(connect("r", "p", offer())), ErrorCode::kShuttingDown);
  EXPECT_EQ(command({8, contract::Drain{}}).ticket, 8u) << "with nothing to do, and again";
}

// A check for a session of the worker as its client sends it, whose credentials the answer has.
Bytes check_for(const std::string& answer, uint64_t id) {
  const auto value = [&](const std::string& name) {
    const size_t at = answer.find(name) + name.size();
    return answer.substr(at, answer.find('\r', at) - at);
  };
  const ice::RemoteAgent server({value("a=ice-ufrag:"), value("a=ice-pwd:")}, "client", 42);
  SendBatch batch;
  stun::TransactionId transaction;
  store_u64(transaction.bytes.data(), id);
  server.send_check({}, {transaction, 7, true}, batch);
  const ByteView bytes = batch.bytes(batch.entries()[0]);
  return {bytes.begin(), bytes.end()};
}

TEST_F(WorkerTest, AConnectionIsAdmittedByACheckForASessionAndItsPathEndsWithIt) {
  const auto reply = connect("r", "p", offer());
  const auto& done = std::get<contract::ConnectDone>(reply.body);
  Bytes check = check_for(done.sdp, 1);
  EXPECT_TRUE(worker->admits(check));
  EXPECT_FALSE(worker->admits(ByteView(check).first(check.size() - 1)));
  EXPECT_FALSE(worker->admits({}));
  Bytes other = check;
  other[24] ^= 1;  // of the ufrag
  EXPECT_FALSE(worker->admits(other));

  const Path tcp{{IpAddress::v4(203, 0, 113, 1), 5}, config.addresses[0].ip, Transport::kTcp};
  const auto give = [&](const Path& path, Bytes bytes) {
    Datagram datagram{path, now.mono, bytes};
    worker->on_datagrams(now, {&datagram, 1}, out);
  };
  give(tcp, check);
  ASSERT_FALSE(out.empty());
  EXPECT_EQ(out.entries().back().path, tcp);
  // DTLS from there is the session's; the same address and port of UDP is another's.
  const Bytes dtls = {22, 254, 253, 0};
  Path udp = tcp;
  udp.transport = Transport::kUdp;
  give(tcp, dtls);
  EXPECT_TRUE(worker->has_slow_work());
  worker->do_slow_step(now, out);
  give(udp, dtls);
  EXPECT_FALSE(worker->has_slow_work());
  worker->on_path_closed(now, tcp, out);
  give(tcp, dtls);
  EXPECT_FALSE(worker->has_slow_work());
  EXPECT_EQ(metric("atm0s_ice_total", "event=\"paths_closed\""), 1);
  EXPECT_EQ(worker->session_count(), 1u) << "the client may come again";
  worker->on_path_closed(now, tcp, out);  // nobody's
  command({1, contract::Disconnect{done.conn_id}});
  EXPECT_FALSE(worker->admits(check));
}

TEST_F(WorkerTest, AnswersHaveCandidatesOverTcpWhereThereIsAPortForThem) {
  const std::string udp_alone = std::get<contract::ConnectDone>(connect("r", "p", offer()).body).sdp;
  EXPECT_EQ(udp_alone.find(" tcp "), std::string::npos);
  config.tcp_addresses = {{IpAddress::v4(192, 0, 2, 1), 443}};
  worker.emplace(config, now, rng);
  const std::string both = std::get<contract::ConnectDone>(connect("r", "p", offer()).body).sdp;
  EXPECT_NE(both.find(" tcp 1520435199 192.0.2.1 443 typ host tcptype passive\r\n"), std::string::npos) << both;
  EXPECT_NE(both.find(" udp 2130706431 192.0.2.1 20003 typ host\r\n"), std::string::npos);
}

TEST_F(WorkerTest, StrangersDatagramsAreCountedAndAnsweredByNothing) {
  connect("r", "p", offer());
  out.clear();
  SeededRng noise(9);
  std::vector<Bytes> bytes(2'000);
  std::vector<Datagram> datagrams;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i].resize(noise.below(100));
    noise.fill(bytes[i]);
    const SocketAddress from{IpAddress::v4(203, 0, 113, static_cast<uint8_t>(i)), static_cast<uint16_t>(i)};
    datagrams.push_back({{from, config.addresses[0].ip}, now.mono, bytes[i]});
  }
  worker->on_datagrams(now, datagrams, out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(metric("atm0s_datagrams_received_total"), 2'000);
  worker->on_datagrams(now, {}, out);
}

}  // namespace
}  // namespace atm::node
