#include "io/http/certificate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace atm::io {
namespace {

class CertificateTest : public ::testing::Test {
 protected:
  CertificateTest() {
    const std::string name = "atm0s_certificate_test_" + std::to_string(getpid());
    folder_ = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directory(folder_);
  }
  ~CertificateTest() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& text) {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }
  std::filesystem::path folder_;
};

TEST_F(CertificateTest, FilesMustBeThereAndFitTogether) {
  const std::string names[] = {"localhost"};
  const auto one = make_self_signed(names);
  const auto two = make_self_signed(names);
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->key, two->key);
  const std::string certificate = file("one.pem", one->certificate);
  const std::string key = file("one.key", one->key);
  const auto loaded = load_certificate(certificate, key);
  ASSERT_TRUE(loaded) << loaded.error().why;
  EXPECT_EQ(loaded->certificate, one->certificate);

  const auto why = [](const Result<TlsPem>& result) { return result ? "loaded" : result.error().why; };
  const std::string other = file("two.key", two->key);
  EXPECT_EQ(why(load_certificate(certificate, other)), other + " is not the key of " + certificate);
  EXPECT_EQ(why(load_certificate(folder_ / "no.pem", key)), "cannot read " + std::string(folder_ / "no.pem"));
  EXPECT_EQ(why(load_certificate(key, key)), key + " holds no PEM certificate");
  EXPECT_EQ(why(load_certificate(certificate, certificate)), certificate + " holds no PEM key without a passphrase");
}

}  // namespace
}  // namespace atm::io
