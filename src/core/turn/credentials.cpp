#include "core/turn/credentials.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace atm::turn {
namespace {

using Hash = ice::Integrity::Hash;
using stun::Attribute;

// RFC 8489 18.5.1
constexpr uint16_t kMd5 = 1;
constexpr uint16_t kSha256 = 2;

// RFC 8489 9.2: "obMatJos2" and 24 bits in base64. Bit 0, the last of them (erratum 6290): there are password
// algorithms, so a challenge that names none has been tampered with.
bool has_password_algorithms(std::string_view nonce) {
  constexpr std::string_view kCookie = "obMatJos2";
  constexpr size_t kFeatures = 4;  // characters
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (!nonce.starts_with(kCookie) || nonce.size() < kCookie.size() + kFeatures) return false;
  const size_t bits = kBase64.find(nonce[kCookie.size() + kFeatures - 1]);
  return bits != std::string_view::npos && (bits & 1) != 0;
}

// The first of the server's that we know (RFC 8489 9.2.5).
std::optional<Hash> choose(ByteView algorithms) {
  Reader reader(algorithms);
  while (reader.left() > 0) {
    const uint16_t algorithm = reader.u16();
    const uint16_t parameters = reader.u16();
    reader.skip((parameters + 3u) / 4 * 4);
    if (!reader.ok()) return std::nullopt;
    if (algorithm == kSha256 && parameters == 0) return Hash::kSha256;
    if (algorithm == kMd5 && parameters == 0) return Hash::kSha1;
  }
  return std::nullopt;
}

// RFC 8489 9.2.2
std::string digest(std::string_view text, Hash hash) {
  uint8_t out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const EVP_MD* algorithm = hash == Hash::kSha1 ? EVP_md5() : EVP_sha256();
  ASSERT(EVP_Digest(text.data(), text.size(), out, &size, algorithm, nullptr) == 1);
  return std::string(as_text({out, size}));
}

}  // namespace

bool Credentials::on_challenge(const stun::Message& error) {
  const auto realm = error.find(Attribute::kRealm);
  const auto nonce = error.find(Attribute::kNonce);
  if (!nonce || (!realm && realm_.empty())) return false;
  const auto algorithms = error.find(Attribute::kPasswordAlgorithms);
  Hash hash = Hash::kSha1;
  algorithms_.clear();
  if (has_password_algorithms(as_text(*nonce))) {
    const auto chosen = algorithms ? choose(*algorithms) : std::nullopt;
    if (!chosen || algorithms->size() > 64) return false;
    hash = *chosen;
    algorithms_.assign(algorithms->begin(), algorithms->end());
  }
  const bool is_same_key = key_ && hash == hash_ && (!realm || realm_ == as_text(*realm));
  nonce_ = as_text(*nonce);
  if (is_same_key) return true;
  if (realm) realm_ = as_text(*realm);
  hash_ = hash;
  key_.emplace(digest(username_ + ':' + realm_ + ':' + password_, hash), hash);
  return true;
}

void Credentials::sign(stun::MessageWriter& writer) const {
  if (!key_) return;
  writer.username(username_);
  writer.text(Attribute::kRealm, realm_);
  writer.text(Attribute::kNonce, nonce_);
  if (!algorithms_.empty()) {  // RFC 8489 9.2.4
    writer.bytes(Attribute::kPasswordAlgorithms, algorithms_);
    writer.number(Attribute::kPasswordAlgorithm, uint32_t{hash_ == Hash::kSha1 ? kMd5 : kSha256} << 16);
  }
  const auto type = hash_ == Hash::kSha1 ? Attribute::kMessageIntegrity : Attribute::kMessageIntegritySha256;
  if (const auto room = writer.integrity_room(type)) key_->sign(*room);
}

}  // namespace atm::turn
