#include "core/srtp/receive_context.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/srtp/packet_test.h"
#include "core/srtp/send_context.h"

namespace atm::srtp {
namespace {

constexpr uint32_t kSsrc = 0x01020304;

struct Link {
  explicit Link(SrtpProfile profile = SrtpProfile::kAeadAes128Gcm)
      : key(srtp_key_size(profile), 7),
        salt(srtp_salt_size(profile), 9),
        sender(profile, key, salt),
        receiver(profile, key, salt) {}
  Bytes key, salt;
  SendContext sender;
  ReceiveContext receiver;
  SeededRng rng{5};

  Bytes rtp(uint64_t index, uint32_t ssrc = kSsrc, size_t payload = 20) {
    Bytes out(12 + payload + kRtpOverhead, static_cast<uint8_t>(index));
    out[0] = 0x80;
    store_u16(&out[2], static_cast<uint16_t>(index));
    store_u32(&out[8], ssrc);
    out.resize(sender.protect_rtp(out, 12 + payload, index));
    return out;
  }
  Bytes rtcp(uint32_t ssrc = kSsrc) {
    Bytes out(28 + kRtcpOverhead, 0);
    out[0] = 0x80;
    out[1] = 200;
    store_u32(&out[4], ssrc);
    out.resize(sender.protect_rtcp(out, 28));
    return out;
  }
  bool takes(Bytes packet) { return receiver.unprotect_rtp(packet).has_value(); }
  bool takes_rtcp(Bytes packet) { return receiver.unprotect_rtcp(packet).has_value(); }
};

class ReceiveContextTest : public testing::TestWithParam<SrtpProfile> {};
INSTANTIATE_TEST_SUITE_P(Profiles, ReceiveContextTest,
                         testing::Values(SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAeadAes256Gcm,
                                         SrtpProfile::kAes128CmHmacSha1_80));

TEST_P(ReceiveContextTest, TakesEachPacketOnce) {
  Link link(GetParam());
  const Bytes packet = link.rtp(10);
  EXPECT_TRUE(link.takes(packet));
  EXPECT_FALSE(link.takes(packet));
  EXPECT_EQ(link.receiver.counters().replayed, 1u);
  const Bytes report = link.rtcp();
  EXPECT_TRUE(link.takes_rtcp(report));
  EXPECT_FALSE(link.takes_rtcp(report));
  EXPECT_EQ(link.receiver.counters().replayed, 2u);
}

TEST_P(ReceiveContextTest, TakesReorderedPacketsAcrossTheWrap) {
  Link link(GetParam());
  std::vector<Bytes> packets;
  for (uint64_t index = 65'400; index < 65'700; ++index) packets.push_back(link.rtp(index));
  EXPECT_TRUE(link.takes(packets[0]));
  // Each window of 30 packets arrives backwards, three times over.
  size_t taken = 1;
  for (size_t at = 0; at < packets.size(); at += 30) {
    for (int times = 0; times < 3; ++times) {
      for (size_t i = at + 30; i-- > at;) taken += link.takes(packets[i]);
    }
  }
  EXPECT_EQ(taken, packets.size());
  EXPECT_EQ(link.receiver.counters().bad_tag, 0u);
}

TEST_P(ReceiveContextTest, TakesAPacketOfTheRoundBefore) {
  Link link(GetParam());
  EXPECT_TRUE(link.takes(link.rtp(65'530)));
  EXPECT_TRUE(link.takes(link.rtp(65'536 + 10)));
  EXPECT_TRUE(link.takes(link.rtp(65'535)));
  EXPECT_TRUE(link.takes(link.rtp(65'536)));
}

TEST_P(ReceiveContextTest, FollowsManyRounds) {
  Link link(GetParam());
  for (uint64_t index = 100; index < 65'536 * 5; index += 20'000) EXPECT_TRUE(link.takes(link.rtp(index))) << index;
}

TEST_P(ReceiveContextTest, RefusesWhatIsOlderThanTheWindow) {
  Link link(GetParam());
  const Bytes edge = link.rtp(100), old = link.rtp(99);
  EXPECT_TRUE(link.takes(link.rtp(99 + ReplayWindow::kSize)));
  EXPECT_TRUE(link.takes(edge));
  EXPECT_FALSE(link.takes(old));
  EXPECT_EQ(link.receiver.counters().replayed, 1u);
}

// A forged packet must not move the window or the rollover counter, nor make state for its SSRC.
TEST_P(ReceiveContextTest, ForgedPacketsLeaveNoTrace) {
  Link link(GetParam());
  EXPECT_TRUE(link.takes(link.rtp(60'000)));
  Bytes forged = link.rtp(65'536 + 20'000);
  forged.back() ^= 1;
  EXPECT_FALSE(link.takes(forged));
  EXPECT_TRUE(link.takes(link.rtp(60'001)));
  for (uint32_t ssrc = 1; ssrc <= 2 * ReceiveContext::kMaxSsrcs; ++ssrc) {
    Bytes packet = link.rtp(1, ssrc);
    packet.back() ^= 1;
    EXPECT_FALSE(link.takes(packet));
    Bytes report = link.rtcp(ssrc);
    report[20] ^= 1;
    EXPECT_FALSE(link.takes_rtcp(report));
  }
  EXPECT_EQ(link.receiver.counters().too_many_ssrcs, 0u);
  EXPECT_TRUE(link.takes(link.rtp(1, 70'000)));
}

TEST_P(ReceiveContextTest, RefusesMoreSsrcsThanItsLimit) {
  Link link(GetParam());
  for (uint32_t ssrc = 0; ssrc < ReceiveContext::kMaxSsrcs; ++ssrc) {
    EXPECT_TRUE(link.takes(link.rtp(1, ssrc)));
    EXPECT_TRUE(link.takes_rtcp(link.rtcp(ssrc)));
  }
  EXPECT_FALSE(link.takes(link.rtp(1, 5'000)));
  EXPECT_FALSE(link.takes_rtcp(link.rtcp(5'000)));
  EXPECT_EQ(link.receiver.counters().too_many_ssrcs, 2u);
  EXPECT_TRUE(link.takes(link.rtp(2, 0)));
}

TEST_P(ReceiveContextTest, RefusesEveryFlippedBit) {
  Link link(GetParam());
  const Bytes packet = link.rtp(7);
  const Bytes report = link.rtcp();
  for (size_t bit = 0; bit < packet.size() * 8; ++bit) {
    Bytes flipped = packet;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(link.takes(flipped)) << "RTP bit " << bit;
  }
  for (size_t bit = 0; bit < report.size() * 8; ++bit) {
    Bytes flipped = report;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(link.takes_rtcp(flipped)) << "RTCP bit " << bit;
  }
  EXPECT_TRUE(link.takes(packet));
  EXPECT_TRUE(link.takes_rtcp(report));
}

TEST_P(ReceiveContextTest, EveryLengthIsSafe) {
  Link link(GetParam());
  const Bytes packet = link.rtp(7, kSsrc, 60), report = link.rtcp();
  for (size_t size = 0; size <= 40; ++size) {
    for (const int fill : {0x00, 0x80, 0x8f, 0x90, 0x9f, 0xff}) {
      Bytes bytes(size, static_cast<uint8_t>(fill));
      EXPECT_FALSE(link.takes(bytes));
      EXPECT_FALSE(link.takes_rtcp(bytes));
    }
    EXPECT_FALSE(link.takes(Bytes(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size))));
    EXPECT_FALSE(link.takes_rtcp(Bytes(report.begin(), report.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  EXPECT_GT(link.receiver.counters().malformed, 0u);
}

TEST_P(ReceiveContextTest, TakesPacketsWithoutPayload) {
  Link link(GetParam());
  EXPECT_TRUE(link.takes(link.rtp(3, kSsrc, 0)));
  Bytes report(8 + kRtcpOverhead, 0);
  report[0] = 0x80;
  report[1] = 201;
  report.resize(link.sender.protect_rtcp(report, 8));
  EXPECT_TRUE(link.takes_rtcp(report));
}

// RFC 3711 3.4: E = 0 means "not encrypted"; a flag that somebody has cleared is refused before any work.
TEST_P(ReceiveContextTest, RefusesRtcpWhoseEncryptedFlagWasCleared) {
  Link link(GetParam());
  Bytes report = link.rtcp();
  const size_t word = report.size() - (GetParam() == SrtpProfile::kAes128CmHmacSha1_80 ? 14 : 4);
  ASSERT_TRUE(report[word] & 0x80);
  report[word] &= 0x7f;
  EXPECT_FALSE(link.takes_rtcp(report));
  EXPECT_EQ(link.receiver.counters().malformed, 1u);
}

// RFC 7714 9.3 in its unencrypted form, made here with the right key: authentic, and still refused.
TEST(ReceiveContext, RefusesUnencryptedRtcp) {
  Link link;
  const SessionKeys keys = derive_session_keys(SrtpProfile::kAeadAes128Gcm, link.key, link.salt);
  Aead aead(keys.rtcp_key, Aead::Direction::kSeal);
  Nonce salt;
  std::copy(keys.rtcp_salt.begin(), keys.rtcp_salt.end(), salt.begin());
  Bytes report(28 + kRtcpOverhead, 0);
  report[0] = 0x80;
  report[1] = 200;
  store_u32(&report[4], kSsrc);
  aead.seal(rtcp_nonce(salt, kSsrc, 0), ByteView(report).first(28), ByteView(report).last(4), {}, &report[28]);
  EXPECT_FALSE(link.takes_rtcp(report));
  EXPECT_EQ(link.receiver.counters().malformed, 1u);
}

TEST(SendContext, RefusesWhatHasNoRoomOrNoHeader) {
  Link link;
  Bytes buffer(12 + kRtpOverhead, 0);
  buffer[0] = 0x80;
  EXPECT_EQ(link.sender.protect_rtp(MutByteView(buffer).first(27), 12, 0), 0u);
  EXPECT_EQ(link.sender.protect_rtp(buffer, 11, 0), 0u);
  EXPECT_EQ(link.sender.protect_rtp(buffer, 29, 0), 0u);
  buffer[0] = 0x81;  // a CSRC that is not there
  EXPECT_EQ(link.sender.protect_rtp(buffer, 12, 0), 0u);
  Bytes report(8 + kRtcpOverhead, 0);
  EXPECT_EQ(link.sender.protect_rtcp(MutByteView(report).first(27), 8), 0u);
  EXPECT_EQ(link.sender.protect_rtcp(report, 7), 0u);
}

TEST(SendContext, SamePacketAgainGivesTheSameBytes) {
  Link link;
  EXPECT_EQ(link.rtp(5), link.rtp(5));
}

TEST(SendContextDeathTest, AbortsOnAnIndexThatIsNotThePackets) {
  Link link;
  Bytes buffer(12 + kRtpOverhead, 0);
  buffer[0] = 0x80;
  EXPECT_DEATH(link.sender.protect_rtp(buffer, 12, 1), "ASSERT");
}

#ifndef NDEBUG
TEST(SendContextDeathTest, AbortsOnASecondContentUnderOneIndex) {
  Link link;
  link.rtp(5, kSsrc, 20);
  EXPECT_DEATH(link.rtp(5, kSsrc, 21), "ASSERT");
}
#endif

TEST(ReplayWindow, AgreesWithASetOfAllThatWasSeen) {
  SeededRng rng(3);
  ReplayWindow window;
  std::set<uint64_t> seen;
  uint64_t centre = 5'000;
  for (int i = 0; i < 50'000; ++i) {
    centre += rng.below(100) == 0 ? rng.below(3'000) : rng.below(3);
    const uint64_t index = centre - rng.below(1'500);
    const bool too_old = !seen.empty() && *seen.rbegin() >= index + ReplayWindow::kSize;
    const bool expected = !too_old && !seen.contains(index);
    ASSERT_EQ(window.is_new(index), expected) << i;
    if (expected) {
      window.mark(index);
      seen.insert(index);
    }
  }
}

TEST(ReplayWindow, EstimatesTheNearestIndex) {
  ReplayWindow window;
  EXPECT_EQ(window.estimate_index(65'000), 65'000u);
  window.mark(5);
  EXPECT_EQ(window.estimate_index(65'000), 65'000u);  // there is no round before the first
  window.mark((3u << 16) + 10);
  EXPECT_EQ(window.estimate_index(11), (3u << 16) + 11);
  EXPECT_EQ(window.estimate_index(65'535), (2u << 16) + 65'535);
  EXPECT_EQ(window.estimate_index(32'778), (3u << 16) + 32'778);
  EXPECT_EQ(window.estimate_index(32'779), (2u << 16) + 32'779);
  window.mark((3u << 16) + 65'000);
  EXPECT_EQ(window.estimate_index(0), 4u << 16);
  EXPECT_EQ(window.estimate_index(40'000), (3u << 16) + 40'000);
}

}  // namespace
}  // namespace atm::srtp
