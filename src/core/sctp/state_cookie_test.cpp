// What other stacks fell to (docs/reliability.md, row 4): cookies with pointers in them, believed as they came.
#include "core/sctp/state_cookie.h"

#include <cstring>
#include <memory>

#include "core/sctp/association_test.h"

namespace atm::sctp {
namespace {

CookieContents some_contents() {
  CookieContents contents;
  contents.made_at = Instant(10s);
  contents.local_tag = 0x11223344;
  contents.peer_tag = 0x55667788;
  contents.peer_initial_tsn = 7;
  contents.peer_window = 100'000;
  contents.outbound_streams = 12;
  contents.inbound_streams = 13;
  contents.has_forward_tsn = true;
  return contents;
}

Now at(Instant mono) {
  return {mono, WallTime(1'700'000'000s)};
}

TEST(SctpCookie, ComesBackAsItWasMade) {
  SeededRng rng(1);
  const CookieSeal seal(rng);
  const CookieContents made = some_contents();
  CookieContents read;
  ASSERT_EQ(seal.open(at(made.made_at), seal.seal(made), read), CookieSeal::Verdict::kValid);
  EXPECT_EQ(read.made_at, made.made_at);
  EXPECT_EQ(read.local_tag, made.local_tag);
  EXPECT_EQ(read.peer_tag, made.peer_tag);
  EXPECT_EQ(read.peer_initial_tsn, made.peer_initial_tsn);
  EXPECT_EQ(read.peer_window, made.peer_window);
  EXPECT_EQ(read.outbound_streams, made.outbound_streams);
  EXPECT_EQ(read.inbound_streams, made.inbound_streams);
  EXPECT_EQ(read.has_forward_tsn, made.has_forward_tsn);
  EXPECT_EQ(read.has_reconfig, made.has_reconfig);
}

TEST(SctpCookie, EveryFlippedBitAndEveryOtherLengthIsRefused) {
  SeededRng rng(1);
  const CookieSeal seal(rng);
  const auto cookie = seal.seal(some_contents());
  CookieContents read;
  const Now now = at(some_contents().made_at);
  for (size_t bit = 0; bit < 8 * cookie.size(); ++bit) {
    auto changed = cookie;
    changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(seal.open(now, changed, read), CookieSeal::Verdict::kForged) << bit;
  }
  for (size_t size = 0; size < cookie.size(); ++size) {
    const Bytes exact(cookie.begin(), cookie.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(seal.open(now, exact, read), CookieSeal::Verdict::kForged) << size;
  }
  Bytes longer(cookie.begin(), cookie.end());
  longer.push_back(0);
  EXPECT_EQ(seal.open(now, longer, read), CookieSeal::Verdict::kForged);
}

TEST(SctpCookie, OfAnotherSecretIsRefused) {
  SeededRng rng(1);
  const CookieSeal seal(rng);
  const CookieSeal other(rng);
  CookieContents read;
  EXPECT_EQ(other.open(at(some_contents().made_at), seal.seal(some_contents()), read), CookieSeal::Verdict::kForged);
}

TEST(SctpCookie, ExpiresAfterItsLifetime) {
  SeededRng rng(1);
  const CookieSeal seal(rng);
  const CookieContents made = some_contents();
  const auto cookie = seal.seal(made);
  CookieContents read;
  EXPECT_EQ(seal.open(at(made.made_at + kCookieLifetime), cookie, read), CookieSeal::Verdict::kValid);
  EXPECT_EQ(seal.open(at(made.made_at + kCookieLifetime + Duration(1)), cookie, read), CookieSeal::Verdict::kExpired);
  EXPECT_EQ(seal.open(at(made.made_at + 24h * 365), cookie, read), CookieSeal::Verdict::kExpired);
}

// An INIT-ACK as a peer gets it, from an association at whatever place in memory.
Bytes init_ack_of(Association& end) {
  AssociationOutput out;
  InitChunk init;
  init.initiate_tag = 1234;
  init.receiver_window = 1'000'000;
  init.outbound_streams = init.inbound_streams = 100;
  init.initial_tsn = 1;
  end.on_packet(at(Instant(10s)), make_packet(0, [&](PacketWriter& p) { write_init(p, ChunkType::kInit, init); }), out);
  return out.packets.at(0);
}

TEST(SctpCookie, HoldsNoAddressOfOurs) {
  SeededRng rng_here(5), rng_there(5);
  Association here({}, rng_here);  // on the stack
  const auto there = std::make_unique<Association>(Config{}, rng_there);
  const Bytes packet = init_ack_of(here);
  // With equal random numbers they differ in nothing but where they lie.
  EXPECT_EQ(packet, init_ack_of(*there));
  const auto is_near = [](uint64_t value, const void* place) {
    const auto address = reinterpret_cast<uintptr_t>(place);
    return value >= address - (uint64_t{1} << 32) && value <= address + (uint64_t{1} << 32);
  };
  static const int global = 0;
  for (size_t i = 0; i + 8 <= packet.size(); ++i) {
    uint64_t little = 0;
    std::memcpy(&little, packet.data() + i, 8);
    for (const uint64_t value : {little, __builtin_bswap64(little)}) {
      EXPECT_FALSE(is_near(value, &here)) << i;
      EXPECT_FALSE(is_near(value, there.get())) << i;
      EXPECT_FALSE(is_near(value, &global)) << i;
    }
  }
}

// RFC 9260 5.2.4 step 3: of an association that is up, an old cookie's age does not matter; it gets its ACK again.
TEST(SctpCookie, ThatMadeTheAssociationIsAnsweredAgainHoweverOld) {
  ByHand hand;
  hand.establish();
  hand.wait(kCookieLifetime + 1s);
  const auto out = hand.give([&](PacketWriter& p) { p.chunk(ChunkType::kCookieEcho, 0, hand.cookie); });
  EXPECT_EQ(chunks_of(out, ChunkType::kCookieAck).size(), 1u);
  EXPECT_EQ(count<AssociationUp>(out), 0u);
  EXPECT_TRUE(hand.end.is_up());
}

TEST(SctpCookie, StaleOnesOfOnePacketAreNotAllAnswered) {
  ByHand hand;
  hand.wait(kCookieLifetime + 1s);
  const auto out = hand.give([&](PacketWriter& p) {
    for (int i = 0; i < 15; ++i) p.chunk(ChunkType::kCookieEcho, 0, hand.cookie);
  });
  EXPECT_LE(out.packets.size(), 4u);
  EXPECT_EQ(hand.end.counters().drop_cookie_expired, 15u);
}

}  // namespace
}  // namespace atm::sctp
