#include "core/dtls/transport.h"

#include <gtest/gtest.h>

#include "core/dtls/call_test.h"

namespace atm::dtls {
namespace {

Bytes bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST(Transport, ConnectsInTwoRoundTripsWithoutLoss) {
  Call call(1);
  call.start();
  call.run(4 * kOneWay + 1ms);
  EXPECT_TRUE(call.connected()) << call.client->failure() << call.server->failure();
  EXPECT_LE(call.largest, kMtu);
}

TEST(Transport, HasNoDeadlineOnceConnected) {
  Call call(2);
  call.start();
  call.run(2s);
  ASSERT_TRUE(call.connected());
  EXPECT_EQ(call.client->next_timeout(), kNever);
  EXPECT_EQ(call.server->next_timeout(), kNever);
}

TEST(Transport, KeysAgreeCrosswise) {
  Call call(3);
  call.start();
  EXPECT_FALSE(call.client->srtp_keys());
  call.run(1s);
  const auto client = call.client->srtp_keys();
  const auto server = call.server->srtp_keys();
  ASSERT_TRUE(client && server);
  EXPECT_EQ(client->profile, SrtpProfile::kAeadAes128Gcm);
  EXPECT_EQ(client->local_key, server->remote_key);
  EXPECT_EQ(client->local_salt, server->remote_salt);
  EXPECT_EQ(client->remote_key, server->local_key);
  EXPECT_EQ(client->remote_salt, server->local_salt);
  EXPECT_NE(client->local_key, client->remote_key);
  EXPECT_EQ(client->local_key.size(), 16u);
  EXPECT_EQ(client->local_salt.size(), 12u);
}

TEST(Transport, ConnectsAtTwentyPercentLossWithEverySeed) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Call call(seed, 0.2);
    call.start();
    call.run(10s);
    EXPECT_TRUE(call.connected()) << "seed " << seed << " " << call.client->failure() << call.server->failure();
    EXPECT_TRUE(call.client->srtp_keys() && call.server->srtp_keys()) << "seed " << seed;
  }
}

TEST(Transport, RepeatsTheFirstFlightAfterFiftyMilliseconds) {
  Call call(4);
  call.drop = [](bool, ByteView) { return true; };
  call.start();
  EXPECT_EQ(call.client->next_timeout(), call.now.mono + 50ms);
  const size_t first = call.sent;
  call.run(49ms);
  EXPECT_EQ(call.sent, first);
  call.run(1ms);
  EXPECT_EQ(call.sent, 2 * first);
  EXPECT_EQ(call.client->next_timeout(), call.now.mono + 100ms);
}

TEST(Transport, GivesUpWhenNobodyAnswers) {
  Call call(5);
  call.drop = [](bool, ByteView) { return true; };
  call.start();
  call.run(60s);
  EXPECT_EQ(call.client->state(), State::kFailed);
  EXPECT_FALSE(call.client->failure().empty());
  EXPECT_EQ(call.client->next_timeout(), kNever);
  EXPECT_LT(call.sent, 20u);
}

// The server is connected and silent when its Finished is lost: only reading on after the handshake sends it again.
TEST(Transport, ServersLostLastFlightIsRepeated) {
  Call call(6);
  int lost = 0;
  call.drop = [&](bool from_client, ByteView) {
    if (from_client || call.server->state() != State::kConnected || lost == 3) return false;
    ++lost;
    return true;
  };
  call.start();
  call.run(5s);
  EXPECT_EQ(lost, 3);
  EXPECT_TRUE(call.connected());
}

TEST(Transport, RefusesAPeerWithAnotherCertificate) {
  for (const bool wrong_at_client : {false, true}) {
    Call call(7);
    const std::string stranger = "sha-256 " + Certificate::make(call.now, call.rng).fingerprint();
    call.exchange_fingerprints();
    ASSERT_TRUE((wrong_at_client ? call.client : call.server)->set_remote_fingerprint(stranger));
    call.server->start(call.now, call.server_out);
    call.client->start(call.now, call.client_out);
    call.flush(true);
    call.run(30s);
    EXPECT_EQ((wrong_at_client ? call.client : call.server)->state(), State::kFailed);
    EXPECT_NE((wrong_at_client ? call.server : call.client)->state(), State::kConnected);
    EXPECT_FALSE(call.client->srtp_keys());
    EXPECT_FALSE(call.server->srtp_keys());
    EXPECT_EQ((wrong_at_client ? call.client : call.server)->failure(), "certificate verify failed");
  }
}

TEST(Transport, ServerWithoutFingerprintDropsUntilItHasOne) {
  Call call(8);
  ASSERT_TRUE(call.client->set_remote_fingerprint("sha-256 " + call.server_context->certificate().fingerprint()));
  call.client->start(call.now, call.client_out);
  call.flush(true);
  call.run(100ms);
  EXPECT_EQ(call.server->state(), State::kNew);
  EXPECT_GT(call.server->counters().too_early, 0u);
  call.exchange_fingerprints();
  call.run(2s);
  EXPECT_TRUE(call.connected());
}

TEST(Transport, CarriesApplicationDataBothWays) {
  Call call(9);
  EXPECT_FALSE(call.client->send(call.now, bytes("early"), call.client_out));
  call.start();
  call.run(1s);
  ASSERT_TRUE(call.connected());
  const Bytes full(kApplicationMtu, 0x42);
  EXPECT_TRUE(call.client->send(call.now, bytes("ping"), call.client_out));
  EXPECT_TRUE(call.client->send(call.now, full, call.client_out));
  EXPECT_TRUE(call.server->send(call.now, bytes("pong"), call.server_out));
  ASSERT_EQ(call.client_out.datagrams.size(), 2u);
  EXPECT_EQ(call.client_out.datagrams[1].size(), kMtu);
  call.flush(true);
  call.flush(false);
  call.run(1s);
  EXPECT_EQ(call.server_out.application, (std::vector<Bytes>{bytes("ping"), full}));
  EXPECT_EQ(call.client_out.application, (std::vector<Bytes>{bytes("pong")}));
  EXPECT_FALSE(call.client->send(call.now, Bytes(1'500), call.client_out));
  EXPECT_FALSE(call.client->send(call.now, {}, call.client_out));
  EXPECT_EQ(call.client->state(), State::kConnected);
}

// An unordered, unreliable carrier: records arrive late and twice, and a duplicate is given up once.
TEST(Transport, DropsReplayedRecords) {
  Call call(10);
  call.start();
  call.run(1s);
  ASSERT_TRUE(call.client->send(call.now, bytes("one"), call.client_out));
  ASSERT_TRUE(call.client->send(call.now, bytes("two"), call.client_out));
  for (const size_t i : {1, 0, 1, 0}) call.deliver(false, call.client_out.datagrams[i]);
  EXPECT_EQ(call.server_out.application, (std::vector<Bytes>{bytes("two"), bytes("one")}));
}

TEST(Transport, CloseNotifyEndsBothSides) {
  Call call(11);
  call.start();
  call.run(1s);
  call.client->close(call.now, call.client_out);
  EXPECT_EQ(call.client->state(), State::kClosed);
  ASSERT_EQ(call.client_out.datagrams.size(), 1u);
  call.flush(true);
  call.run(1s);
  EXPECT_EQ(call.server->state(), State::kClosed);
  EXPECT_FALSE(call.server->send(call.now, bytes("late"), call.server_out));
  EXPECT_FALSE(call.server->srtp_keys());
  EXPECT_GT(call.client->counters().too_late, 0u);  // the server's own close_notify
}

// Random bytes in the DTLS range, before, during and after the handshake. Whole forged handshake messages or alerts in
// the clear are another matter: RFC 6347 has no defence, ICE's consent and source check are in front of this class.
TEST(Transport, GarbageInBetweenChangesNothing) {
  Call call(12);
  SeededRng garbage(99);
  const auto throw_garbage = [&] {
    for (int i = 0; i < 50; ++i) {
      Bytes b(garbage.below(200));
      garbage.fill(b);
      // A plausible record header now and then, of a wrong epoch.
      if (b.size() > 13 && i % 2 == 0) {
        b[0] = static_cast<uint8_t>(20 + garbage.below(4));
        b[1] = 0xfe;
        b[2] = 0xfd;
        store_u16(&b[3], 2);
        store_u16(&b[11], static_cast<uint16_t>(b.size() - 13));
      }
      call.deliver(i % 3 == 0, b);
    }
    call.deliver(true, {});
    call.deliver(false, {});
    call.deliver(false, Bytes(kMaxInboundSize + 1, 22));
  };
  call.start();
  for (int i = 0; i < 60; ++i) {
    throw_garbage();
    call.flush(true);
    call.flush(false);
    call.run(1ms);
  }
  call.run(2s);
  ASSERT_TRUE(call.connected()) << call.client->failure() << call.server->failure();
  throw_garbage();
  EXPECT_TRUE(call.connected());
  EXPECT_GT(call.server->counters().not_dtls, 0u);
  EXPECT_EQ(call.server->counters().too_large, 61u);
  ASSERT_TRUE(call.client->send(call.now, bytes("still here"), call.client_out));
  call.flush(true);
  call.run(1s);
  EXPECT_EQ(call.server_out.application, std::vector<Bytes>{bytes("still here")});
}

TEST(Transport, EveryTruncationOfTheFirstFlightIsSurvived) {
  Call call(13);
  call.exchange_fingerprints();
  call.client->start(call.now, call.client_out);
  const Bytes hello = call.client_out.datagrams.at(0);
  for (size_t size = 0; size < hello.size(); ++size) {
    Transport server(*call.server_context, Role::kServer);
    server.set_remote_fingerprint("sha-256 " + call.client_context->certificate().fingerprint());
    Output out;
    server.on_datagram(call.now, ByteView(hello).first(size), out);
    EXPECT_TRUE(out.datagrams.empty());
    EXPECT_NE(server.state(), State::kConnected);
  }
}

// Chromium's and Firefox's ClientHello come in fragments in two datagrams. Here ours, cut in three by hand, in any
// order.
TEST(Transport, AcceptsAClientHelloInFragments) {
  Call call(14);
  call.exchange_fingerprints();
  call.client->start(call.now, call.client_out);
  const Bytes hello = std::move(call.client_out.datagrams.at(0));
  call.client_out.clear();
  constexpr size_t kRecordHeader = 13, kMessageHeader = 12;
  const ByteView body = ByteView(hello).subspan(kRecordHeader + kMessageHeader);
  const size_t cut = body.size() / 3;
  std::vector<Bytes> fragments;
  for (size_t i = 0; i < 3; ++i) {
    const size_t at = i * cut;
    const ByteView part = body.subspan(at, i == 2 ? body.size() - at : cut);
    Bytes fragment(kRecordHeader + kMessageHeader + part.size());
    Writer w(fragment);
    w.bytes(ByteView(hello).first(10));
    // Low byte of the record's sequence number. Two collide with the client's next flight, which it then repeats.
    w.u8(static_cast<uint8_t>(i));
    w.u16(static_cast<uint16_t>(kMessageHeader + part.size()));
    w.bytes(ByteView(hello).subspan(kRecordHeader, 6));  // type, length, message sequence
    w.u24(static_cast<uint32_t>(at));
    w.u24(static_cast<uint32_t>(part.size()));
    w.bytes(part);
    ASSERT_TRUE(w.ok());
    fragments.push_back(fragment);
  }
  for (const size_t i : {2, 0, 1}) {
    EXPECT_TRUE(call.server_out.datagrams.empty());
    call.deliver(false, fragments[i]);
  }
  EXPECT_FALSE(call.server_out.datagrams.empty());
  call.flush(false);
  call.run(1s);
  EXPECT_TRUE(call.connected());
}

TEST(Transport, ConnectsWithoutMediaWhenNoProfileIsShared) {
  Call call(15);
  const SrtpProfile one[] = {SrtpProfile::kAeadAes128Gcm};
  const SrtpProfile other[] = {SrtpProfile::kAeadAes256Gcm};
  const Context client(call.client_context->certificate(), other);
  const Context server(call.server_context->certificate(), one);
  call.client.emplace(client, Role::kClient);
  call.server.emplace(server, Role::kServer);
  call.start();
  call.run(1s);
  EXPECT_TRUE(call.connected());
  EXPECT_FALSE(call.server->srtp_keys());
  EXPECT_FALSE(call.client->srtp_keys());
}

TEST(Transport, NegotiatesAes256WhenBothPreferIt) {
  Call call(16);
  const SrtpProfile both[] = {SrtpProfile::kAeadAes256Gcm, SrtpProfile::kAeadAes128Gcm};
  const Context client(call.client_context->certificate(), both);
  const Context server(call.server_context->certificate(), both);
  call.client.emplace(client, Role::kClient);
  call.server.emplace(server, Role::kServer);
  call.start();
  call.run(1s);
  ASSERT_TRUE(call.connected() && call.server->srtp_keys() && call.client->srtp_keys());
  EXPECT_EQ(call.server->srtp_keys()->profile, SrtpProfile::kAeadAes256Gcm);
  EXPECT_EQ(call.server->srtp_keys()->local_key, call.client->srtp_keys()->remote_key);
  EXPECT_EQ(call.server->srtp_keys()->local_key.size(), 32u);
}

TEST(Transport, SurvivesBeingMoved) {
  Call call(17);
  call.start();
  call.run(kOneWay);
  Transport moved = std::move(*call.server);
  call.server.emplace(std::move(moved));
  call.run(1s);
  EXPECT_TRUE(call.connected());
}

TEST(Transport, SameSeedSameBytes) {
  const auto trace = [](uint64_t seed) {
    Call call(seed, 0.2);
    call.start();
    call.run(10s);
    return std::pair(call.trace, call.now.mono);
  };
  const auto first = trace(18);
  EXPECT_GT(first.first.size(), 1'000u);
  EXPECT_EQ(first, trace(18));
  EXPECT_NE(first.first, trace(19).first);
}

}  // namespace
}  // namespace atm::dtls
