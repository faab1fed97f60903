#include "wire/stun/message.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "wire/stun/message_writer.h"
#include "wire/stun/rfc5769.h"

namespace atm::stun {
namespace {

const ByteView kSamples[] = {rfc5769::kRequest, rfc5769::kResponseV4, rfc5769::kResponseV6, rfc5769::kLongTermRequest};

TransactionId sample_id() {
  TransactionId id;
  std::memcpy(id.bytes.data(), rfc5769::kRequest + 8, 12);
  return id;
}

// A message with these raw attributes: type, value; padded with 0xff, since padding may be anything.
Bytes raw_message(uint16_t type, const std::vector<std::pair<uint16_t, Bytes>>& attributes) {
  Bytes out(kHeaderSize);
  store_u16(out.data(), type);
  store_u32(out.data() + 4, kMagicCookie);
  for (const auto& [attribute, value] : attributes) {
    out.resize(out.size() + 4);
    store_u16(out.data() + out.size() - 4, attribute);
    store_u16(out.data() + out.size() - 2, static_cast<uint16_t>(value.size()));
    out.insert(out.end(), value.begin(), value.end());
    while (out.size() % 4 != 0) out.push_back(0xff);
  }
  store_u16(out.data() + 2, static_cast<uint16_t>(out.size() - kHeaderSize));
  return out;
}

TEST(StunMessage, ReadsTheRequestOfRfc5769) {
  const auto message = parse_message(rfc5769::kRequest);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, Class::kRequest);
  EXPECT_EQ(message->method, kBinding);
  EXPECT_EQ(message->id, sample_id());
  EXPECT_EQ(message->software, "STUN test client");
  EXPECT_EQ(message->username, "evtj:h6vY");
  EXPECT_EQ(message->priority, 0x6e0001ffu);
  EXPECT_EQ(message->ice_controlled, 0x932ff9b151263b36u);
  EXPECT_FALSE(message->ice_controlling);
  EXPECT_FALSE(message->use_candidate);
  EXPECT_EQ(message->fingerprint, Fingerprint::kRight);
  EXPECT_TRUE(message->unknown().empty());
  ASSERT_TRUE(message->integrity);
  EXPECT_EQ(load_u16(message->integrity->head.data() + 2), 0x50);  // without FINGERPRINT's 8
  EXPECT_EQ(message->integrity->body.size(), sizeof rfc5769::kRequest - 8 - 24 - 4);
  EXPECT_EQ(message->integrity->mac[0], 0x9a);
  EXPECT_EQ(peek_username(rfc5769::kRequest), "evtj:h6vY");
}

TEST(StunMessage, ReadsTheIpv4ResponseOfRfc5769) {
  const auto message = parse_message(rfc5769::kResponseV4);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message_class, Class::kSuccess);
  EXPECT_EQ(message->software, "test vector");
  ASSERT_TRUE(message->xor_mapped_address);
  EXPECT_EQ(message->xor_mapped_address->to_string(), "192.0.2.1:32853");
  EXPECT_EQ(message->fingerprint, Fingerprint::kRight);
  EXPECT_FALSE(peek_username(rfc5769::kResponseV4));
}

TEST(StunMessage, ReadsTheIpv6ResponseOfRfc5769) {
  const auto message = parse_message(rfc5769::kResponseV6);
  ASSERT_TRUE(message);
  ASSERT_TRUE(message->xor_mapped_address);
  EXPECT_EQ(message->xor_mapped_address->to_string(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
  EXPECT_EQ(message->fingerprint, Fingerprint::kRight);
}

TEST(StunMessage, ReadsTheLongTermRequestOfRfc5769) {
  const auto message = parse_message(rfc5769::kLongTermRequest);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->username, "マトリックス");
  EXPECT_EQ(message->fingerprint, Fingerprint::kAbsent);
  ASSERT_TRUE(message->find(Attribute::kRealm));
  EXPECT_EQ(as_text(*message->find(Attribute::kRealm)), "example.org");
  EXPECT_EQ(as_text(*message->find(Attribute::kNonce)), "f//499k954d6OL34oL9FSTvy64sA");
  EXPECT_TRUE(message->unknown().empty());
}

TEST(StunMessage, NoTruncatedSampleIsAMessage) {
  for (const ByteView sample : kSamples) {
    for (size_t size = 0; size < sample.size(); ++size) {
      const Bytes cut(sample.begin(), sample.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_FALSE(parse_message(cut));
      EXPECT_FALSE(peek_username(cut));
      // The same with a header that admits to the size: whole attributes may be left, the rest must be refused.
      if (size < kHeaderSize) continue;
      Bytes honest = cut;
      store_u16(honest.data() + 2, static_cast<uint16_t>(size - kHeaderSize));
      const auto message = parse_message(honest);
      EXPECT_TRUE(!message || size % 4 == 0);
      peek_username(honest);
    }
  }
}

TEST(StunMessage, EveryChangedBitOfASampleIsRefusedOrSpoilsItsFingerprint) {
  for (const ByteView sample : {kSamples[0], kSamples[1], kSamples[2]}) {
    for (size_t bit = 0; bit < sample.size() * 8; ++bit) {
      Bytes changed(sample.begin(), sample.end());
      changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      const auto message = parse_message(changed);
      EXPECT_TRUE(!message || message->fingerprint != Fingerprint::kRight) << bit;
    }
  }
}

TEST(StunMessage, RandomChangesNeverCrash) {
  SeededRng rng(7);
  size_t accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    const ByteView sample = kSamples[rng.below(4)];
    Bytes changed(sample.begin(), sample.end());
    for (uint32_t i = 0, n = 1 + rng.below(6); i < n; ++i) {
      changed[rng.below(static_cast<uint32_t>(changed.size()))] = static_cast<uint8_t>(rng.u32());
    }
    if (rng.below(4) == 0) changed.resize(rng.below(static_cast<uint32_t>(changed.size() + 1)));
    const auto message = parse_message(changed);
    peek_username(changed);
    if (!message) continue;
    ++accepted;
    message->find(Attribute::kNonce);
  }
  EXPECT_GT(accepted, 100u);  // else the changes were too coarse to test anything
}

TEST(StunMessage, TellsStunFromItsNeighboursOnOnePort) {
  EXPECT_TRUE(is_stun(rfc5769::kRequest));
  Bytes other(rfc5769::kRequest, rfc5769::kRequest + sizeof rfc5769::kRequest);
  for (const int first : {4, 19, 20, 63, 64, 79, 128, 191, 255}) {  // ZRTP, DTLS, TURN channels, RTP: RFC 7983 7
    other[0] = static_cast<uint8_t>(first);
    EXPECT_FALSE(is_stun(other)) << first;
  }
  other[0] = 0;
  other[4] ^= 1;
  EXPECT_FALSE(is_stun(other));
  EXPECT_FALSE(is_stun({}));
}

TEST(StunMessage, NamesWhatHadToBeUnderstood) {
  const Bytes datagram = raw_message(0x0001, {{0x7777, {1, 2, 3}}, {0x0003, {0, 0, 0, 6}}, {0xC057, {1}}});
  const auto message = parse_message(datagram);
  ASSERT_TRUE(message);
  ASSERT_EQ(message->unknown().size(), 2u);
  EXPECT_EQ(message->unknown()[0], 0x7777);
  EXPECT_EQ(message->unknown()[1], 0x0003);
}

TEST(StunMessage, LimitsWhatItRemembersAndReads) {
  std::vector<std::pair<uint16_t, Bytes>> attributes(kMaxAttributes, {0x7777, {}});
  const Bytes datagram = raw_message(0x0001, attributes);
  const auto message = parse_message(datagram);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->unknown().size(), kMaxUnknownAttributes);
  attributes.push_back({0x7777, {}});
  EXPECT_FALSE(parse_message(raw_message(0x0001, attributes)));
}

TEST(StunMessage, RefusesKnownAttributesOfAWrongForm) {
  const std::pair<Attribute, Bytes> wrong[] = {
      {Attribute::kPriority, {1, 2, 3}},
      {Attribute::kIceControlling, {1, 2, 3, 4}},
      {Attribute::kIceControlled, Bytes(9)},
      {Attribute::kUseCandidate, {1}},
      {Attribute::kXorMappedAddress, {0, 1, 0, 0}},
      {Attribute::kXorMappedAddress, {0, 2, 0, 0, 1, 2, 3, 4}},
      {Attribute::kXorMappedAddress, {0, 3, 0, 0, 1, 2, 3, 4}},
      {Attribute::kErrorCode, {0, 0, 4}},
      {Attribute::kErrorCode, {0, 0, 2, 0}},
      {Attribute::kErrorCode, {0, 0, 7, 0}},
      {Attribute::kErrorCode, {0, 0, 4, 100}},
      {Attribute::kUnknownAttributes, {1}},
      {Attribute::kUsername, Bytes(kMaxUsernameSize + 1)},
      {Attribute::kSoftware, Bytes(kMaxTextSize + 1)},
      {Attribute::kMessageIntegrity, Bytes(19)},
      {Attribute::kFingerprint, Bytes(3)},
  };
  for (const auto& [type, value] : wrong) {
    EXPECT_FALSE(parse_message(raw_message(0x0001, {{static_cast<uint16_t>(type), value}})))
        << static_cast<int>(type) << ' ' << value.size();
  }
}

TEST(StunMessage, IgnoresWhatFollowsTheIntegrity) {
  const Bytes datagram =
      raw_message(0x0001, {{0x0006, {'a', ':', 'b'}}, {0x0008, Bytes(20)}, {0x0025, {}}, {0x7777, {}}, {0x0024, {1}}});
  const auto message = parse_message(datagram);
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->use_candidate);
  EXPECT_FALSE(message->priority);
  EXPECT_TRUE(message->unknown().empty());
  EXPECT_FALSE(message->find(Attribute::kUseCandidate));
  EXPECT_FALSE(peek_username(raw_message(0x0001, {{0x0008, Bytes(20)}, {0x0006, {'a', ':', 'b'}}})));
}

TEST(StunMessage, WantsTheFingerprintLast) {
  EXPECT_FALSE(parse_message(raw_message(0x0001, {{0x8028, Bytes(4)}, {0x0024, Bytes(4)}})));
}

TEST(StunMessage, KeepsTheFirstOfSeveral) {
  const Bytes datagram = raw_message(0x0001, {{0x0024, {0, 0, 0, 1}}, {0x0024, {0, 0, 0, 2}}});
  const auto message = parse_message(datagram);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->priority, 1u);
}

TEST(StunMessageWriter, WritesWhatTheParserReads) {
  for (const char* address : {"198.51.100.7:65535", "[2001:db8::1]:1"}) {
    uint8_t buffer[512];
    MessageWriter writer(buffer, Class::kError, sample_id(), 0x00bc);
    writer.username("abcd:efghi");
    writer.software("atm0s");
    writer.priority(0x12345678);
    writer.use_candidate();
    writer.ice_controlling(0x0102030405060708);
    writer.ice_controlled(0x1122334455667788);
    writer.xor_mapped_address(*SocketAddress::parse(address));
    writer.error(487, "Role Conflict");
    const uint16_t types[] = {0x7777, 0x1234, 0x0fff};
    writer.unknown_attributes(types);
    const auto room = writer.integrity_room();
    ASSERT_TRUE(room);
    const Bytes covered(room->covered.begin(), room->covered.end());
    std::memset(room->mac.data(), 0x5a, kIntegritySize);
    writer.fingerprint();
    const size_t size = writer.finish();
    ASSERT_GT(size, 0u);

    const auto message = parse_message({buffer, size});
    ASSERT_TRUE(message);
    EXPECT_EQ(message->message_class, Class::kError);
    EXPECT_EQ(message->method, 0x00bc);
    EXPECT_EQ(message->username, "abcd:efghi");
    EXPECT_EQ(message->software, "atm0s");
    EXPECT_EQ(message->priority, 0x12345678u);
    EXPECT_TRUE(message->use_candidate);
    EXPECT_EQ(message->ice_controlling, 0x0102030405060708u);
    EXPECT_EQ(message->ice_controlled, 0x1122334455667788u);
    EXPECT_EQ(message->xor_mapped_address->to_string(), address);
    EXPECT_EQ(message->error->code, 487);
    EXPECT_EQ(message->error->reason, "Role Conflict");
    EXPECT_EQ(message->find(Attribute::kUnknownAttributes)->size(), 6u);
    EXPECT_EQ(message->fingerprint, Fingerprint::kRight);
    // What the writer gave to be signed is what the reader gives to be verified.
    ASSERT_TRUE(message->integrity);
    const IntegrityCheck& check = *message->integrity;
    ASSERT_EQ(check.head.size() + check.body.size(), covered.size());
    EXPECT_TRUE(std::equal(check.head.begin(), check.head.end(), covered.begin()));
    EXPECT_TRUE(std::equal(check.body.begin(), check.body.end(), covered.begin() + 4));
    EXPECT_EQ(message->integrity->mac[0], 0x5a);
  }
}

TEST(StunMessageWriter, SaysWhenItDidNotFit) {
  uint8_t whole[256];
  const auto write = [&](size_t capacity) {
    MessageWriter writer(MutByteView(whole, capacity), Class::kRequest, sample_id());
    writer.username("abcd:efghi");
    writer.xor_mapped_address(*SocketAddress::parse("[2001:db8::1]:1"));
    writer.integrity_room();
    writer.fingerprint();
    return writer.finish();
  };
  const size_t size = write(sizeof whole);
  ASSERT_GT(size, 0u);
  for (size_t capacity = 0; capacity < size; ++capacity) EXPECT_EQ(write(capacity), 0u);
  EXPECT_EQ(write(size), size);
}

}  // namespace
}  // namespace atm::stun
