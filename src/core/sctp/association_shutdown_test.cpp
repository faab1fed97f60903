#include "core/sctp/association_test.h"

namespace atm::sctp {
namespace {

TEST(SctpHeartbeat, IsAnsweredWithWhatItBrought) {
  ByHand hand;
  hand.establish();
  const Bytes info{0, 1, 0, 8, 1, 2, 3, 4};
  const auto out = hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kHeartbeat, 0, info); });
  ASSERT_EQ(out.packets.size(), 1u);
  const Chunk ack = first_chunk(out.packets[0]);
  EXPECT_EQ(ack.type, ChunkType::kHeartbeatAck);
  EXPECT_EQ(Bytes(ack.value.begin(), ack.value.end()), info);
  const auto many = hand.give([&](PacketWriter& p) {
    for (int i = 0; i < 40; ++i) p.chunk(ChunkType::kHeartbeat, 0, info);
  });
  EXPECT_LE(many.packets.size(), 4u);
}

// RFC 9260 3.2: the two upper bits of an unknown chunk's type.
TEST(SctpUnknownChunk, IsSkippedReportedOrEndsThePacket) {
  const auto give = [](uint8_t type) {
    ByHand hand;
    hand.establish();
    const auto out = hand.give([&](PacketWriter& p) {
      p.chunk(static_cast<ChunkType>(type), 0, kHello);
      write_data(p, ByHand::data(1, 0, 0, kHello, "BE"));
    });
    return std::pair{messages(out).size(), out.packets.size()};
  };
  EXPECT_EQ(give(0x3e), (std::pair<size_t, size_t>{0, 0}));
  EXPECT_EQ(give(0x7e), (std::pair<size_t, size_t>{0, 1}));
  EXPECT_EQ(give(0xbe), (std::pair<size_t, size_t>{1, 0}));
  EXPECT_EQ(give(0xfe), (std::pair<size_t, size_t>{1, 1}));
}

TEST(SctpShutdown, DeliversEverythingFirstFromEitherSideAndFromBoth) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Pair pair({.loss = 0.15, .duplication = 0.05, .jitter = 20ms}, seed);
    ASSERT_TRUE(pair.up());
    ASSERT_TRUE(pair.send_a(0, make_payload(30'000, seed)));
    ASSERT_TRUE(pair.send_b(0, make_payload(30'000, seed + 1)));
    if (seed % 3 != 1) pair.a.close(pair.link.now(), pair.link.out_a());
    if (seed % 3 != 0) pair.b.close(pair.link.now(), pair.link.out_b());
    ASSERT_TRUE(pair.link.run(120s, [&] { return pair.a.is_down() && pair.b.is_down(); })) << seed;
    EXPECT_EQ(messages(pair.link.out_a()).size(), 1u) << seed;
    EXPECT_EQ(messages(pair.link.out_b()).size(), 1u) << seed;
    EXPECT_EQ(std::get<AssociationDown>(pair.link.out_a().events.back()).reason, DisconnectReason::kShutdown) << seed;
    EXPECT_EQ(std::get<AssociationDown>(pair.link.out_b().events.back()).reason, DisconnectReason::kShutdown) << seed;
  }
}

TEST(SctpAbort, EndsBothSides) {
  Pair pair;
  ASSERT_TRUE(pair.up());
  pair.a.abort(pair.link.out_a());
  pair.link.run_for(1s);
  EXPECT_EQ(std::get<AssociationDown>(pair.link.out_a().events.back()).reason, DisconnectReason::kAborted);
  EXPECT_EQ(std::get<AssociationDown>(pair.link.out_b().events.back()).reason, DisconnectReason::kPeerAborted);
  EXPECT_FALSE(pair.send_a(0, kHello));
}

}  // namespace
}  // namespace atm::sctp
