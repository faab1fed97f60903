#include "core/sctp/association_test.h"

namespace atm::sctp {
namespace {

TEST(SctpReset, OfThePeerBeginsItsNumbersAgainAndIsAnsweredTheSameTwice) {
  ByHand hand;
  hand.establish();
  hand.give_data(ByHand::data(1, 4, 0, kHello, "BE"));
  hand.give_data(ByHand::data(2, 4, 1, kHello, "BE"));
  const Bytes streams{0, 4};
  ReconfigParameter request;
  request.type = ReconfigType::kOutgoingReset;
  request.sequence = 1;  // our initial TSN
  request.last_tsn = 2;
  request.stream_bytes = streams;
  const auto write = [&](PacketWriter& p) { write_reconfig(p, request); };
  auto out = hand.give(write);
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_EQ(parse_reconfig(first_chunk(out.packets[0]))->parameters[0].result, ReconfigResult::kPerformed);
  EXPECT_EQ(count<PeerResetStreams>(out), 1u);
  EXPECT_EQ(messages(hand.give_data(ByHand::data(3, 4, 0, kHello, "BE"))).size(), 1u);
  out = hand.give(write);
  EXPECT_EQ(count<PeerResetStreams>(out), 0u);
  EXPECT_EQ(parse_reconfig(first_chunk(out.packets.at(0)))->parameters[0].result, ReconfigResult::kPerformed);
  EXPECT_EQ(messages(hand.give_data(ByHand::data(4, 4, 1, kHello, "BE"))).size(), 1u);
  request.sequence = 9;
  out = hand.give(write);
  EXPECT_EQ(parse_reconfig(first_chunk(out.packets.at(0)))->parameters[0].result, ReconfigResult::kBadSequence);
}

TEST(SctpReset, WaitsForDataThatIsStillMissing) {
  ByHand hand;
  hand.establish();
  const Bytes streams{0, 4};
  ReconfigParameter request;
  request.type = ReconfigType::kOutgoingReset;
  request.sequence = 1;
  request.last_tsn = 2;
  request.stream_bytes = streams;
  hand.give_data(ByHand::data(2, 4, 1, kHello, "BE"));
  auto out = hand.give([&](PacketWriter& p) { write_reconfig(p, request); });
  EXPECT_EQ(parse_reconfig(first_chunk(out.packets.at(0)))->parameters[0].result, ReconfigResult::kInProgress);
  out = hand.give_data(ByHand::data(1, 4, 0, kHello, "BE"));
  EXPECT_EQ(messages(out).size(), 2u);
  EXPECT_EQ(count<PeerResetStreams>(out), 1u);
  EXPECT_EQ(parse_reconfig(first_chunk(out.packets.at(0)))->parameters[0].result, ReconfigResult::kPerformed);
}

TEST(SctpReset, OfOursIsDoneUnderLossAndTheStreamIsUsableAgain) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Pair pair({.loss = 0.2, .duplication = 0.1, .jitter = 30ms}, seed);
    ASSERT_TRUE(pair.up());
    ASSERT_TRUE(pair.send_a(4, make_payload(5'000, 1)));
    ASSERT_TRUE(pair.send_a(4, kHello));
    pair.a.reset_stream(pair.link.now(), 4, pair.link.out_a());
    EXPECT_FALSE(pair.send_a(4, kHello));
    ASSERT_TRUE(pair.link.run(60s, [&] { return count<StreamsReset>(pair.link.out_a()) == 1; })) << seed;
    EXPECT_EQ(count<PeerResetStreams>(pair.link.out_b()), 1u);
    ASSERT_TRUE(pair.send_a(4, kHello));
    ASSERT_TRUE(pair.link.run(60s, [&] { return messages(pair.link.out_b()).size() == 3; })) << seed;
  }
}

TEST(SctpReset, RequestsThatAreNotServedAreDenied) {
  ByHand hand;
  hand.establish();
  ReconfigParameter request;
  const auto out = hand.give([&](PacketWriter& p) {
    p.begin_chunk(ChunkType::kReConfig, 0);
    Bytes value(8);
    store_u32(value.data(), 1);
    write_parameter(p.value(), 17, value);
    p.end_chunk();
  });
  EXPECT_EQ(parse_reconfig(first_chunk(out.packets.at(0)))->parameters[0].result, ReconfigResult::kDenied);
}

// The peer that has not got other streams' data yet says so for as long as it takes.
TEST(SctpReset, AnswersInProgressKeepTheAssociationAlive) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  hand.end.reset_stream(hand.now, 4, out);
  for (uint32_t i = 0; i < 3 * kMaxRetransmits; ++i) {
    ASSERT_EQ(chunks_of(out, ChunkType::kReConfig).size(), 1u) << i;
    ReconfigParameter answer;
    answer.sequence = hand.tsn + i;  // each try has a number of its own
    answer.result = ReconfigResult::kInProgress;
    hand.give([&](PacketWriter& p) { write_reconfig(p, answer); });
    out = hand.time_out();
  }
  EXPECT_TRUE(hand.end.is_up());
}

// The request's timer comes due while more data may go than a burst holds: the request goes first, its timer goes on.
TEST(SctpReset, ARequestThatIsDueGoesAheadOfABurstOfData) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  hand.end.reset_stream(hand.now, 4, out);
  ASSERT_EQ(chunks_of(out, ChunkType::kReConfig).size(), 1u);
  const Instant due = hand.end.next_timeout();
  hand.wait(due - hand.now.mono - 1ms);
  uint32_t sent = hand.tsn - 1;
  const auto count_sent = [&](const AssociationOutput& some) {
    sent += static_cast<uint32_t>(chunks_of(some, ChunkType::kData).size());
  };
  for (int i = 0; i < 3; ++i) count_sent(hand.send(2, Bytes(60'000, 1)));
  // Acknowledged one by one, so that the window grows; then all at once, so that it has room for several bursts.
  for (uint32_t i = 0; i < 20; ++i) count_sent(hand.give_sack(hand.tsn + i));
  ASSERT_GT(sent - (hand.tsn + 19), 3 * kMaxBurst);
  count_sent(hand.give_sack(sent));
  hand.wait(1ms);
  out = {};
  hand.end.on_timeout(hand.now, out);
  EXPECT_EQ(chunks_of(out, ChunkType::kData).size(), kMaxBurst);
  ASSERT_FALSE(out.packets.empty());
  EXPECT_EQ(first_chunk(out.packets[0]).type, ChunkType::kReConfig);
  EXPECT_GT(hand.end.next_timeout(), hand.now.mono);
}

TEST(SctpReset, OfOursSurvivesAnOutageAndGivesUpAfterAMinute) {
  Pair pair;
  ASSERT_TRUE(pair.up());
  ASSERT_TRUE(pair.send_a(4, kHello));
  pair.link.run_for(1s);
  pair.link.set({.loss = 1.0});
  pair.a.reset_stream(pair.link.now(), 4, pair.link.out_a());
  pair.link.run_for(29s);
  ASSERT_TRUE(pair.a.is_up());
  pair.link.set({});
  ASSERT_TRUE(pair.link.run(kRtoMax + 1s, [&] { return count<StreamsReset>(pair.link.out_a()) == 1; }));
  pair.link.set({.loss = 1.0});
  pair.a.reset_stream(pair.link.now(), 4, pair.link.out_a());
  pair.link.run_for(120s);
  EXPECT_TRUE(pair.a.is_down());
}

}  // namespace
}  // namespace atm::sctp
