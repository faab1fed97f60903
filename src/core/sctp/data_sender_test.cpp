#include "core/sctp/association_test.h"

namespace atm::sctp {
namespace {

TEST(SctpWindow, NothingIsSentBeyondTheCongestionWindow) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, make_payload(50'000, 1), {}, out));
  EXPECT_EQ(out.packets.size(), 4u);  // RFC 9260 7.2.1: 4,404 bytes, the last packet may exceed them
  out = {};
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, make_payload(50'000, 1), {}, out));
  EXPECT_TRUE(out.packets.empty());
}

TEST(SctpWindow, AFastRetransmissionGoesAtOnceThoughTheHalvedWindowIsFull) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, make_payload(kMaxMessageSize, 1), {}, out));
  const auto sack = [&](uint32_t cumulative, std::vector<SackChunk::Gap> gaps) {
    return hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, sack_value(cumulative, gaps)); });
  };
  uint32_t acked = hand.tsn - 1;
  for (int i = 0; i < 40; ++i) sack(++acked, {});  // packet by packet, so that many are in flight
  for (uint16_t end = 2; end <= 3; ++end) {
    for (const Bytes& packet : sack(acked, {{2, end}}).packets) {
      EXPECT_NE(parse_data(first_chunk(packet))->tsn, acked + 1);
    }
  }
  const auto third = sack(acked, {{2, 4}});  // RFC 9260 7.2.4: reported missing for the third time
  ASSERT_EQ(third.packets.size(), 1u);
  EXPECT_EQ(parse_data(first_chunk(third.packets[0]))->tsn, acked + 1);
}

// Karn's rule (RFC 9260 6.3.1 C5): which of two transmissions was acknowledged cannot be known.
TEST(SctpWindow, WhatWasSentTwiceIsNotMeasured) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, kHello, {}, out));
  hand.now.mono = hand.end.next_timeout();
  hand.end.on_timeout(hand.now, out);
  EXPECT_EQ(hand.end.counters().retransmissions, 1u);
  hand.wait(10ms);
  hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, sack_value(hand.tsn)); });
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, kHello, {}, out));
  EXPECT_EQ(hand.end.next_timeout() - hand.now.mono, kRtoInitial);
}

TEST(SctpWindow, AClosedWindowIsProbedAndObeyed) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, kHello, {}, out));
  Bytes closed(12);
  store_u32(closed.data(), hand.tsn);
  hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, closed); });
  out = {};
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, make_payload(10'000, 1), {}, out));
  EXPECT_EQ(out.packets.size(), 1u);  // RFC 9260 6.1 A: one probe
  for (int i = 0; i < 60; ++i) {      // it answers, closed still: alive
    hand.now.mono = hand.end.next_timeout();
    AssociationOutput probe;
    hand.end.on_timeout(hand.now, probe);
    EXPECT_EQ(probe.packets.size(), 1u);
    hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, closed); });
  }
  EXPECT_TRUE(hand.end.is_up());
}

}  // namespace
}  // namespace atm::sctp
