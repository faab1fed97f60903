// The test vectors of RFC 3711 appendix B.3 and of RFC 7714 16 and 17.
#include <gtest/gtest.h>

#include "core/srtp/key_derivation.h"
#include "core/srtp/packet_test.h"
#include "core/srtp/receive_context.h"
#include "core/srtp/send_context.h"

namespace atm::srtp {
namespace {

TEST(KeyDerivation, Rfc3711AppendixB3) {
  const Bytes key = from_hex("E1F97A0D3E018BE0D64FA32C06DE4139");
  const Bytes salt = from_hex("0EC675AD498AFEEBB6960B3AABE6");
  EXPECT_EQ(derive_key(key, salt, KeyLabel::kRtpEncryption, 16), from_hex("C61E7A93744F39EE10734AFE3FF7A087"));
  EXPECT_EQ(derive_key(key, salt, KeyLabel::kRtpSalt, 14), from_hex("30CBBC08863D8C85D49DB34A9AE1"));
  EXPECT_EQ(derive_key(key, salt, KeyLabel::kRtpAuthentication, 94),
            from_hex("CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE"
                     "E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25"
                     "6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2"));
}

constexpr char kSalt[] = "51756964 2070726f 2071756f";
constexpr char kKey128[] = "00010203 04050607 08090a0b 0c0d0e0f";
constexpr char kKey256[] = "00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f";

SessionKeys session_keys(const char* key) {
  return {from_hex(key), from_hex(kSalt), from_hex(key), from_hex(kSalt)};
}

constexpr char kRtp[] =
    "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573";
constexpr char kRtp128[] =
    "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833"
    "899d7f27 beb16a91 52cf765e e4390cce";
constexpr char kRtp256[] =
    "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b"
    "7aa3db36 dfffd6b0 f9bb7878 d7a76c13";
constexpr char kRtcp[] =
    "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef"
    "deadbeef";
constexpr char kRtcp128[] =
    "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded"
    "0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4";
constexpr uint32_t kRtcpIndex = 0x5d4;

void expect_rtp(const char* key, const char* expected) {
  Bytes buffer = from_hex(kRtp);
  const size_t size = buffer.size();
  buffer.resize(size + kRtpOverhead);
  SendContext sender(session_keys(key));
  ASSERT_EQ(sender.protect_rtp(buffer, size, 0xf17b), buffer.size());
  EXPECT_EQ(buffer, from_hex(expected));
  ReceiveContext receiver(session_keys(key));
  const auto plain = receiver.unprotect_rtp(buffer);
  ASSERT_TRUE(plain);
  EXPECT_EQ(Bytes(plain->begin(), plain->end()), from_hex(kRtp));
}

TEST(Vectors, Rfc7714RtpAes128) {
  expect_rtp(kKey128, kRtp128);
}
TEST(Vectors, Rfc7714RtpAes256) {
  expect_rtp(kKey256, kRtp256);
}

TEST(Vectors, Rfc7714RtcpAes128) {
  SendContext sender(session_keys(kKey128));
  const size_t size = from_hex(kRtcp).size();
  Bytes buffer;
  for (uint32_t i = 0; i <= kRtcpIndex; ++i) {
    buffer = from_hex(kRtcp);
    buffer.resize(size + kRtcpOverhead);
    ASSERT_EQ(sender.protect_rtcp(buffer, size), buffer.size());
  }
  EXPECT_EQ(buffer, from_hex(kRtcp128));
  ReceiveContext receiver(session_keys(kKey128));
  const auto plain = receiver.unprotect_rtcp(buffer);
  ASSERT_TRUE(plain);
  EXPECT_EQ(Bytes(plain->begin(), plain->end()), from_hex(kRtcp));
}

}  // namespace
}  // namespace atm::srtp
