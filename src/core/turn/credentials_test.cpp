#include "core/turn/credentials.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "wire/stun/rfc5769.h"

namespace atm::turn {
namespace {

using stun::Attribute;

// 2.4 of RFC 5769, and B.1 of RFC 8489 as its erratum 6268 has it: the same user, realm and password.
constexpr std::string_view kUser = "マトリックス", kRealm = "example.org", kPassword = "TheMatrIX";

Bytes challenge(std::string_view nonce, std::optional<Bytes> algorithms = {}, std::string_view realm = kRealm) {
  Bytes out(512);
  stun::MessageWriter writer(out, stun::Class::kError, {}, stun::kAllocate);
  writer.error(401, "");
  if (!realm.empty()) writer.text(Attribute::kRealm, realm);
  writer.text(Attribute::kNonce, nonce);
  if (algorithms) writer.bytes(Attribute::kPasswordAlgorithms, *algorithms);
  out.resize(writer.finish());
  return out;
}
bool take(Credentials& credentials, const Bytes& bytes) {
  return credentials.on_challenge(*stun::parse_message(bytes));
}
Bytes signed_request(const Credentials& credentials) {
  Bytes out(512);
  stun::MessageWriter writer(out, stun::Class::kRequest, {}, stun::kAllocate);
  credentials.sign(writer);
  out.resize(writer.finish());
  return out;
}
const Bytes kBoth{0, 2, 0, 0, 0, 1, 0, 0};
const Bytes kMd5Alone{0, 1, 0, 0};
const Bytes kUnknown{0, 9, 0, 3, 1, 2, 3, 0};

TEST(Credentials, VerifyTheLongTermSampleOfRfc5769) {
  Credentials credentials{std::string(kUser), std::string(kPassword)};
  ASSERT_TRUE(take(credentials, challenge("f//499k954d6OL34oL9FSTvy64sA")));
  EXPECT_TRUE(credentials.verifies(*stun::parse_message(stun::rfc5769::kLongTermRequest)));
  Credentials wrong{std::string(kUser), "TheMatrix"};
  ASSERT_TRUE(take(wrong, challenge("f//499k954d6OL34oL9FSTvy64sA")));
  EXPECT_FALSE(wrong.verifies(*stun::parse_message(stun::rfc5769::kLongTermRequest)));
}

TEST(Credentials, WriteTheLongTermSampleOfRfc5769) {
  Credentials credentials{std::string(kUser), std::string(kPassword)};
  ASSERT_TRUE(take(credentials, challenge("f//499k954d6OL34oL9FSTvy64sA")));
  const auto sample = *stun::parse_message(stun::rfc5769::kLongTermRequest);
  // The order of attributes is another one there, so it is parsed again and not compared as bytes.
  const Bytes bytes = signed_request(credentials);
  const auto ours = *stun::parse_message(bytes);
  EXPECT_EQ(ours.username, sample.username);
  EXPECT_EQ(as_text(*ours.find(Attribute::kRealm)), as_text(*sample.find(Attribute::kRealm)));
  EXPECT_EQ(as_text(*ours.find(Attribute::kNonce)), as_text(*sample.find(Attribute::kNonce)));
  EXPECT_TRUE(credentials.verifies(ours));
}

TEST(Credentials, VerifyTheSha256SampleOfRfc8489) {
  Credentials credentials{std::string(kUser), std::string(kPassword)};
  ASSERT_TRUE(take(credentials, challenge("obMatJos2AAABf//499k954d6OL34oL9FSTvy64sA", kBoth)));
  const auto sample = stun::parse_message(stun::rfc5769::kSha256Request);
  ASSERT_TRUE(sample && sample->integrity_sha256 && !sample->integrity);
  EXPECT_TRUE(credentials.verifies(*sample));
  for (size_t at = 0; at < sizeof stun::rfc5769::kSha256Request; ++at) {
    Bytes changed(std::begin(stun::rfc5769::kSha256Request), std::end(stun::rfc5769::kSha256Request));
    changed[at] ^= 0x04;
    const auto message = stun::parse_message(changed);
    EXPECT_TRUE(!message || !credentials.verifies(*message)) << at;
  }
}

TEST(Credentials, TakeTheFirstAlgorithmThatTheyKnow) {
  const std::string nonce = "obMatJos2AAABx";
  Credentials credentials{"ann", "secret"};
  ASSERT_TRUE(take(credentials, challenge(nonce, kBoth)));
  Bytes request = signed_request(credentials);
  EXPECT_TRUE(stun::parse_message(request)->integrity_sha256);
  EXPECT_EQ(load_u32(stun::parse_message(request)->find(Attribute::kPasswordAlgorithm)->data()), 0x0002'0000u);
  ASSERT_TRUE(take(credentials, challenge(nonce, kMd5Alone)));
  request = signed_request(credentials);
  EXPECT_TRUE(stun::parse_message(request)->integrity);
  EXPECT_EQ(load_u32(stun::parse_message(request)->find(Attribute::kPasswordAlgorithm)->data()), 0x0001'0000u);
}

TEST(Credentials, AreNotToBeTalkedDown) {
  Credentials credentials{"ann", "secret"};
  // RFC 8489 9.2.5: the nonce says that there are algorithms.
  EXPECT_FALSE(take(credentials, challenge("obMatJos2AAABx")));
  EXPECT_FALSE(take(credentials, challenge("obMatJos2AAABx", kUnknown)));
  EXPECT_FALSE(take(credentials, challenge("obMatJos2AAABx", Bytes{0, 2, 0, 200})));
  // Without the bit, or a cookie, they count for nothing.
  EXPECT_TRUE(take(credentials, challenge("obMatJos2AAAAx", kBoth)));
  EXPECT_TRUE(stun::parse_message(signed_request(credentials))->integrity);
  EXPECT_TRUE(take(credentials, challenge("obMatJos2", kBoth)));
  EXPECT_TRUE(take(credentials, challenge("plain", kBoth)));
  EXPECT_TRUE(stun::parse_message(signed_request(credentials))->integrity);
}

TEST(Credentials, KeepTheirRealmWhenAStaleNonceNamesNone) {
  Credentials credentials{"ann", "secret"};
  EXPECT_FALSE(take(credentials, challenge("one", {}, "")));
  EXPECT_FALSE(credentials.is_challenged());
  EXPECT_TRUE(take(credentials, challenge("one")));
  EXPECT_TRUE(take(credentials, challenge("two", {}, "")));
  const Bytes request = signed_request(credentials);
  EXPECT_EQ(as_text(*stun::parse_message(request)->find(Attribute::kNonce)), "two");
  EXPECT_EQ(as_text(*stun::parse_message(request)->find(Attribute::kRealm)), kRealm);
}

}  // namespace
}  // namespace atm::turn
