#include "core/dtls/certificate.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/assert.h"

namespace atm::dtls {
namespace {

// Peers trust the fingerprint and not the dates; a day back forgives a clock that is behind, a year on outlives a
// worker.
constexpr int64_t kValidBeforeSeconds = 24 * 3600;
constexpr int64_t kValidAfterSeconds = 365 * 24 * 3600;
constexpr size_t kSerialBytes = 16;  // RFC 5280 4.1.2.2 allows 20

std::string sha256_text(const X509* x509) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ASSERT(X509_digest(x509, EVP_sha256(), digest, &size) == 1);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    if (i > 0) out.push_back(':');
    out.push_back(kDigits[digest[i] >> 4]);
    out.push_back(kDigits[digest[i] & 15]);
  }
  return out;
}

}  // namespace

// The only failure below is lack of memory or a broken OpenSSL: nothing a peer can cause, hence ASSERT.
Certificate Certificate::make(Now now, Rng& rng) {
  Certificate out;
  out.key_ = std::shared_ptr<EVP_PKEY>(EVP_EC_gen("P-256"), EVP_PKEY_free);
  out.x509_ = std::shared_ptr<X509>(X509_new(), X509_free);
  ASSERT(out.key_ && out.x509_);
  X509* x509 = out.x509_.get();

  uint8_t serial[kSerialBytes];
  rng.fill(serial);
  serial[0] = static_cast<uint8_t>((serial[0] & 0x7f) | 0x40);  // RFC 5280 4.1.2.2: positive; and always of one length
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  ASSERT(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)));
  BN_free(number);

  const int64_t seconds = unix_seconds(now.wall);
  X509_NAME* name = X509_get_subject_name(x509);
  static constexpr uint8_t kCommonName[] = "atm0s";  // says nothing about the host: RFC 8827 9.1 asks for no identity
  ASSERT(X509_set_version(x509, X509_VERSION_3) == 1);
  ASSERT(ASN1_TIME_set(X509_getm_notBefore(x509), seconds - kValidBeforeSeconds));
  ASSERT(ASN1_TIME_set(X509_getm_notAfter(x509), seconds + kValidAfterSeconds));
  ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kCommonName, sizeof kCommonName - 1, -1, 0) == 1);
  ASSERT(X509_set_issuer_name(x509, name) == 1);
  ASSERT(X509_set_pubkey(x509, out.key_.get()) == 1);
  ASSERT(X509_sign(x509, out.key_.get(), EVP_sha256()) > 0);
  out.fingerprint_ = sha256_text(x509);
  return out;
}

}  // namespace atm::dtls
