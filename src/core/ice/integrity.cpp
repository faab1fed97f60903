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

Integrity::Integrity(std::string_view key) : key_(key) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  ASSERT(hmac != nullptr);
  context_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);  // the context holds a reference of its own
  ASSERT(context_ != nullptr);
  char digest[] = "SHA1";
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
  ASSERT(done && size == stun::kIntegritySize);
}

bool Integrity::verifies(const stun::Message& message) const {
  if (!message.integrity) return false;
  uint8_t mac[stun::kIntegritySize];
  compute(message.integrity->head, message.integrity->body, mac);
  return CRYPTO_memcmp(mac, message.integrity->mac.data(), sizeof mac) == 0;
}

void Integrity::sign(const stun::IntegrityRoom& room) const {
  compute(room.covered.first(4), room.covered.subspan(4), room.mac);
}

}  // namespace atm::ice
