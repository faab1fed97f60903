#include "control/token/jws.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "control/token/base64url.h"

namespace atm::token {
namespace {

// {"alg":"HS256","typ":"JWT"}
constexpr std::string_view kHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  ASSERT(done != nullptr && size == out.size());
  return out;
}

// A header is short and flat; the parser below must not be fed more than that by someone without the secret.
constexpr size_t kMaxHeaderBytes = 512;

bool is_pinned_header(std::string_view text) {
  if (text.size() > kMaxHeaderBytes) return false;
  const auto header = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) return false;
  // RFC 7515 4.1.1: case-sensitive. "none", RS256 (a public key taken for a secret), HS384: all refused alike.
  const auto alg = header.find("alg");
  if (alg == header.end() || *alg != "HS256") return false;
  const auto typ = header.find("typ");
  if (typ != header.end() && *typ != "JWT" && *typ != "jwt") return false;
  // RFC 7515 4.1.11: extensions that must be understood; we understand none.
  return !header.contains("crit");
}

}  // namespace

std::string write_jws(std::string_view payload, std::string_view secret) {
  std::string out = std::string(kHeader) + "." + write_base64url(payload);
  out += "." + write_base64url(hmac_sha256(secret, out));
  return out;
}

std::optional<std::string> open_jws(std::string_view jws, std::string_view secret) {
  if (jws.size() > kMaxTokenBytes) return std::nullopt;
  const size_t first = jws.find('.');
  const size_t last = jws.rfind('.');
  if (first == std::string_view::npos || first == last || jws.find('.', first + 1) != last) return std::nullopt;

  const auto header = parse_base64url(jws.substr(0, first));
  const auto payload = parse_base64url(jws.substr(first + 1, last - first - 1));
  const auto signature = parse_base64url(jws.substr(last + 1));
  if (!header || !payload || !signature || !is_pinned_header(*header)) return std::nullopt;

  const std::string expected = hmac_sha256(secret, jws.substr(0, last));
  if (signature->size() != expected.size() || CRYPTO_memcmp(signature->data(), expected.data(), expected.size()) != 0) {
    return std::nullopt;
  }
  return payload;
}

bool same_secret(std::string_view a, std::string_view b) {
  // Digests of one length, so that not even the secret's length shows.
  unsigned char digests[2][SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), digests[0]);
  SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), digests[1]);
  return CRYPTO_memcmp(digests[0], digests[1], SHA256_DIGEST_LENGTH) == 0;
}

}  // namespace atm::token
