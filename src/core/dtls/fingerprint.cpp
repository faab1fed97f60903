#include "core/dtls/fingerprint.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace atm::dtls {
namespace {

struct Function {
  std::string_view sdp_name;
  const char* evp_name;
  size_t size;
};

// RFC 8122 5 registers MD2 and MD5 too, and forbids to use them.
constexpr Function kFunctions[] = {
    {"sha-256", "SHA256", 32}, {"sha-384", "SHA384", 48}, {"sha-512", "SHA512", 64},
    {"sha-224", "SHA224", 28}, {"sha-1", "SHA1", 20},
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

}  // namespace

bool Fingerprint::matches(const x509_st* certificate) const {
  const EVP_MD* function = EVP_get_digestbyname(digest_name);
  uint8_t actual[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!certificate || !function || X509_digest(certificate, function, actual, &size) != 1) return false;
  return size == digest.size() && CRYPTO_memcmp(actual, digest.data(), size) == 0;
}

std::optional<Fingerprint> parse_fingerprint(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(0, space);
  const std::string_view hex = text.substr(space + 1);
  for (const Function& function : kFunctions) {
    if (!equals_ignoring_case(name, function.sdp_name)) continue;
    if (hex.size() != function.size * 3 - 1) return std::nullopt;
    Fingerprint out{function.evp_name, Bytes(function.size)};
    for (size_t i = 0; i < function.size; ++i) {
      const int high = nibble(hex[i * 3]);
      const int low = nibble(hex[i * 3 + 1]);
      if (high < 0 || low < 0 || (i > 0 && hex[i * 3 - 1] != ':')) return std::nullopt;
      out.digest[i] = static_cast<uint8_t>(high << 4 | low);
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace atm::dtls
