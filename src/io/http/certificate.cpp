#include "io/http/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "base/address.h"

namespace atm::io {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* p) const {
    kFree(p);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Cert = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kInvalidConfig, "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

bool add_extension(X509* cert, int id, const std::string& value) {
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str()));
  return extension && X509_add_ext(cert, extension.get(), -1) == 1;
}

std::string alternative_names(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ",";
    out += (IpAddress::parse(name) ? "IP:" : "DNS:") + name;
  }
  return out;
}

bool fill(X509* cert, EVP_PKEY* key, std::span<const std::string> names) {
  constexpr long kDay = 24 * 60 * 60;
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) != 1) return false;
  X509_NAME* subject = X509_get_subject_name(cert);
  const auto* name = reinterpret_cast<const unsigned char*>("atm0s-server (self-signed)");
  return X509_set_version(cert, X509_VERSION_3) == 1 &&
         // RFC 5280 4.1.2.2: positive, at most 20 octets; the shift keeps the sign bit clear.
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) == 1 &&
         // An hour ago: the clocks of the server and of a phone differ.
         X509_gmtime_adj(X509_getm_notBefore(cert), -60 * 60) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(cert), 365 * kDay) != nullptr && X509_set_pubkey(cert, key) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(cert, subject) == 1 && add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(cert, NID_ext_key_usage, "serverAuth") &&
         add_extension(cert, NID_subject_alt_name, alternative_names(names)) && X509_sign(cert, key, EVP_sha256()) > 0;
}

}  // namespace

Result<TlsPem> load_certificate(const std::string& certificate_path, const std::string& key_path) {
  TRY(certificate, read_file(certificate_path));
  TRY(key, read_file(key_path));
  const Bio certificate_bio(BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
  const Bio key_bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const Cert cert(PEM_read_bio_X509(certificate_bio.get(), nullptr, no_passphrase, nullptr));
  if (!cert) return fail(ErrorCode::kInvalidConfig, certificate_path + " holds no PEM certificate");
  const Key private_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr));
  if (!private_key) return fail(ErrorCode::kInvalidConfig, key_path + " holds no PEM key without a passphrase");
  if (X509_check_private_key(cert.get(), private_key.get()) != 1) {
    return fail(ErrorCode::kInvalidConfig, key_path + " is not the key of " + certificate_path);
  }
  return TlsPem{std::move(certificate), std::move(key)};
}

Result<TlsPem> make_self_signed(std::span<const std::string> names) {
  const Key key(EVP_EC_gen("P-256"));
  const Cert cert(X509_new());
  const Bio certificate_bio(BIO_new(BIO_s_mem()));
  const Bio key_bio(BIO_new(BIO_s_mem()));
  if (!key || !cert || !certificate_bio || !key_bio || !fill(cert.get(), key.get(), names) ||
      PEM_write_bio_X509(certificate_bio.get(), cert.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(ErrorCode::kServerError, "cannot make a self-signed certificate");
  }
  return TlsPem{text_of(certificate_bio), text_of(key_bio)};
}

}  // namespace atm::io
