#include "core/sctp/association_test.h"

#include <set>

namespace atm::sctp {
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

TEST(SctpGuards, EveryFlippedBitIsCaughtByTheChecksum) {
  ByHand hand;
  hand.establish();
  const Bytes packet =
      make_packet(hand.tag, [&](PacketWriter& p) { write_data(p, ByHand::data(1, 0, 0, kHello, "BE")); });
  AssociationOutput out;
  for (size_t bit = 0; bit < 8 * packet.size(); ++bit) {
    Bytes changed = packet;
    changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1 << bit % 8));
    hand.end.on_packet(hand.now, changed, out);
  }
  EXPECT_EQ(hand.end.counters().drop_checksum, 8 * packet.size());
  EXPECT_TRUE(out.packets.empty() && out.events.empty());
  hand.end.on_packet(hand.now, packet, out);
  EXPECT_EQ(messages(out).size(), 1u);
}

// One valid chunk of each kind, with its lists.
std::vector<Bytes> chunk_of_each_kind(const ByHand& hand) {
  std::vector<Bytes> packets;
  const auto add = [&](auto write) { packets.push_back(make_packet(hand.tag, write)); };
  add([&](PacketWriter& p) { write_data(p, ByHand::data(1, 0, 0, kHello, "BE")); });
  InitChunk init;
  init.initiate_tag = 99;
  init.receiver_window = 100'000;
  init.outbound_streams = init.inbound_streams = 10;
  init.has_forward_tsn = init.has_reconfig = true;
  packets.push_back(make_packet(0, [&](PacketWriter& p) { write_init(p, ChunkType::kInit, init); }));
  init.cookie = hand.cookie;
  add([&](PacketWriter& p) { write_init(p, ChunkType::kInitAck, init); });
  add([&](PacketWriter& p) {
    Bytes sack = sack_value(hand.tsn, {{2, 2}, {4, 5}});
    store_u16(sack.data() + 10, 2);
    sack.resize(sack.size() + 8);
    p.chunk(ChunkType::kSack, 0, sack);
  });
  for (const auto type : {ChunkType::kHeartbeat, ChunkType::kHeartbeatAck}) {
    add([&](PacketWriter& p) { p.chunk(type, 0, Bytes{0, 1, 0, 8, 1, 2, 3, 4}); });
  }
  for (const auto type : {ChunkType::kAbort, ChunkType::kError}) {
    add([&](PacketWriter& p) { write_cause(p, type, 0, ErrorCause::kStaleCookie, Bytes(4)); });
  }
  add([&](PacketWriter& p) { p.chunk(ChunkType::kShutdown, 0, Bytes(4)); });
  for (const auto type : {ChunkType::kShutdownAck, ChunkType::kCookieAck, ChunkType::kShutdownComplete}) {
    add([&](PacketWriter& p) { p.chunk(type, 0, {}); });
  }
  add([&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, hand.cookie); });
  add([&](PacketWriter& p) {
    ReconfigParameter request;
    request.type = ReconfigType::kOutgoingReset;
    request.sequence = 1;
    const Bytes streams{0, 1, 0, 2};
    request.stream_bytes = streams;
    write_reconfig(p, request);
  });
  add([&](PacketWriter& p) { p.chunk(ChunkType::kForwardTsn, 0, forward_value(3, {{1, 2}, {3, 4}})); });
  return packets;
}

void reseal(Bytes& packet) {
  if (packet.size() < kCommonHeaderSize) return;
  std::fill(packet.begin() + 8, packet.begin() + 12, uint8_t{0});
  const uint32_t crc = crc32c(packet);
  for (size_t i = 0; i < 4; ++i) packet[8 + i] = static_cast<uint8_t>(crc >> 8 * i);
}

// Truncated at every length, the checksum made good: with the chunk's length as it was, and with one that fits.
TEST(SctpGuards, EveryChunkTruncatedAnywhereDoesNoHarm) {
  const std::vector<Bytes> packets = chunk_of_each_kind(ByHand());
  for (const bool is_up : {false, true}) {
    for (const Bytes& packet : packets) {
      for (size_t size = 0; size < packet.size(); ++size) {
        for (const bool fits : {false, true}) {
          ByHand hand;
          if (is_up) hand.establish();
          if (is_up) hand.send(0, make_payload(5'000, 1));
          Bytes cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
          if (fits && size >= kCommonHeaderSize + kTlvHeaderSize) {
            store_u16(cut.data() + kCommonHeaderSize + 2, static_cast<uint16_t>(size - kCommonHeaderSize));
          }
          reseal(cut);
          const Counters before = hand.end.counters();
          AssociationOutput out;
          hand.end.on_packet(hand.now, cut, out);
          EXPECT_LE(out.packets.size(), 4u + kMaxBurst);
          const Counters& after = hand.end.counters();
          if (size < kCommonHeaderSize) {
            EXPECT_EQ(after.drop_checksum, before.drop_checksum + 1);
          } else if (!fits && size < kCommonHeaderSize + load_u16(packet.data() + kCommonHeaderSize + 2)) {
            EXPECT_EQ(after.drop_malformed, before.drop_malformed + 1) << int{packet[12]} << " " << size;
            EXPECT_TRUE(out.packets.empty() && out.events.empty());
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace atm::sctp
