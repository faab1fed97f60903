// Who is not on a path that ICE has validated can neither shake hands, nor send media, nor get an answer, nor move a
// call: ClientHellos that race with the client's own (as in CVE-2023-51443), and captured packets of a live call from
// other ports, other addresses and to another address of ours.
#include <gtest/gtest.h>

#include "core/peer/call_test.h"

namespace atm::peer {
namespace {

std::vector<negotiation::OfferMedia> media_both_ways() {
  using negotiation::Direction;
  return {Call::line(MediaKind::kAudio, Direction::kSendOnly, "1", 1'000),
          Call::line(MediaKind::kVideo, Direction::kRecvOnly, "2")};
}

const SocketAddress kStrangers[] = {
    {IpAddress::v4(203, 0, 113, 9), 9},        // from elsewhere
    {IpAddress::v4(198, 51, 100, 1), 40'001},  // the client's own address, another port
    {IpAddress::v4(198, 51, 100, 2), 40'000},  // another address, the client's port
};

TEST(Injection, AHundredOfAHundredSessionsConnectUnderAFloodOfClientHellos) {
  size_t connected = 0, injected = 0, dropped = 0;
  CallWorld world(1);
  // Another DTLS client's: well formed, and of a certificate that nobody expects.
  const dtls::Context other(dtls::Certificate::make(world.now, world.rng));
  dtls::Transport stranger(other, dtls::Role::kClient);
  ASSERT_TRUE(stranger.set_remote_fingerprint("sha-256 " + other.certificate().fingerprint()));
  dtls::Output hello;
  stranger.start(world.now, hello);
  ASSERT_EQ(hello.datagrams.size(), 1u);

  for (int session = 0; session < 100; ++session) {
    Call call(world);
    std::vector<Bytes> weapons = {hello.datagrams[0]};
    call.watch = [&](bool to_server, const Bytes& datagram) {
      // And the client's own flights, which somebody captured and is faster with.
      if (to_server && datagram[0] >= 20 && datagram[0] <= 63) weapons.push_back(datagram);
    };
    const auto flood = [&] {
      for (const SocketAddress& from : kStrangers) {
        for (const Bytes& weapon : weapons) {
          Output out = call.server.output();
          Bytes copy = weapon;
          call.server.peer->on_datagram(world.now, {{from, call.server.address.ip}, world.now.mono, copy}, out);
          ++injected;
          ASSERT_TRUE(call.server.out.empty());  // no answer, to nobody
        }
      }
    };
    flood();
    ASSERT_TRUE(call.negotiate(media_both_ways()));
    for (int turn = 0; turn < 60 && !HasFatalFailure(); ++turn) {
      flood();
      call.run(5ms);
    }
    connected +=
        call.server.peer->is_connected() && call.client.peer->is_connected() && call.client.count<ChannelOpened>() == 1;
    dropped += call.server.peer->counters().drop_not_validated;
    EXPECT_EQ(call.server.peer->selected_path()->remote, call.client.address);
  }
  EXPECT_EQ(connected, 100u);
  EXPECT_EQ(dropped, injected);
  EXPECT_GT(injected, 20'000u);
}

class LiveCall : public testing::Test {
 protected:
  // What the client sends in a second: RTP, RTCP, data, checks.
  std::vector<Bytes> capture() {
    std::vector<Bytes> out;
    call.drop = [&](bool to_server, const Bytes& datagram) {
      if (to_server) out.push_back(datagram);
      return to_server;
    };
    for (int i = 0; i < 50; ++i) {
      call.send(call.client, 1, 1'000 + i, "authentic");
      Output output = call.client.output();
      call.client.peer->send_message(world.now, 0, as_bytes("hello"), true, output);
      call.flush(call.client);
      call.run(20ms);
    }
    call.drop = nullptr;
    return out;
  }
  CallWorld world{2};
  Call call{world};
};

TEST_F(LiveCall, CapturedPacketsFromAnotherPathHaveNoEffect) {
  ASSERT_TRUE(call.connect(media_both_ways()));
  const std::vector<Bytes> captured = capture();
  size_t rtp = 0, dtls = 0;
  const auto path = call.server.peer->selected_path();
  const uint64_t before = call.server.peer->counters().drop_not_validated;
  call.server.events.clear();
  call.link.clear();
  for (const Bytes& datagram : captured) {
    if (datagram[0] <= 3) continue;  // checks: AStrangersChecksHaveNoEffect
    ++(datagram[0] < 64 ? dtls : rtp);
    for (const SocketAddress& from : kStrangers) call.deliver(call.server, from, datagram);
    Output out = call.server.output();
    Bytes copy = datagram;  // from the client's address, but to another one of ours
    call.server.peer->on_datagram(world.now,
                                  {{call.client.address, IpAddress::v4(192, 0, 2, 77)}, world.now.mono, copy}, out);
  }
  ASSERT_GE(rtp, 50u);
  ASSERT_GE(dtls, 50u);
  EXPECT_EQ(call.server.peer->counters().drop_not_validated - before, 4 * (rtp + dtls));
  EXPECT_TRUE(call.server.got.empty());
  EXPECT_TRUE(call.server.events.empty());
  EXPECT_TRUE(call.server.out.empty());
  EXPECT_TRUE(call.link.empty());  // and nothing was answered
  EXPECT_EQ(call.server.peer->selected_path(), path);
  // The very same packets count from where they belong to.
  for (const Bytes& datagram : captured) call.deliver(call.server, call.client.address, datagram);
  EXPECT_EQ(call.server.got.size(), 50u);
  EXPECT_GE(call.server.count<ChannelMessage>(), 1u);
}

TEST_F(LiveCall, AStrangersChecksHaveNoEffect) {
  std::vector<Bytes> checks;
  call.watch = [&](bool to_server, const Bytes& datagram) {
    if (to_server && datagram[0] <= 3) checks.push_back(datagram);
  };
  ASSERT_TRUE(call.connect(media_both_ways()));
  call.run(30s);
  ASSERT_GE(checks.size(), 4u);
  const auto path = call.server.peer->selected_path();
  for (const Bytes& check : checks) {
    for (const SocketAddress& from : kStrangers) {
      // Captured and sent again, and with each of its bytes changed.
      for (size_t at = 0; at <= check.size(); ++at) {
        Bytes changed = check;
        if (at < check.size()) changed[at] ^= 0x10;
        Output out = call.server.output();
        call.server.peer->on_datagram(world.now, {{from, call.server.address.ip}, world.now.mono, changed}, out);
        for (const auto& entry : call.server.out.entries()) {
          EXPECT_EQ(entry.path.remote, from);
          EXPECT_LE(entry.size, check.size());
        }
        call.server.out.clear();
        EXPECT_FALSE(call.server.peer->is_validated({from, call.server.address.ip}));
      }
    }
  }
  EXPECT_EQ(call.server.peer->selected_path(), path);
  call.send(call.server, 2, 1, "still to the client");
  call.run(1s);
  EXPECT_EQ(call.client.got.size(), 1u);
}

}  // namespace
}  // namespace atm::peer
