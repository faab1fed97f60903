// What an authenticated remote may send, and what comes of it: everything stays bounded and the call goes on.
#include <gtest/gtest.h>

#include "core/peer/known_keys_test.h"
#include "wire/rtp/packet.h"

namespace atm::peer {
namespace {

using negotiation::Direction;
constexpr size_t kUp = 1;
constexpr uint32_t kSsrc = 1'000;

struct HostileMediaTest : testing::Test {
  CallWorld world{1};
  Call call{world};
  std::unique_ptr<KnownKeys> client;

  void SetUp() override {
    ASSERT_TRUE(call.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "up", kSsrc),
                              Call::line(MediaKind::kVideo, Direction::kRecvOnly, "down")}));
    client = std::make_unique<KnownKeys>(call);
  }
  const negotiation::NegotiatedMedia& line() const { return call.server.peer->media(kUp).negotiated(); }
  Bytes packet_of(uint32_t ssrc, uint16_t sequence, std::string_view payload, bool with_mid = false) const {
    const rtp::ExtensionValue mid{line().extensions.id_of(rtp::Extension::kMid), as_bytes("up")};
    return KnownKeys::make_rtp({false, line().codecs[0].payload_type, sequence, 0, ssrc},
                               with_mid ? std::span(&mid, 1) : std::span<const rtp::ExtensionValue>{}, payload);
  }
  void expect_that_media_comes(uint16_t sequence) {
    const size_t before = call.server.got.size();
    client->send_rtp(packet_of(kSsrc, sequence, "still here"));
    EXPECT_EQ(call.server.got.size(), before + 1);
    EXPECT_EQ(call.server.count<Failed>() + call.server.count<RemoteClosed>(), 0u);
  }
};

// reliability 18: every packet is authentic, of the right m-line and of an SSRC of its own.
TEST_F(HostileMediaTest, AMillionSsrcsFillNoTable) {
  expect_that_media_comes(1);
  constexpr uint32_t kFlood = 1'000'000;
  for (uint32_t i = 0; i < kFlood; ++i) {
    client->send_rtp(packet_of(0x1000'0000 + i * 7, static_cast<uint16_t>(i), "x", true));
    call.server.got.clear();
  }
  const Counters& counters = call.server.peer->counters();
  EXPECT_LE(PeerTestAccess::ssrcs_received(*call.server.peer), 2 * kMaxReceiveStreams);
  EXPECT_LE(call.server.peer->media(kUp).receive_streams().size(), kMaxReceiveStreams);
  EXPECT_GE(counters.drop_too_many_ssrcs, kFlood - srtp::ReceiveContext::kMaxSsrcs);
  expect_that_media_comes(2);
}

// reliability 9
TEST_F(HostileMediaTest, OversizedDatagramsAreDroppedUnread) {
  uint64_t sent = 0;
  for (size_t size = kMaxDatagramSize + 1; size <= 65'507; size += size < 1'600 ? 1 : 997) {
    for (const uint8_t second : {96, 200}) {  // RTP, RTCP
      Bytes datagram(size, 0x5a);
      datagram[0] = 0x80;
      datagram[1] = second;
      call.deliver(call.server, call.client.address, std::move(datagram));
      ++sent;
    }
  }
  EXPECT_EQ(call.server.peer->counters().drop_oversized, sent);
  EXPECT_EQ(call.server.peer->counters().drop_bad_srtp, 0u);
  expect_that_media_comes(1);
}

// reliability 6, behind the key: the lengths that RTCP says are not those that it has.
TEST_F(HostileMediaTest, RtcpOfEveryLengthAndWithEveryFieldChangedIsSurvived) {
  Bytes compound(kMaxRtcpSize);
  rtcp::CompoundWriter writer(compound);
  const std::vector<uint16_t> lost{1, 2, 3, 40, 70};
  const rtcp::ReportBlock block{kSsrc};
  writer.receiver_report(1, std::span(&block, 1));
  writer.source_name(1, "name");
  writer.nack(1, call.server.peer->media(2).ssrc(), lost);
  writer.pli(1, call.server.peer->media(2).ssrc());
  writer.reference_time(1, 0x1234'5678'9abc'def0);
  writer.remb(1, 1'000'000, std::span(&kSsrc, 1));
  compound.resize(writer.size());
  for (size_t size = 0; size <= compound.size(); ++size) client->send_rtcp(ByteView(compound).first(size));
  for (size_t at = 0; at < compound.size(); ++at) {
    for (const uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes changed = compound;
      changed[at] = value;
      client->send_rtcp(changed);
      if (at % 8 == 0) call.run(10ms);
    }
  }
  EXPECT_GT(call.server.peer->counters().drop_malformed, 100u);
  expect_that_media_comes(1);
}

TEST_F(HostileMediaTest, RtcpFasterThanItsBudgetIsDroppedBeforeItIsDecrypted) {
  for (int i = 0; i < 10'000; ++i) {
    client->write_rtcp([](rtcp::CompoundWriter& writer) { writer.pli(1, 2); });
  }
  EXPECT_EQ(call.server.peer->counters().drop_rtcp_rate, 10'000u - kRtcpPerSecond);
  expect_that_media_comes(1);
  call.run(1s);
  const uint64_t before = call.server.peer->counters().key_frame_requests_received;
  client->write_rtcp([&](rtcp::CompoundWriter& writer) { writer.pli(1, call.server.peer->media(2).ssrc()); });
  EXPECT_EQ(call.server.peer->counters().key_frame_requests_received, before + 1) << "a second later it is heard again";
}

TEST_F(HostileMediaTest, RandomRtpBehindTheKeyIsSurvived) {
  SeededRng noise(3);
  for (uint32_t i = 0; i < 50'000; ++i) {
    Bytes plain(12 + noise.below(120));
    noise.fill(plain);
    plain[0] = static_cast<uint8_t>(0x80 | (plain[0] & 0x3f));
    plain[1] = noise.below(3) == 0 ? plain[1] : static_cast<uint8_t>(96 + noise.below(6));
    if (noise.below(2) == 0) store_u32(&plain[8], kSsrc + noise.below(2));
    client->send_rtp(plain);
    call.server.got.clear();
    if (i % 500 == 0) call.run(5ms);
  }
  EXPECT_EQ(call.server.count<Failed>() + call.server.count<RemoteClosed>(), 0u);
  EXPECT_LE(PeerTestAccess::ssrcs_received(*call.server.peer), 2 * kMaxReceiveStreams);
}

// --- a BYE is believed, and no more than that ---

TEST_F(HostileMediaTest, AnEndedStreamMayBeginAgain) {
  expect_that_media_comes(1);
  client->send_rtcp(Bytes{0x81, 203, 0, 1, 0, 0, 0x03, 0xe8});  // BYE of kSsrc
  EXPECT_EQ(call.server.peer->counters().byes_received, 1u);
  expect_that_media_comes(2);
}

}  // namespace
}  // namespace atm::peer
