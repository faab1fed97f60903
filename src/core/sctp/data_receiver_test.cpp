#include "core/sctp/association_test.h"

namespace atm::sctp {
namespace {

TEST(SctpSack, WaitsForASecondPacketOrTheDelay) {
  ByHand hand;
  hand.establish();
  EXPECT_TRUE(hand.give_data(ByHand::data(1, 0, 0, kHello, "BE")).packets.empty());
  EXPECT_EQ(hand.end.next_timeout(), hand.now.mono + kSackDelay);
  EXPECT_EQ(hand.give_data(ByHand::data(2, 0, 1, kHello, "BE")).packets.size(), 1u);
  EXPECT_EQ(hand.end.next_timeout(), kNever);
}

TEST(SctpSack, ReportsGapsAndDuplicatesAtOnce) {
  ByHand hand;
  hand.establish();
  hand.give_data(ByHand::data(3, 0, 2, kHello, "BE"));
  hand.give_data(ByHand::data(4, 0, 3, kHello, "BE"));
  const auto out = hand.give_data(ByHand::data(6, 0, 5, kHello, "BE"));
  ASSERT_EQ(out.packets.size(), 1u);
  const auto sack = parse_sack(first_chunk(out.packets[0]));
  EXPECT_EQ(sack->cumulative_tsn, 0u);
  ASSERT_EQ(sack->gap_count(), 2u);
  EXPECT_EQ(sack->gap(0).start, 3);
  EXPECT_EQ(sack->gap(0).end, 4);
  EXPECT_EQ(sack->gap(1).start, 6);
  EXPECT_LT(sack->receiver_window, kReceiveWindow);
  const auto again = hand.give_data(ByHand::data(4, 0, 3, kHello, "BE"));
  ASSERT_EQ(again.packets.size(), 1u);
  const auto second = parse_sack(first_chunk(again.packets[0]));
  ASSERT_EQ(second->duplicate_count(), 1u);
  EXPECT_EQ(second->duplicate(0), 4u);
}

TEST(SctpSack, NamesNothingBeyondItsLimitsAndThatIsNotTaken) {
  ByHand hand;
  hand.establish();
  const uint32_t holes = kMaxGapRuns + 50;
  AssociationOutput out;
  for (uint32_t i = 1; i <= holes; ++i) out = hand.give_data(ByHand::data(2 * i, 0, 0, kHello, "BEU"));
  EXPECT_EQ(hand.end.counters().messages_in, kMaxGapRuns);
  EXPECT_EQ(hand.end.counters().drop_tsn_too_far, 50u);
  out = hand.give_data(ByHand::data(2, 0, 0, kHello, "BEU"));
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_LE(out.packets[0].size(), kMaxPacketSize);
  EXPECT_EQ(parse_sack(first_chunk(out.packets[0]))->gap_count(), kMaxGapRuns);

  ByHand other;
  other.establish();
  other.give_data(ByHand::data(static_cast<uint32_t>(kMaxTsnAhead), 0, 0, kHello, "BEU"));
  EXPECT_EQ(other.end.counters().messages_in, 1u);
  other.give_data(ByHand::data(static_cast<uint32_t>(kMaxTsnAhead) + 1, 0, 0, kHello, "BEU"));
  EXPECT_EQ(other.end.counters().messages_in, 1u);
  EXPECT_EQ(other.end.counters().drop_tsn_too_far, 1u);
}

TEST(SctpSack, GoesAlongWithData) {
  ByHand hand;
  hand.establish();
  hand.give_data(ByHand::data(1, 0, 0, kHello, "BE"));
  AssociationOutput out;
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, kHello, {}, out));
  ASSERT_EQ(out.packets.size(), 1u);
  ChunkReader chunks(parse_packet(out.packets[0])->chunks);
  EXPECT_EQ(chunks.next()->type, ChunkType::kSack);
  EXPECT_EQ(chunks.next()->type, ChunkType::kData);
}

TEST(SctpSack, ThatAcknowledgesWhatWasNeverSentIsDropped) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  ASSERT_TRUE(hand.end.send(hand.now, 0, 51, kHello, {}, out));
  const auto sack = [&](uint32_t cumulative) {
    Bytes value(12);
    store_u32(value.data(), cumulative);
    store_u32(value.data() + 4, 100'000);
    hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, value); });
  };
  sack(hand.tsn + 1);
  EXPECT_EQ(hand.end.counters().drop_sack_invalid, 1u);
  EXPECT_GT(hand.end.queued_bytes(), 0u);
  sack(hand.tsn);
  EXPECT_EQ(hand.end.queued_bytes(), 0u);
  sack(hand.tsn - 1);
  EXPECT_EQ(hand.end.counters().drop_sack_old, 1u);
}

TEST(SctpSack, ThatTakesBackAnEarlierOneMakesItsDataGoAgain) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(hand.end.send(hand.now, 0, 51, kHello, {}, out));
  }
  const auto sack = [&](uint32_t cumulative, std::vector<uint16_t> gap) {
    Bytes value(12 + 2 * gap.size());
    store_u32(value.data(), cumulative);
    store_u32(value.data() + 4, 100'000);
    store_u16(value.data() + 8, static_cast<uint16_t>(gap.size() / 2));
    for (size_t i = 0; i < gap.size(); ++i) store_u16(value.data() + 12 + 2 * i, gap[i]);
    hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kSack, 0, value); });
  };
  sack(hand.tsn - 1, {3, 3});
  sack(hand.tsn + 1, {});  // RFC 9260 6.2.1 D iii: the third was thrown away
  hand.now.mono = hand.end.next_timeout();
  out = {};
  hand.end.on_timeout(hand.now, out);
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_EQ(parse_data(first_chunk(out.packets[0]))->tsn, hand.tsn + 2);
}

}  // namespace
}  // namespace atm::sctp
