// For tests: an authority that signs certificates for the names and the days that a test wants.
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>

#include "base/assert.h"
#include "io/http/certificate.h"

namespace atm::io {

class TestAuthority {
 public:
  explicit TestAuthority(const char* name = "atm0s test authority")
      : key_(EVP_EC_gen("P-256")), cert_(make(name, key_)) {
    add(cert_, NID_basic_constraints, "critical,CA:TRUE");
    ASSERT(X509_sign(cert_, key_, EVP_sha256()) > 0);
    pem = text([this](BIO* bio) { return PEM_write_bio_X509(bio, cert_); });
  }
  ~TestAuthority() {
    X509_free(cert_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // `names` as OpenSSL has them: "DNS:a.example,IP:127.0.0.1"; valid until so many days from now.
  TlsPem issue(const std::string& names, int days = 1) const {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = make("leaf", key, days);
    ASSERT(X509_set_issuer_name(cert, X509_get_subject_name(cert_)) == 1);
    add(cert, NID_subject_alt_name, names.c_str());
    ASSERT(X509_sign(cert, key_, EVP_sha256()) > 0);
    TlsPem out{text([&](BIO* bio) { return PEM_write_bio_X509(bio, cert); }), text([&](BIO* bio) {
                 return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
               })};
    X509_free(cert);
    EVP_PKEY_free(key);
    return out;
  }

  std::string pem;  // what a client is told to trust

 private:
  static X509* make(const char* name, EVP_PKEY* key, int days = 1) {
    constexpr long kDay = 24 * 60 * 60;
    X509* cert = X509_new();
    X509_NAME* subject = X509_get_subject_name(cert);
    const auto* bytes = reinterpret_cast<const unsigned char*>(name);
    ASSERT(X509_set_version(cert, X509_VERSION_3) == 1 && X509_set_pubkey(cert, key) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -10 * kDay) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(cert), days * kDay) != nullptr &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, bytes, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, subject) == 1);
    return cert;
  }
  static void add(X509* cert, int id, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    ASSERT(extension != nullptr && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }
  template <typename Write>
  static std::string text(Write write) {
    BIO* bio = BIO_new(BIO_s_mem());
    ASSERT(write(bio) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    const std::string out(data, static_cast<size_t>(size));
    BIO_free(bio);
    return out;
  }

  EVP_PKEY* key_;
  X509* cert_;
};

}  // namespace atm::io
