#include "core/sctp/association_test.h"

#include <set>

namespace atm0s::sctp {
namespace {

TEST(SctpGuards, WrongTagIsDropped) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  const auto abort_chunk = [](PacketWriter& p) {
    write_cause(p, ChunkType::kAbort, 0, ErrorCause::kUserInitiated, {});
  };
  hand.end.on_packet(hand.now, make_packet(hand.tag + 1, abort_chunk), out);
  EXPECT_EQ(hand.end.counters().drop_tag, 1u);
  // RFC 9260 8.5.1 B: with the T bit the tag is the peer's own, and only then.
  hand.end.on_packet(hand.now, make_packet(1234, abort_chunk), out);
  EXPECT_EQ(hand.end.counters().drop_tag, 2u);
  EXPECT_TRUE(hand.end.is_up());
  EXPECT_TRUE(out.packets.empty());
  hand.end.on_packet(hand.now,
                     make_packet(1234,
                                 [](PacketWriter& p) {
                                   write_cause(p, ChunkType::kAbort, kReflectedTagFlag, ErrorCause::kUserInitiated, {});
                                 }),
                     out);
  EXPECT_TRUE(hand.end.is_down());
}

TEST(SctpGuards, BadChecksumIsDropped) {
  ByHand hand;
  hand.establish();
  Bytes packet = make_packet(hand.tag, [&](PacketWriter& p) { write_data(p, ByHand::data(1, 0, 0, kHello, "BE")); });
  packet.back() ^= 1;
  AssociationOutput out;
  hand.end.on_packet(hand.now, packet, out);
  EXPECT_EQ(hand.end.counters().drop_checksum, 1u);
  EXPECT_TRUE(out.events.empty());
  // RFC 9653 is not offered: a zero checksum is a wrong one.
  std::fill(packet.begin() + 8, packet.begin() + 12, uint8_t{0});
  hand.end.on_packet(hand.now, packet, out);
  EXPECT_EQ(hand.end.counters().drop_checksum, 2u);
}

TEST(SctpGuards, WrongPortsAreDropped) {
  ByHand hand;
  hand.establish();
  AssociationOutput out;
  const auto write = [&](PacketWriter& p) { write_data(p, ByHand::data(1, 0, 0, kHello, "BE")); };
  hand.end.on_packet(hand.now, make_packet(hand.tag, write, {5000, 5001, 0}), out);
  hand.end.on_packet(hand.now, make_packet(hand.tag, write, {5001, 5000, 0}), out);
  EXPECT_EQ(hand.end.counters().drop_port, 2u);
  EXPECT_TRUE(out.events.empty());
}

TEST(SctpGuards, InitWithATagOrWithCompanyIsDropped) {
  ByHand hand;
  const uint64_t before = hand.end.counters().drop_tag;
  InitChunk init;
  init.initiate_tag = 1;
  init.inbound_streams = init.outbound_streams = 1;
  hand.give([&](PacketWriter& p) { write_init(p, ChunkType::kInit, init); });
  AssociationOutput out;
  hand.end.on_packet(hand.now,
                     make_packet(0,
                                 [&](PacketWriter& p) {
                                   write_init(p, ChunkType::kInit, init);
                                   p.chunk(ChunkType::kCookieEcho, 0, hand.cookie);
                                 }),
                     out);
  EXPECT_EQ(hand.end.counters().drop_tag, before + 2);
  EXPECT_TRUE(out.packets.empty());
}

TEST(SctpGuards, AnyRecordedPacketTruncatedOrChangedAnywhereDoesNoHarm) {
  Pair pair({.loss = 0.1, .jitter = 20ms}, 7);
  std::vector<Bytes> recorded;
  std::set<uint32_t> seen_kinds;
  pair.link.filter = [&](bool, Bytes& packet) {
    const Chunk chunk = first_chunk(packet);
    if (seen_kinds.insert(static_cast<uint32_t>(chunk.type) << 16 | static_cast<uint32_t>(packet.size() / 200))
            .second) {
      recorded.push_back(packet);
    }
    return true;
  };
  ASSERT_TRUE(pair.up());
  ASSERT_TRUE(pair.send_a(1, make_payload(20'000, 1)));
  ASSERT_TRUE(pair.send_b(1, make_payload(20'000, 2)));
  pair.link.run_for(5s);
  pair.a.reset_stream(pair.link.now(), 1, pair.link.out_a());
  pair.link.run_for(5s);
  ASSERT_GE(recorded.size(), 8u);
  for (const Bytes& packet : recorded) {
    for (size_t i = 0; i < packet.size(); ++i) {
      AssociationOutput out;
      pair.a.on_packet(pair.link.now(), ByteView(packet).first(i), out);
      EXPECT_TRUE(out.packets.empty());
      EXPECT_TRUE(out.events.empty());
      Bytes broken = packet;
      broken[i] ^= 0xff;
      pair.b.on_packet(pair.link.now(), broken, out);
      EXPECT_TRUE(out.packets.empty());
    }
  }
}

// With the checksum made good and the tag right, as a hostile peer has them.
TEST(SctpGuards, ChangedChunksUnderAGoodChecksumDoNoHarm) {
  SeededRng rng(11);
  for (int round = 0; round < 20'000; ++round) {
    ByHand hand;
    hand.establish();
    AssociationOutput sent;
    if (round % 2 == 0) {
      hand.end.send(hand.now, 0, 51, make_payload(5'000, 1), {}, sent);
      sent = {};
    }
    for (int i = 0; i < 6; ++i) {
      Bytes value(rng.below(60));
      rng.fill(value);
      const uint8_t types[] = {0, 1, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 14, 130, 192, 192, 0, 0};
      if (value.size() >= 4) {
        // Near the numbers in use, where the deeper branches are.
        const uint32_t near = (rng.below(2) == 0 ? 0 : hand.tsn) + rng.below(16) - 4;
        store_u32(value.data(), near);
      }
      const auto type = static_cast<ChunkType>(types[rng.below(std::size(types))]);
      AssociationOutput out;
      hand.end.on_packet(
          hand.now,
          make_packet(hand.tag, [&](PacketWriter& p) { p.chunk(type, static_cast<uint8_t>(rng.below(16)), value); }),
          out);
      EXPECT_LE(out.packets.size(), 4u + kMaxBurst);
      hand.wait(100ms);
      if (hand.end.next_timeout() <= hand.now.mono) hand.end.on_timeout(hand.now, out);
    }
  }
}

}  // namespace
}  // namespace atm0s::sctp
