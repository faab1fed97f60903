#include "core/ice/integrity.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/assert.h"

namespace atm::ice {

void Integrity::FreeContext::operator()(evp_mac_ctx_st* context) const {
  EVP_MAC_CTX_free(context);
}

Integrity::Integrity(std::string_view key, Hash hash) : key_(key), hash_(hash) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  ASSERT(hmac != nullptr);
  context_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);  // the context holds a reference of its own
  ASSERT(context_ != nullptr);
  char sha1[] = "SHA1", sha256[] = "SHA256";
  char* const digest = hash == Hash::kSha1 ? sha1 : sha256;
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  ASSERT(EVP_MAC_CTX_set_params(context_.get(), parameters) == 1);
}

void Integrity::compute(ByteView head, ByteView body, MutByteView mac) const {
  size_t size = 0;
  const auto* key = reinterpret_cast<const unsigned char*>(key_.data());
  const bool done = EVP_MAC_init(context_.get(), key, key_.size(), nullptr) == 1 &&
                    EVP_MAC_update(context_.get(), head.data(), head.size()) == 1 &&
                    EVP_MAC_update(context_.get(), body.data(), body.size()) == 1 &&
                    EVP_MAC_final(context_.get(), mac.data(), &size, mac.size()) == 1;
  ASSERT(done && size == mac_size());
}

bool Integrity::verifies(const stun::Message& message) const {
  const auto& check = hash_ == Hash::kSha1 ? message.integrity : message.integrity_sha256;
  if (!check) return false;
  uint8_t mac[stun::kIntegritySha256Size];
  compute(check->head, check->body, {mac, mac_size()});
  // RFC 8489 14.6: of SHA-256 a shorter one may have been sent.
  return CRYPTO_memcmp(mac, check->mac.data(), check->mac.size()) == 0;
}

void Integrity::sign(const stun::IntegrityRoom& room) const {
  compute(room.covered.first(4), room.covered.subspan(4), room.mac);
}

}  // namespace atm::ice
