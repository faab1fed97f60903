// Losses on a call, and what the round trips are.
#include <gtest/gtest.h>

#include <set>

#include "core/peer/known_keys_test.h"
#include "wire/rtp/packet.h"

namespace atm::peer {
namespace {

using negotiation::Direction;
constexpr size_t kUp = 1, kDown = 2;  // m-lines; 0 is the data channel

bool is_rtp(const Bytes& datagram) {
  return rtp::classify(datagram) == rtp::PacketClass::kRtp;
}

// The lines that name RTX, taken out of an offer.
std::string without_rtx(const std::string& offer) {
  std::string out;
  std::set<std::string> dropped;
  for (size_t at = 0; at < offer.size();) {
    const size_t end = offer.find('\n', at) + 1;
    const std::string line = offer.substr(at, end - at);
    at = end;
    const bool is_rtx = line.find(" rtx/") != std::string::npos || line.find(" apt=") != std::string::npos ||
                        line.starts_with("a=ssrc-group:FID");
    if (!is_rtx) out += line;
  }
  return out;
}

struct RepairTest : testing::Test {
  CallWorld world{1};
  Call call{world};

  bool connect(bool with_rtx) {
    const std::string offer =
        call.client.peer->make_offer({Call::line(MediaKind::kVideo, Direction::kSendOnly, "up", 1'000),
                                      Call::line(MediaKind::kVideo, Direction::kRecvOnly, "down")},
                                     {});
    const auto answer = call.answer(with_rtx ? offer : without_rtx(offer));
    if (!answer || !call.accept(*answer)) return false;
    call.run(2s);
    return call.server.peer->is_connected() && call.client.peer->is_connected();
  }
  size_t received(const Call::End& end, const std::string& payload) const {
    return static_cast<size_t>(
        std::ranges::count_if(end.got, [&](const auto& got) { return as_text(got.payload) == payload; }));
  }
  // Sends from one end a packet every 10 ms; of them `lost` does not arrive the first time.
  void send_ten(Call::End& from, size_t media, int64_t lost) {
    for (int64_t sequence = 100; sequence < 110; ++sequence) {
      if (sequence == lost) call.drop = [](bool, const Bytes& datagram) { return is_rtp(datagram); };
      call.send(from, media, sequence, "packet " + std::to_string(sequence));
      call.drop = nullptr;
      call.run(10ms);
    }
    call.run(300ms);
  }
  uint64_t nack(KnownKeys& client, uint32_t ssrc, uint16_t first, uint16_t count) {
    std::vector<uint16_t> sequences;
    for (uint16_t i = 0; i < count; ++i) sequences.push_back(static_cast<uint16_t>(first + i));
    uint64_t bytes = 0;
    call.watch = [&](bool to_server, const Bytes& d) { bytes += !to_server && is_rtp(d) ? d.size() : 0; };
    client.write_rtcp([&](rtcp::CompoundWriter& writer) { writer.nack(1, ssrc, sequences); });
    call.watch = nullptr;
    return bytes;
  }
};

TEST_F(RepairTest, WithoutRtxTheVeryBytesThatGotLostComeAgain) {
  ASSERT_TRUE(connect(false));
  std::map<uint16_t, std::set<Bytes>> by_sequence;
  call.watch = [&](bool to_server, const Bytes& datagram) {
    if (!to_server && is_rtp(datagram)) by_sequence[load_u16(datagram.data() + 2)].insert(datagram);
  };
  send_ten(call.server, kDown, 105);
  EXPECT_EQ(received(call.client, "packet 105"), 1u);
  EXPECT_EQ(call.server.peer->counters().again_sent, 1u);
  EXPECT_EQ(call.server.peer->counters().rtx_sent, 0u);
  EXPECT_EQ(by_sequence.size(), 10u);
  for (const auto& [sequence, contents] : by_sequence) EXPECT_EQ(contents.size(), 1u) << sequence;
}

TEST_F(RepairTest, APublisherWithoutRtxRepairsTheSameWay) {
  ASSERT_TRUE(connect(false));
  send_ten(call.client, kUp, 105);
  EXPECT_EQ(received(call.server, "packet 105"), 1u);
  EXPECT_EQ(call.client.peer->counters().again_sent, 1u);
}

TEST_F(RepairTest, WhatIsNotKeptIsNotSentAgain) {
  ASSERT_TRUE(connect(false));
  KnownKeys client(call);
  const uint32_t ssrc = call.server.peer->media(kDown).ssrc();
  for (int64_t sequence = 100; sequence < 500; ++sequence) call.send(call.server, kDown, sequence, "packet");
  EXPECT_EQ(nack(client, ssrc, 600, 16), 0u) << "never sent";
  EXPECT_EQ(nack(client, ssrc, 100, 16), 0u) << "overwritten";
  EXPECT_EQ(nack(client, ssrc + 1, 480, 16), 0u) << "another SSRC";
  EXPECT_GT(nack(client, ssrc, 480, 16), 0u);
  EXPECT_EQ(nack(client, ssrc, 480, 16), 0u) << "a moment ago";
  call.run(2s);
  EXPECT_EQ(nack(client, ssrc, 480, 16), 0u) << "too old";
}

// As webrtc-stats counts them: messages, not sequence numbers.
TEST_F(RepairTest, MessagesAreCountedByTheirStream) {
  ASSERT_TRUE(connect(true));
  KnownKeys client(call);
  const uint32_t ssrc = call.server.peer->media(kDown).ssrc();
  nack(client, ssrc, 480, 5);
  nack(client, ssrc + 1, 480, 5);
  for (int i = 0; i < 2; ++i) client.write_rtcp([&](rtcp::CompoundWriter& writer) { writer.pli(1, ssrc); });
  const auto& sent = call.server.peer->media(kDown).send_stream()->counters();
  EXPECT_EQ(sent.nacks, 1u);
  EXPECT_EQ(sent.plis, 2u);
  EXPECT_EQ(sent.firs, 0u);
}

TEST_F(RepairTest, MessagesThatAskAreCountedByTheirStream) {
  ASSERT_TRUE(connect(true));
  send_ten(call.client, kUp, 105);
  call.server.peer->request_key_frame(call.world.now, kUp, call.server.out);
  const auto& streams = call.server.peer->media(kUp).receive_streams();
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_EQ(streams[0]->counters().nacks, 1u);
  EXPECT_EQ(streams[0]->counters().plis, 1u);
}

TEST_F(RepairTest, AFloodOfNacksIsAnsweredWithinItsBudget) {
  ASSERT_TRUE(connect(true));
  KnownKeys client(call);
  const uint32_t ssrc = call.server.peer->media(kDown).ssrc();
  const std::string payload(1'100, 'x');
  for (int64_t sequence = 0; sequence < 1'000; ++sequence) call.send(call.server, kDown, sequence, payload);
  uint64_t bytes = 0;
  for (int turn = 0; turn < 40; ++turn) {
    for (uint16_t first = 0; first < 1'000; first = static_cast<uint16_t>(first + 200)) {
      bytes += nack(client, ssrc, first, 200);
    }
    call.run(25ms);
  }
  // A bucket that was full, and a second of refilling.
  EXPECT_LE(bytes, 2u * kResendBytesPerSecond + kMaxDatagramSize);
  EXPECT_GT(bytes, static_cast<uint64_t>(kResendBytesPerSecond));
  EXPECT_GT(call.server.peer->counters().drop_resend_budget, 0u);
  EXPECT_GT(call.server.peer->counters().drop_nack_rate, 0u);
}

TEST_F(RepairTest, BothEndsMeasureTheRoundTrip) {
  ASSERT_TRUE(connect(true));
  for (int i = 0; i < 100; ++i) {
    call.send(call.client, kUp, 100 + i, "up", static_cast<uint32_t>(i * 3'600));
    call.send(call.server, kDown, 100 + i, "down", static_cast<uint32_t>(i * 3'600));
    call.run(40ms);
  }
  for (const Call::End* end : {&call.server, &call.client}) {
    const RoundTrips& measured = end->peer->round_trips();
    ASSERT_TRUE(measured.as_sender && measured.as_receiver);
    EXPECT_NEAR(static_cast<double>(to_us(*measured.as_sender)), 20'000, 100);
    EXPECT_NEAR(static_cast<double>(to_us(*measured.as_receiver)), 20'000, 100);
  }
}

TEST_F(RepairTest, WhoOnlyReceivesMeasuresTheRoundTripToo) {
  ASSERT_TRUE(call.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "up", 1'000)}));
  for (int i = 0; i < 100; ++i) {
    call.send(call.client, kUp, 100 + i, "up", static_cast<uint32_t>(i * 3'600));
    call.run(40ms);
  }
  EXPECT_FALSE(call.server.peer->round_trips().as_sender);
  ASSERT_TRUE(call.server.peer->round_trips().as_receiver);
  EXPECT_NEAR(static_cast<double>(to_us(*call.server.peer->round_trips().as_receiver)), 20'000, 100);
}

// --- sizes ---

TEST_F(RepairTest, ExtensionsAreLeftOutBeforeADatagramGetsTooLarge) {
  ASSERT_TRUE(connect(true));
  for (int i = 0; i < 20; ++i) {
    call.send(call.server, kDown, 50 + i, "until a report comes, and the MID no longer goes along");
    call.run(100ms);
  }
  MediaPacket packet;
  const uint8_t orientation = 3;
  packet.extensions.add(rtp::Extension::kVideoOrientation, ByteView(&orientation, 1));
  const uint8_t payload_type = call.server.peer->media(kDown).negotiated().codecs[0].payload_type;
  size_t size = 0;
  call.watch = [&](bool, const Bytes& datagram) { size = datagram.size(); };
  int64_t sequence = 100;
  const auto send = [&](size_t payload) {
    packet.payload = world.pool.copy(Bytes(payload, 0x80));
    size = 0;
    const bool sent =
        call.server.peer->send_media(world.now, kDown, packet, {sequence++, 0, payload_type}, call.server.out);
    call.flush(call.server);
    EXPECT_EQ(sent, size != 0);
    return size;
  };
  EXPECT_EQ(send(1'000), 1'000 + 12 + 8 + 16u) << "header, extension, tag";
  EXPECT_EQ(send(kMediaBudget - 12 - 8 - 16), kMediaBudget);
  EXPECT_EQ(call.server.peer->counters().extensions_dropped, 0u);
  EXPECT_EQ(send(kMediaBudget - 12 - 8 - 16 + 1), kMediaBudget - 8 + 1);
  EXPECT_EQ(call.server.peer->counters().extensions_dropped, 1u);
  EXPECT_EQ(send(1'450), 1'450 + 12 + 16u) << "a large payload goes out whole";
  EXPECT_EQ(send(1'490), 0u);
  EXPECT_EQ(call.server.peer->counters().drop_too_large, 1u);
}

}  // namespace
}  // namespace atm::peer
