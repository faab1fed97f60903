#include "core/ice/integrity.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "wire/stun/rfc5769.h"

namespace atm::ice {
namespace {

using namespace stun::rfc5769;

TEST(Integrity, AgreesWithTheSamplesOfRfc5769) {
  const Integrity integrity(kPassword);
  const Integrity wrong("VOkJxbRl1RmTxUk/WvJxBu");
  for (const ByteView sample : {ByteView(kRequest), ByteView(kResponseV4), ByteView(kResponseV6)}) {
    const auto message = stun::parse_message(sample);
    ASSERT_TRUE(message);
    EXPECT_TRUE(integrity.verifies(*message));
    EXPECT_FALSE(wrong.verifies(*message));
  }
}

TEST(Integrity, AgreesWithTheLongTermSampleOfRfc5769) {
  unsigned char key[16];
  const std::string_view input = "マトリックス:example.org:TheMatrIX";
  ASSERT_EQ(EVP_Digest(input.data(), input.size(), key, nullptr, EVP_md5(), nullptr), 1);
  const auto message = stun::parse_message(kLongTermRequest);
  ASSERT_TRUE(message);
  EXPECT_TRUE(Integrity(as_text(key)).verifies(*message));
}

TEST(Integrity, EveryCoveredByteCounts) {
  const Integrity integrity(kPassword);
  for (size_t at = 0; at < sizeof kRequest - 8; ++at) {  // all but FINGERPRINT
    Bytes changed(kRequest, kRequest + sizeof kRequest);
    changed[at] ^= 0x04;
    const auto message = stun::parse_message(changed);
    EXPECT_TRUE(!message || !integrity.verifies(*message)) << at;
  }
}

TEST(Integrity, IsNotThereWithoutTheAttribute) {
  uint8_t buffer[64];
  stun::MessageWriter writer(buffer, stun::Class::kSuccess, {});
  writer.fingerprint();
  const auto message = stun::parse_message({buffer, writer.finish()});
  ASSERT_TRUE(message);
  EXPECT_FALSE(Integrity(kPassword).verifies(*message));
}

TEST(Integrity, SignsWhatItVerifies) {
  const Integrity integrity("a password");
  uint8_t buffer[128];
  stun::MessageWriter writer(buffer, stun::Class::kRequest, {});
  writer.username("a:b");
  const auto room = writer.integrity_room();
  ASSERT_TRUE(room);
  integrity.sign(*room);
  writer.fingerprint();
  const auto message = stun::parse_message({buffer, writer.finish()});
  ASSERT_TRUE(message);
  EXPECT_TRUE(integrity.verifies(*message));
  EXPECT_TRUE(integrity.verifies(*message));  // its context is reused
  EXPECT_FALSE(Integrity("another").verifies(*message));
}

}  // namespace
}  // namespace atm::ice
