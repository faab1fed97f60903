#include "core/sctp/association_test.h"

namespace atm::sctp {
namespace {

TEST(SctpHandshake, TakesTwoRoundTrips) {
  Pair pair;
  pair.connect_a();
  ASSERT_TRUE(pair.run_until_up());
  EXPECT_EQ(pair.link.now().mono - Instant(1s), 80ms);
  EXPECT_EQ(count<AssociationUp>(pair.link.out_a()), 1u);
  EXPECT_EQ(count<AssociationUp>(pair.link.out_b()), 1u);
}

TEST(SctpHandshake, ComesUpUnderLossFromEitherSideAndFromBoth) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Pair pair({.loss = 0.3, .duplication = 0.1, .jitter = 30ms}, seed);
    if (seed % 3 != 1) pair.connect_a();
    if (seed % 3 != 0) pair.connect_b();
    ASSERT_TRUE(pair.run_until_up()) << seed;
    // Both agree on tags and TSNs: data passes both ways.
    ASSERT_TRUE(pair.send_a(1, kHello));
    ASSERT_TRUE(pair.send_b(2, kHello));
    ASSERT_TRUE(pair.link.run(60s, [&] {
      return !messages(pair.link.out_a()).empty() && !messages(pair.link.out_b()).empty();
    })) << seed;
    EXPECT_EQ(count<AssociationUp>(pair.link.out_a()), 1u);
    EXPECT_EQ(count<AssociationUp>(pair.link.out_b()), 1u);
  }
}

TEST(SctpHandshake, InitsThatCrossBecomeOneAssociation) {
  Pair pair;
  pair.connect_a();
  pair.connect_b();
  ASSERT_TRUE(pair.run_until_up());
  ASSERT_TRUE(pair.send_a(0, kHello));
  ASSERT_TRUE(pair.send_b(1, kHello));
  pair.link.run_for(1s);
  EXPECT_EQ(messages(pair.link.out_a()).size(), 1u);
  EXPECT_EQ(messages(pair.link.out_b()).size(), 1u);
  EXPECT_EQ(pair.a.counters().timeouts + pair.b.counters().timeouts, 0u);
}

TEST(SctpHandshake, GivesUpOnASilentPeer) {
  Pair pair({.loss = 1.0});
  pair.connect_a();
  pair.link.run_for(120s);
  ASSERT_EQ(count<AssociationDown>(pair.link.out_a()), 1u);
  EXPECT_TRUE(pair.a.is_down());
  EXPECT_EQ(pair.a.next_timeout(), kNever);
}

TEST(SctpHandshake, MessagesSentBeforeItAreDelivered) {
  Pair pair;
  ASSERT_TRUE(pair.send_a(0, kHello));
  pair.connect_a();
  pair.link.run_for(1s);
  ASSERT_EQ(messages(pair.link.out_b()).size(), 1u);
  EXPECT_EQ(messages(pair.link.out_b())[0].payload, kHello);
}

TEST(SctpHandshake, AnInitCostsNoState) {
  ByHand hand;
  EXPECT_FALSE(hand.end.is_up());
  EXPECT_EQ(hand.end.next_timeout(), kNever);
}

TEST(SctpHandshake, ForgedCookieIsRefused) {
  for (size_t i = 0; i < CookieSeal::kSize; ++i) {
    ByHand hand;
    hand.cookie[i] ^= 1;
    const auto out = hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, hand.cookie); });
    EXPECT_FALSE(hand.end.is_up()) << i;
    EXPECT_TRUE(out.packets.empty());
    EXPECT_EQ(hand.end.counters().drop_cookie_forged, 1u);
  }
  ByHand hand;
  hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, ByteView(hand.cookie).first(20)); });
  EXPECT_EQ(hand.end.counters().drop_cookie_forged, 1u);
}

TEST(SctpHandshake, CookieOfAnotherAssociationIsRefused) {
  ByHand hand;
  SeededRng rng(6);
  Association other({}, rng);
  AssociationOutput out;
  other.on_packet(
      hand.now, make_packet(hand.tag, [&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, hand.cookie); }), out);
  EXPECT_FALSE(other.is_up());
}

TEST(SctpHandshake, ExpiredCookieIsRefusedAndAnsweredAsStale) {
  ByHand hand;
  hand.wait(kCookieLifetime + 1ms);
  const auto out = hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, hand.cookie); });
  EXPECT_FALSE(hand.end.is_up());
  EXPECT_EQ(hand.end.counters().drop_cookie_expired, 1u);
  ASSERT_EQ(out.packets.size(), 1u);
  const Chunk error = first_chunk(out.packets[0]);
  EXPECT_EQ(error.type, ChunkType::kError);
  const auto cause = first_cause(error);
  ASSERT_TRUE(cause.has_value());
  EXPECT_EQ(cause->type, 3);
  EXPECT_EQ(load_u32(cause->value.data()), 1'000u);
}

TEST(SctpHandshake, StaleCookieErrorBeginsAnew) {
  ByHand hand;  // for its time only: here the end under test is the one that connects
  SeededRng rng(8);
  Association end({}, rng);
  AssociationOutput out;
  end.connect(hand.now, out);
  const uint32_t tag = parse_init(first_chunk(out.packets.at(0)))->initiate_tag;
  InitChunk answer;
  answer.initiate_tag = 99;
  answer.receiver_window = 100'000;
  answer.outbound_streams = answer.inbound_streams = 10;
  answer.cookie = kHello;
  out = {};
  end.on_packet(hand.now, make_packet(tag, [&](PacketWriter& p) { write_init(p, ChunkType::kInitAck, answer); }), out);
  ASSERT_EQ(first_chunk(out.packets.at(0)).type, ChunkType::kCookieEcho);
  out = {};
  end.on_packet(
      hand.now,
      make_packet(tag,
                  [&](PacketWriter& p) { write_cause(p, ChunkType::kError, 0, ErrorCause::kStaleCookie, Bytes(4)); }),
      out);
  ASSERT_EQ(first_chunk(out.packets.at(0)).type, ChunkType::kInit);
  out = {};
  end.on_packet(hand.now, make_packet(tag, [&](PacketWriter& p) { write_init(p, ChunkType::kInitAck, answer); }), out);
  end.on_packet(hand.now, make_packet(tag, [](PacketWriter& p) { p.chunk(ChunkType::kCookieAck, 0, {}); }), out);
  EXPECT_TRUE(end.is_up());
}

}  // namespace
}  // namespace atm::sctp
