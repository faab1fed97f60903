#include "core/dtls/certificate.h"

#include <gtest/gtest.h>

#include "core/dtls/fingerprint.h"
#include "core/dtls/virtual_openssl_test.h"

namespace atm::dtls {
namespace {

constexpr Now kNow{Instant{1s}, WallTime{1'790'000'000s}};

TEST(Certificate, FingerprintIsThatOfTheCertificate) {
  SeededRng rng(1);
  VirtualOpenssl openssl(rng);
  const Certificate certificate = Certificate::make(kNow, rng);
  EXPECT_EQ(certificate.fingerprint().size(), 32 * 3 - 1u);
  const auto fingerprint = parse_fingerprint("sha-256 " + certificate.fingerprint());
  ASSERT_TRUE(fingerprint);
  EXPECT_TRUE(fingerprint->matches(certificate.x509()));
  EXPECT_FALSE(fingerprint->matches(Certificate::make(kNow, rng).x509()));
  EXPECT_FALSE(fingerprint->matches(nullptr));
}

TEST(Certificate, SameSeedAndTimeGiveTheSameCertificate) {
  const auto make = [](uint64_t seed, Now now) {
    SeededRng rng(seed);
    VirtualOpenssl openssl(rng);
    return Certificate::make(now, rng).fingerprint();
  };
  EXPECT_EQ(make(1, kNow), make(1, kNow));
  EXPECT_NE(make(1, kNow), make(2, kNow));
  EXPECT_NE(make(1, kNow), make(1, {kNow.mono, kNow.wall + 1s}));
}

TEST(Fingerprint, AcceptsTheFunctionsOfRfc8122InEitherCase) {
  const auto text = [](std::string name, size_t size) {
    std::string out = std::move(name) + " ";
    for (size_t i = 0; i < size; ++i) out += i ? ":aB" : "aB";
    return out;
  };
  EXPECT_TRUE(parse_fingerprint(text("sha-256", 32)));
  EXPECT_TRUE(parse_fingerprint(text("SHA-256", 32)));
  EXPECT_TRUE(parse_fingerprint(text("sha-1", 20)));
  EXPECT_TRUE(parse_fingerprint(text("sha-384", 48)));
  EXPECT_TRUE(parse_fingerprint(text("sha-512", 64)));
  EXPECT_EQ(parse_fingerprint(text("sha-256", 32))->digest, Bytes(32, 0xab));
  EXPECT_FALSE(parse_fingerprint(text("sha-256", 31)));
  EXPECT_FALSE(parse_fingerprint(text("sha-256", 33)));
  EXPECT_FALSE(parse_fingerprint(text("md5", 16)));
  EXPECT_FALSE(parse_fingerprint(""));
  EXPECT_FALSE(parse_fingerprint("sha-256"));
  EXPECT_FALSE(parse_fingerprint("sha-256 "));
  std::string dashes = text("sha-256", 32);
  dashes[10] = '-';
  EXPECT_FALSE(parse_fingerprint(dashes));
  std::string not_hex = text("sha-256", 32);
  not_hex[8] = 'g';
  EXPECT_FALSE(parse_fingerprint(not_hex));
}

}  // namespace
}  // namespace atm::dtls
