#include "core/sctp/association_test.h"

#include <set>

namespace atm::sctp {
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

// --- our own messages, given up -------------------------------------------------------------------------------------

Reliability retransmitted(uint16_t times, bool ordered = true) {
  return {.ordered = ordered, .max_retransmits = times, .lifetime = {}};
}
Reliability alive_for(Duration lifetime) {
  return {.ordered = true, .max_retransmits = {}, .lifetime = lifetime};
}

struct Forward {
  uint32_t tsn;
  std::vector<std::pair<uint16_t, uint16_t>> skips;
  bool operator==(const Forward&) const = default;
};
std::vector<Forward> forwards(const AssociationOutput& out) {
  std::vector<Forward> found;
  for (const Chunk& chunk : chunks_of(out, ChunkType::kForwardTsn)) {
    const auto forward = parse_forward_tsn(chunk);
    found.push_back({forward->new_cumulative_tsn, {}});
    for (size_t i = 0; i < forward->skip_count(); ++i) {
      found.back().skips.emplace_back(forward->skip(i).stream, forward->skip(i).ssn);
    }
  }
  return found;
}
size_t data_count(const AssociationOutput& out) {
  return chunks_of(out, ChunkType::kData).size();
}

TEST(SctpAbandon, AMessageIsSentAgainAsOftenAsAllowedAndNoMore) {
  for (uint16_t times = 0; times < 4; ++times) {
    ByHand hand;
    hand.establish();
    EXPECT_EQ(data_count(hand.send(7, kHello, retransmitted(times))), 1u);
    for (uint16_t i = 0; i < times; ++i) {
      const auto again = hand.time_out();
      EXPECT_EQ(data_count(again), 1u);
      EXPECT_TRUE(forwards(again).empty());
    }
    const auto out = hand.time_out();
    EXPECT_EQ(data_count(out), 0u);
    EXPECT_EQ(forwards(out), (std::vector<Forward>{{hand.tsn, {{7, 0}}}}));
    EXPECT_EQ(hand.end.counters().abandoned_messages, 1u);
    EXPECT_EQ(hand.end.counters().retransmissions, times);
    EXPECT_GT(hand.end.queued_bytes(), 0u);
    hand.give_sack(hand.tsn);
    EXPECT_EQ(hand.end.queued_bytes(), 0u);
    EXPECT_EQ(hand.end.next_timeout(), kNever);
  }
}

TEST(SctpAbandon, AllFragmentsGoTogetherEvenThoseThatArrived) {
  ByHand hand;
  hand.establish();
  EXPECT_EQ(data_count(hand.send(3, make_payload(3'000, 1), retransmitted(0))), 3u);
  hand.give_sack(hand.tsn - 1, {{2, 2}});  // RFC 9260: gaps count from the cumulative TSN; the first is missing
  EXPECT_TRUE(forwards(hand.give_sack(hand.tsn, {{2, 2}})).empty());
  const auto out = hand.time_out();  // the second is missing, the third is there
  EXPECT_EQ(data_count(out), 0u);
  EXPECT_EQ(forwards(out), (std::vector<Forward>{{hand.tsn + 2, {{3, 0}}}}));
  EXPECT_EQ(hand.end.counters().abandoned_messages, 1u);
}

// The receiver must never see a message's first fragment right behind the middle of another.
TEST(SctpAbandon, AMessageThatIsPartlySentEndsWithATsnOfItsOwn) {
  ByHand hand;
  hand.establish();
  auto out = hand.send(3, make_payload(100'000, 1), retransmitted(0));
  const uint32_t sent = static_cast<uint32_t>(data_count(out));
  ASSERT_GT(sent, 2u);
  hand.send(3, kHello);
  out = hand.time_out();
  EXPECT_EQ(forwards(out), (std::vector<Forward>{{hand.tsn + sent, {{3, 0}}}}));
  const auto next = chunks_of(out, ChunkType::kData);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(parse_data(next[0])->tsn, hand.tsn + sent + 1);
  EXPECT_EQ(parse_data(next[0])->ssn, 1);
  EXPECT_TRUE(parse_data(next[0])->begins);
  EXPECT_LT(hand.end.queued_bytes(), 1'000u);
  hand.give_sack(hand.tsn + sent + 1);
  EXPECT_EQ(hand.end.queued_bytes(), 0u);
}

TEST(SctpAbandon, AReceiverThatGetsTheNextMessageBeforeTheForwardTsnGoesOn) {
  Pair pair;
  ASSERT_TRUE(pair.up());
  size_t forwarded = 0, seen = 0;
  pair.link.filter = [&](bool from_a, Bytes& packet) {
    if (!from_a) return true;
    const auto type = first_chunk(packet).type;
    if (type == ChunkType::kForwardTsn && ++forwarded == 1) {
      // Only the DATA beside it arrives.
      ChunkReader chunks(parse_packet(packet)->chunks);
      chunks.next();
      const auto data = chunks.next();
      EXPECT_TRUE(data.has_value());
      if (!data) return false;
      const CommonHeader header = parse_packet(packet)->header;
      packet = make_packet(
          header.verification_tag, [&](PacketWriter& p) { p.chunk(data->type, data->flags, data->value); }, header);
      return true;
    }
    return type != ChunkType::kData || ++seen != 2;
  };
  ASSERT_TRUE(pair.send_a(1, make_payload(20'000, 1), alive_for(100ms)));
  ASSERT_TRUE(pair.send_a(1, kHello));
  ASSERT_TRUE(pair.link.run(20s, [&] { return !messages(pair.link.out_b()).empty(); }));
  EXPECT_EQ(messages(pair.link.out_b())[0].payload, kHello);
  EXPECT_GE(forwarded, 2u);
  EXPECT_TRUE(pair.b.is_up());
}

TEST(SctpAbandon, LifetimeEndsWhatWasNotSentYet) {
  ByHand hand;
  hand.establish();
  const auto first = hand.send(0, make_payload(50'000, 1));  // fills the congestion window
  hand.send(1, make_payload(5'000, 2), alive_for(50ms));
  hand.send(1, kHello);
  hand.wait(60ms);
  uint32_t acked = hand.tsn - 1 + static_cast<uint32_t>(data_count(first));
  bool arrived = false;
  for (int i = 0; i < 100 && !arrived; ++i) {
    const auto out = hand.give_sack(acked);
    EXPECT_TRUE(forwards(out).empty());  // it never had a TSN
    for (const Chunk& chunk : chunks_of(out, ChunkType::kData)) {
      const auto data = parse_data(chunk);
      acked = data->tsn;
      if (data->stream != 1) continue;
      EXPECT_EQ(Bytes(data->payload.begin(), data->payload.end()), kHello);
      EXPECT_EQ(data->ssn, 0);  // nor a stream sequence number
      arrived = true;
    }
  }
  EXPECT_TRUE(arrived);
  EXPECT_EQ(hand.end.counters().abandoned_messages, 1u);
}

TEST(SctpAbandon, LifetimeLeavesWhatIsInFlightUntilItIsLost) {
  ByHand hand;
  hand.establish();
  hand.send(0, kHello, alive_for(10ms));
  hand.wait(100ms);
  EXPECT_TRUE(forwards(hand.send(0, kHello)).empty());
  EXPECT_EQ(hand.end.counters().abandoned_messages, 0u);
  const auto out = hand.time_out();
  EXPECT_EQ(forwards(out), (std::vector<Forward>{{hand.tsn, {{0, 0}}}}));
  EXPECT_EQ(data_count(out), 1u);  // the reliable one
}

TEST(SctpAbandon, ALostForwardTsnIsRepeatedUntilItIsAcknowledged) {
  ByHand hand;
  hand.establish();
  hand.send(0, kHello, retransmitted(0));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(forwards(hand.time_out()).size(), 1u) << i;
  // SACKs that do not move on are answered with it, but not each of them.
  size_t repeated = 0;
  for (int i = 0; i < 40; ++i) {
    hand.wait(10ms);
    repeated += forwards(hand.give_sack(hand.tsn - 1)).size();
  }
  EXPECT_LE(repeated, 2u);
  hand.give_sack(hand.tsn);
  EXPECT_EQ(hand.end.next_timeout(), kNever);
}

TEST(SctpAbandon, APeerThatAnswersNoForwardTsnIsGivenUp) {
  ByHand hand;
  hand.establish();
  hand.send(0, kHello, retransmitted(0));
  for (uint32_t i = 0; i <= kMaxRetransmits; ++i) {
    EXPECT_TRUE(hand.end.is_up());
    hand.time_out();
  }
  EXPECT_TRUE(hand.end.is_down());
}

TEST(SctpAbandon, NothingIsGivenUpToAPeerWithoutForwardTsn) {
  ByHand hand(false);
  hand.establish();
  hand.send(0, kHello, {.ordered = true, .max_retransmits = 0, .lifetime = 1ms});
  for (int i = 0; i < 8; ++i) {
    const auto out = hand.time_out();
    EXPECT_EQ(data_count(out), 1u);
    EXPECT_TRUE(forwards(out).empty());
  }
}

TEST(SctpAbandon, UnorderedMessagesAreNotNamedAndAStreamIsNamedOnce) {
  ByHand hand;
  hand.establish();
  hand.send(1, kHello, retransmitted(0));
  hand.send(2, kHello, retransmitted(0, false));
  hand.send(1, kHello, retransmitted(0));
  hand.send(4, kHello, retransmitted(0));
  EXPECT_EQ(forwards(hand.time_out()), (std::vector<Forward>{{hand.tsn + 3, {{1, 1}, {4, 0}}}}));
}

TEST(SctpAbandon, ReliableMessagesBetweenAreNotSkipped) {
  ByHand hand;
  hand.establish();
  hand.send(1, kHello, retransmitted(0));
  hand.send(1, kHello);
  hand.send(1, kHello, retransmitted(0));
  const auto out = hand.time_out();
  EXPECT_EQ(forwards(out), (std::vector<Forward>{{hand.tsn, {{1, 0}}}}));
  ASSERT_EQ(data_count(out), 1u);
  EXPECT_EQ(parse_data(chunks_of(out, ChunkType::kData)[0])->tsn, hand.tsn + 1);
  EXPECT_EQ(forwards(hand.give_sack(hand.tsn + 1)), (std::vector<Forward>{{hand.tsn + 2, {{1, 2}}}}));
}

TEST(SctpAbandon, MoreStreamsThanOneForwardTsnNamesTakeSeveral) {
  ByHand hand;
  hand.establish();
  for (uint16_t i = 0; i < 2 * kMaxForwardStreams; ++i) hand.send(i, kHello, retransmitted(0));
  auto got = forwards(hand.time_out());
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].skips.size(), kMaxForwardStreams);
  EXPECT_EQ(got[0].tsn, hand.tsn + kMaxForwardStreams - 1);
  got = forwards(hand.give_sack(got[0].tsn));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].tsn, hand.tsn + 2 * kMaxForwardStreams - 1);
  EXPECT_EQ(got[0].skips.back().first, 2 * kMaxForwardStreams - 1);
}

TEST(SctpAbandon, ExpiredMessagesMakeRoomInAFullQueue) {
  ByHand hand;
  hand.establish();
  hand.send(0, make_payload(50'000, 1));
  AssociationOutput out;
  while (hand.end.send(hand.now, 0, 51, Bytes(kMaxMessageSize), alive_for(50ms), out)) {
  }
  EXPECT_FALSE(hand.end.send(hand.now, 0, 51, Bytes(kMaxMessageSize), {}, out));
  hand.wait(60ms);
  EXPECT_TRUE(hand.end.send(hand.now, 0, 51, Bytes(kMaxMessageSize), {}, out));
  EXPECT_LE(hand.end.queued_bytes(), 2 * kMaxMessageSize);
}

// A reset waits for messages that are given up as for others, and what follows has number 0.
TEST(SctpAbandon, AResetGoesOutWhenThePeerHasSkipped) {
  ByHand hand;
  hand.establish();
  hand.send(5, kHello, retransmitted(0));
  AssociationOutput out;
  hand.end.reset_stream(hand.now, 5, out);
  out = hand.time_out();
  EXPECT_EQ(forwards(out).size(), 1u);
  EXPECT_TRUE(chunks_of(out, ChunkType::kReConfig).empty());
  EXPECT_EQ(chunks_of(hand.give_sack(hand.tsn), ChunkType::kReConfig).size(), 1u);
}

TEST(SctpAbandon, AShutdownDoesNotWaitForWhatHasExpired) {
  ByHand hand;
  hand.establish();
  const auto first = hand.send(0, make_payload(4 * 1'120, 1));  // fills the congestion window
  hand.send(0, make_payload(5'000, 2), alive_for(50ms));
  AssociationOutput out;
  hand.end.close(hand.now, out);
  EXPECT_TRUE(out.packets.empty());
  hand.wait(60ms);
  out = hand.give_sack(hand.tsn - 1 + static_cast<uint32_t>(data_count(first)));
  EXPECT_EQ(chunks_of(out, ChunkType::kShutdown).size(), 1u);
}

TEST(SctpAbandon, AShutdownWaitsUntilThePeerHasSkipped) {
  Pair pair;
  ASSERT_TRUE(pair.up());
  pair.link.filter = [](bool from_a, Bytes& packet) { return !from_a || first_chunk(packet).type != ChunkType::kData; };
  ASSERT_TRUE(pair.send_a(0, make_payload(30'000, 1), retransmitted(1)));
  pair.a.close(pair.link.now(), pair.link.out_a());
  ASSERT_TRUE(pair.link.run(60s, [&] { return pair.a.is_down() && pair.b.is_down(); }));
  EXPECT_EQ(std::get<AssociationDown>(pair.link.out_b().events.back()).reason, DisconnectReason::kShutdown);
}

// Reliable and limited messages of all kinds mixed, both ways.
void mix(uint64_t seed, const LinkConfig& trouble) {
  Pair pair(trouble, seed);
  ASSERT_TRUE(pair.up()) << seed;
  SeededRng rng(seed);
  constexpr uint16_t kStreams = 6;
  std::map<uint16_t, std::vector<Bytes>> reliable;  // ordered and reliable, by stream
  std::multiset<Bytes> limited;
  size_t limited_count = 0;
  for (uint32_t i = 0; i < 120; ++i) {
    const auto stream = static_cast<uint16_t>(rng.below(kStreams));
    const Bytes payload = make_payload(8 + rng.below(i % 10 == 0 ? 40'000 : 3'000), seed * 1'000 + i);
    Reliability how;
    const uint32_t kind = rng.below(4);
    if (kind == 1) how = retransmitted(static_cast<uint16_t>(rng.below(2)), rng.below(2) == 0);
    if (kind == 2) how = alive_for(std::chrono::milliseconds(rng.below(800)));
    if (kind == 0 || kind == 3) {
      reliable[stream].push_back(payload);
    } else {
      limited.insert(payload);
      ++limited_count;
    }
    ASSERT_TRUE(pair.send_a(stream, payload, how));
    ASSERT_TRUE(pair.send_b(stream, payload, how));
    if (i % 7 == 0) pair.link.run_for(100ms);
  }
  ASSERT_TRUE(pair.link.run(600s, [&] { return pair.a.queued_bytes() == 0 && pair.b.queued_bytes() == 0; })) << seed;
  pair.link.run_for(2s);
  for (const AssociationOutput* out : {&pair.link.out_a(), &pair.link.out_b()}) {
    std::map<uint16_t, std::vector<Bytes>> got;
    std::multiset<Bytes> allowed = limited;
    for (const Message& message : messages(*out)) {
      const auto one = allowed.find(message.payload);
      if (one != allowed.end()) {
        allowed.erase(one);  // at most once
      } else {
        got[message.stream].push_back(message.payload);
      }
    }
    EXPECT_EQ(got, reliable) << seed;
    EXPECT_LT(allowed.size(), limited_count);
  }
  EXPECT_TRUE(pair.a.is_up() && pair.b.is_up()) << seed;
  EXPECT_EQ(pair.a.next_timeout(), kNever);
  EXPECT_GT(pair.a.counters().abandoned_messages, 0u);
}

TEST(SctpAbandon, ReliableMessagesAreDeliveredInOrderThroughAnyMixture) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    mix(seed, {.loss = 0.05 * static_cast<double>(1 + seed % 6), .duplication = 0.05, .jitter = 30ms});
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace atm::sctp
