#include "core/sctp/association_test.h"

#include <set>

namespace atm::sctp {
namespace {

TEST(SctpData, PacketsFitADtlsRecord) {
  Pair pair;
  size_t largest = 0;
  pair.link.filter = [&](bool, Bytes& packet) {
    largest = std::max(largest, packet.size());
    return true;
  };
  ASSERT_TRUE(pair.up());
  ASSERT_TRUE(pair.send_a(0, make_payload(100'000, 1)));
  ASSERT_TRUE(pair.send_b(0, make_payload(100'000, 2)));
  pair.link.run_for(10s);
  EXPECT_EQ(messages(pair.link.out_a()).size(), 1u);
  EXPECT_LE(largest, kMaxPacketSize);
  EXPECT_GE(largest, kMaxPacketSize - 4);
}

void exchange_under_trouble(uint64_t seed, const LinkConfig& trouble) {
  Pair pair(trouble, seed);
  ASSERT_TRUE(pair.up()) << seed;
  const size_t sizes[] = {1, 2, 3, 5, 1'119, 1'120, 1'121, 2'240, 4'097, 16'000, 65'535, 65'536, 100'001, 262'144};
  std::vector<Bytes> sent;
  for (const size_t size : sizes) sent.push_back(make_payload(size, seed + size));
  for (const Bytes& payload : sent) {
    ASSERT_TRUE(pair.send_a(3, payload));
    ASSERT_TRUE(pair.send_b(3, payload));
  }
  ASSERT_TRUE(pair.link.run(600s, [&] {
    return count<Message>(pair.link.out_a()) >= sent.size() && count<Message>(pair.link.out_b()) >= sent.size();
  })) << seed;
  pair.link.run_for(20s);
  for (const AssociationOutput* out : {&pair.link.out_a(), &pair.link.out_b()}) {
    const std::vector<Message> got = messages(*out);
    ASSERT_EQ(got.size(), sent.size()) << seed;
    for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i].payload == sent[i]) << seed << " " << i;
  }
  EXPECT_EQ(pair.a.queued_bytes(), 0u);
  EXPECT_EQ(pair.b.queued_bytes(), 0u);
  EXPECT_EQ(pair.a.next_timeout(), kNever);
  EXPECT_EQ(pair.b.next_timeout(), kNever);
}

TEST(SctpData, MessagesOfEverySizeArriveOnceAndInOrder) {
  exchange_under_trouble(1, {});
}

TEST(SctpData, MessagesOfEverySizeArriveOnceAndInOrderUnderLossReorderingAndDuplication) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    exchange_under_trouble(seed, {.loss = 0.1, .duplication = 0.05, .jitter = 30ms});
    if (HasFatalFailure()) return;
  }
}

TEST(SctpData, MessagesArriveUnderHeavyLoss) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Pair pair({.loss = 0.4, .duplication = 0.2, .jitter = 50ms}, seed);
    ASSERT_TRUE(pair.up());
    for (uint32_t i = 0; i < 50; ++i) ASSERT_TRUE(pair.send_a(0, make_payload(1 + i * 37, i)));
    ASSERT_TRUE(pair.link.run(600s, [&] { return count<Message>(pair.link.out_b()) == 50; })) << seed;
    const auto got = messages(pair.link.out_b());
    for (uint32_t i = 0; i < 50; ++i) EXPECT_EQ(got[i].payload, make_payload(1 + i * 37, i));
  }
}

TEST(SctpData, UnorderedMessagesArriveOnceEachAndOvertakeALostOne) {
  Pair pair({}, 3);
  ASSERT_TRUE(pair.up());
  bool dropped = false;
  pair.link.filter = [&](bool from_a, Bytes& packet) {
    if (!from_a || dropped || first_chunk(packet).type != ChunkType::kData) return true;
    dropped = true;
    return false;
  };
  for (uint8_t i = 0; i < 3; ++i)
    ASSERT_TRUE(pair.send_a(0, Bytes{i}, {.ordered = false, .max_retransmits = {}, .lifetime = {}}));
  pair.link.run_for(5s);
  const auto got = messages(pair.link.out_b());
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].payload, Bytes{1});
  EXPECT_EQ(got[1].payload, Bytes{2});
  EXPECT_EQ(got[2].payload, Bytes{0});
  EXPECT_TRUE(got[0].unordered);
}

TEST(SctpData, UnorderedMessagesArriveOnceUnderTrouble) {
  Pair pair({.loss = 0.15, .duplication = 0.1, .jitter = 40ms}, 4);
  ASSERT_TRUE(pair.up());
  std::multiset<Bytes> sent;
  for (uint32_t i = 0; i < 100; ++i) {
    const Bytes payload = make_payload(1 + (i * 977) % 9'000, i);
    sent.insert(payload);
    ASSERT_TRUE(pair.send_a(static_cast<uint16_t>(i % 4), payload,
                            {.ordered = i % 3 == 0, .max_retransmits = {}, .lifetime = {}}));
  }
  ASSERT_TRUE(pair.link.run(300s, [&] { return count<Message>(pair.link.out_b()) == 100; }));
  pair.link.run_for(10s);
  std::multiset<Bytes> got;
  for (const Message& message : messages(pair.link.out_b())) got.insert(message.payload);
  EXPECT_EQ(got, sent);
}

TEST(SctpData, OneLossInAFlowIsMendedWithoutATimeout) {
  Pair pair({.delay = 20ms});
  ASSERT_TRUE(pair.up());
  size_t data_packets = 0;
  pair.link.filter = [&](bool from_a, Bytes& packet) {
    return !(from_a && first_chunk(packet).type == ChunkType::kData && ++data_packets == 20);
  };
  ASSERT_TRUE(pair.send_a(0, make_payload(100'000, 1)));
  pair.link.run_for(10s);
  EXPECT_EQ(messages(pair.link.out_b()).size(), 1u);
  EXPECT_EQ(pair.a.counters().fast_retransmits, 1u);
  EXPECT_EQ(pair.a.counters().retransmissions, 1u);
  EXPECT_EQ(pair.a.counters().timeouts, 0u);
}

TEST(SctpData, ALostLastMessageIsSentAgainAfterTheTimeout) {
  Pair pair({.delay = 20ms});
  ASSERT_TRUE(pair.up());
  ASSERT_TRUE(pair.send_a(0, kHello));  // measures the round trip
  pair.link.run_for(1s);
  bool dropped = false;
  pair.link.filter = [&](bool from_a, Bytes&) { return !from_a || std::exchange(dropped, true); };
  const Instant start = pair.link.now().mono;
  ASSERT_TRUE(pair.send_a(0, kHello));
  ASSERT_TRUE(pair.link.run(10s, [&] { return messages(pair.link.out_b()).size() == 2; }));
  EXPECT_EQ(pair.link.now().mono - start, kRtoMin + 20ms);
}

TEST(SctpData, ASilentPeerIsGivenUp) {
  Pair pair;
  ASSERT_TRUE(pair.up());
  pair.link.set({.loss = 1.0});
  ASSERT_TRUE(pair.send_a(0, kHello));
  pair.link.run_for(30s);
  EXPECT_FALSE(pair.a.is_down());  // a session has 30 s to come back
  pair.link.run_for(90s);
  ASSERT_EQ(count<AssociationDown>(pair.link.out_a()), 1u);
}

TEST(SctpData, AnOutageIsSurvived) {
  Pair pair;
  ASSERT_TRUE(pair.up());
  pair.link.set({.loss = 1.0});
  ASSERT_TRUE(pair.send_a(0, make_payload(50'000, 1)));
  pair.link.run_for(25s);
  pair.link.set({});
  ASSERT_TRUE(pair.link.run(kRtoMax + 5s, [&] { return messages(pair.link.out_b()).size() == 1; }));
}

TEST(SctpData, RefusesWhatItCannotSend) {
  Pair pair;
  ASSERT_TRUE(pair.up());
  EXPECT_FALSE(pair.send_a(0, {}));
  EXPECT_FALSE(pair.send_a(0, Bytes(kMaxMessageSize + 1)));
  EXPECT_FALSE(pair.send_a(kMaxStreams, kHello));
  size_t accepted = 0;
  while (pair.send_a(0, Bytes(kMaxMessageSize))) ++accepted;
  EXPECT_EQ(accepted, kMaxQueuedBytes / (kMaxMessageSize + kQueuedOverhead));
  EXPECT_LE(pair.a.queued_bytes(), kMaxQueuedBytes);
  ASSERT_TRUE(pair.link.run(60s, [&] { return count<Message>(pair.link.out_b()) == accepted; }));
  EXPECT_TRUE(pair.send_a(0, kHello));
}

TEST(SctpData, MessageAboveTheLimitAborts) {
  Config small;
  small.max_message_size = 10'000;
  Pair pair({}, 1, small);
  ASSERT_TRUE(pair.up());
  ASSERT_TRUE(pair.send_a(0, make_payload(10'000, 1)));
  pair.link.run_for(2s);
  EXPECT_EQ(messages(pair.link.out_b()).size(), 1u);
  ASSERT_TRUE(pair.send_a(0, make_payload(10'001, 1)));
  pair.link.run_for(2s);
  EXPECT_EQ(pair.b.counters().abort_message_too_large, 1u);
  EXPECT_TRUE(pair.a.is_down());
  EXPECT_TRUE(pair.b.is_down());
}

TEST(SctpData, FullBufferDropsWhatIsOutOfOrderAndAbortsOnWhatNoSenderWouldSend) {
  ByHand hand;
  hand.establish();
  const Bytes payload(1'000, 7);
  // Beginnings without ends, each in order: no sender interleaves messages (RFC 9260 6.9).
  AssociationOutput out = hand.give_data(ByHand::data(1, 0, 0, payload, "B"));
  EXPECT_TRUE(hand.end.is_up());
  out = hand.give_data(ByHand::data(2, 1, 0, payload, "B"));
  EXPECT_TRUE(hand.end.is_down());
  EXPECT_EQ(hand.end.counters().abort_protocol_violation, 1u);

  ByHand other;
  other.establish();
  // Ordered messages whose first is missing: held up to the window, then dropped unacknowledged.
  for (uint16_t i = 2; i < 700; ++i) other.give_data(ByHand::data(i, 0, static_cast<uint16_t>(i - 1), payload, "BE"));
  EXPECT_TRUE(other.end.is_up());
  EXPECT_GT(other.end.counters().drop_receive_buffer, 0u);
  // The missing one comes: what was held is delivered.
  out = other.give_data(ByHand::data(1, 0, 0, payload, "BE"));
  EXPECT_GT(messages(out).size(), 400u);

  ByHand third;
  third.establish();
  // In order by TSN, but the stream's first message never comes: above the cap that is no sender's doing.
  for (uint16_t i = 1; i < 2'000 && !third.end.is_down(); ++i) third.give_data(ByHand::data(i, 0, i, payload, "BE"));
  EXPECT_TRUE(third.end.is_down());
  EXPECT_EQ(third.end.counters().abort_reassembly_full, 1u);
}

TEST(SctpData, TinyFragmentsInAnyOrderStayBounded) {
  ByHand hand;
  hand.establish();
  const Bytes byte(1, 1);
  for (uint32_t i = 30'000; i > 1 && hand.end.is_up(); --i) hand.give_data(ByHand::data(i, 0, 0, byte, ""));
  EXPECT_TRUE(hand.end.is_up());
  EXPECT_GT(hand.end.counters().drop_tsn_too_far + hand.end.counters().drop_receive_buffer, 0u);
}

TEST(SctpData, DataWithoutUserDataAborts) {
  ByHand hand;
  hand.establish();
  const auto out = hand.give_data(ByHand::data(1, 0, 0, {}, "BE"));
  EXPECT_TRUE(hand.end.is_down());
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_EQ(first_chunk(out.packets[0]).type, ChunkType::kAbort);
}

TEST(SctpData, StreamThatDoesNotExistIsReportedAndAcknowledged) {
  ByHand hand;
  hand.establish();
  auto out = hand.give_data(ByHand::data(1, 100, 0, kHello, "BE"));
  EXPECT_TRUE(messages(out).empty());
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_EQ(first_cause(first_chunk(out.packets[0]))->type, 1);
  hand.wait(kSackDelay);
  out = {};
  hand.end.on_timeout(hand.now, out);
  ASSERT_EQ(out.packets.size(), 1u);
  EXPECT_EQ(parse_sack(first_chunk(out.packets[0]))->cumulative_tsn, 1u);
}

TEST(SctpDeterminism, OneSeedGivesOneTrace) {
  const auto trace = [](uint64_t seed) {
    Pair pair({.loss = 0.1, .duplication = 0.1, .jitter = 20ms}, seed);
    EXPECT_TRUE(pair.up());
    EXPECT_TRUE(pair.send_a(0, make_payload(80'000, 1)));
    EXPECT_TRUE(pair.send_b(0, make_payload(80'000, 2)));
    pair.link.run_for(30s);
    return pair.link.trace_hash();
  };
  EXPECT_EQ(trace(1), trace(1));
  EXPECT_NE(trace(1), trace(2));
}

TEST(SctpTsn, WrapsAround) {
  // An Rng whose every number is one below the wrap, so that both initial TSNs are.
  class NearWrap final : public Rng {
   public:
    void fill(MutByteView out) override {
      for (uint8_t& b : out) b = 0xff;
    }
  } rng;
  Association a({}, rng);
  Association b({}, rng);
  Link link(a, b, {.loss = 0.05, .jitter = 10ms}, 1);
  a.connect(link.now(), link.out_a());
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(a.send(link.now(), 0, 51, make_payload(3'000, i), {}, link.out_a()));
    ASSERT_TRUE(b.send(link.now(), 0, 51, make_payload(3'000, i), {}, link.out_b()));
  }
  ASSERT_TRUE(link.run(60s, [&] { return count<Message>(link.out_a()) == 20 && count<Message>(link.out_b()) == 20; }));
}

TEST(SctpSsn, WrapsAround) {
  Pair pair({.delay = 1ms});
  ASSERT_TRUE(pair.up());
  for (uint32_t i = 0; i < 66'000; ++i) {
    ASSERT_TRUE(pair.send_a(0, Bytes{static_cast<uint8_t>(i)}));
    if (i % 1'000 == 999) pair.link.run_for(1s);
  }
  pair.link.run_for(5s);
  const auto got = messages(pair.link.out_b());
  ASSERT_EQ(got.size(), 66'000u);
  for (uint32_t i = 0; i < 66'000; ++i) ASSERT_EQ(got[i].payload[0], static_cast<uint8_t>(i));
}

}  // namespace
}  // namespace atm::sctp
