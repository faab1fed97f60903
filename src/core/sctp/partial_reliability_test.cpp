#include "core/sctp/association_test.h"

namespace atm0s::sctp {
namespace {

TEST(SctpForwardTsn, SkipsALostOrderedMessageAndDeliversWhatWaited) {
  ByHand hand;
  hand.establish();
  hand.give_data(ByHand::data(1, 5, 0, kHello, "BE"));
  EXPECT_TRUE(messages(hand.give_data(ByHand::data(3, 5, 2, kHello, "BE"))).empty());
  const auto out = hand.give([](PacketWriter& p) { p.chunk(ChunkType::kForwardTsn, 0, forward_value(2, {{5, 1}})); });
  EXPECT_EQ(messages(out).size(), 1u);
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_EQ(parse_sack(first_chunk(out.packets[0]))->cumulative_tsn, 3u);
  EXPECT_EQ(messages(hand.give_data(ByHand::data(4, 5, 3, kHello, "BE"))).size(), 1u);
}

TEST(SctpForwardTsn, SkipsFragmentsThatCameAndThoseThatComeLate) {
  ByHand hand;
  hand.establish();
  hand.give_data(ByHand::data(1, 0, 0, kHello, "BU"));
  hand.give_data(ByHand::data(3, 0, 0, kHello, "U"));
  hand.give([](PacketWriter& p) { p.chunk(ChunkType::kForwardTsn, 0, forward_value(4, {})); });
  const auto late = hand.give_data(ByHand::data(5, 0, 0, kHello, "U"));
  EXPECT_TRUE(messages(late).empty());
  EXPECT_EQ(hand.end.counters().drop_skipped_fragment, 3u);
  hand.give_data(ByHand::data(8, 0, 0, kHello, "EU"));  // overtakes the two before it
  hand.give_data(ByHand::data(7, 0, 0, kHello, "U"));
  const auto filled = hand.give_data(ByHand::data(6, 0, 0, kHello, "U"));
  ASSERT_EQ(filled.packets.size(), 1u);
  const auto sack = parse_sack(first_chunk(filled.packets[0]));
  EXPECT_EQ(sack->cumulative_tsn, 8u);
  EXPECT_EQ(sack->receiver_window, kReceiveWindow);  // nothing is held that could never be completed
  EXPECT_EQ(messages(hand.give_data(ByHand::data(9, 0, 0, kHello, "BEU"))).size(), 1u);
  EXPECT_TRUE(hand.end.is_up());
}

TEST(SctpForwardTsn, AnOldOneIsAnsweredWithASack) {
  ByHand hand;
  hand.establish();
  hand.give([](PacketWriter& p) { p.chunk(ChunkType::kForwardTsn, 0, forward_value(10, {})); });
  const auto out = hand.give([](PacketWriter& p) { p.chunk(ChunkType::kForwardTsn, 0, forward_value(5, {})); });
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_EQ(parse_sack(first_chunk(out.packets[0]))->cumulative_tsn, 10u);
}

}  // namespace
}  // namespace atm0s::sctp
