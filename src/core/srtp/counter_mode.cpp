#include "core/srtp/counter_mode.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>

#include "base/assert.h"

namespace atm::srtp {

void CounterMode::Free::operator()(evp_cipher_ctx_st* ctx) const {
  EVP_CIPHER_CTX_free(ctx);
}
void CounterMode::Free::operator()(evp_mac_ctx_st* ctx) const {
  EVP_MAC_CTX_free(ctx);
}

// OpenSSL fails on these only by our own misuse: sizes are bounded by a datagram's.
CounterMode::CounterMode(ByteView key, ByteView salt, ByteView authentication_key) : cipher_(EVP_CIPHER_CTX_new()) {
  ASSERT(cipher_ && key.size() == 16 && salt.size() == 14 && authentication_key.size() == 20);
  // Counter mode decrypts by encrypting.
  ASSERT(EVP_EncryptInit_ex(cipher_.get(), EVP_aes_128_ctr(), nullptr, key.data(), nullptr) == 1);
  std::copy(salt.begin(), salt.end(), salt_.begin());

  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  ASSERT(hmac);
  mac_.reset(EVP_MAC_CTX_new(hmac));  // keeps a reference of its own
  EVP_MAC_free(hmac);
  char digest[] = "SHA1";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  ASSERT(mac_ && EVP_MAC_init(mac_.get(), authentication_key.data(), authentication_key.size(), params) == 1);
}

void CounterMode::crypt(uint32_t ssrc, uint64_t index, MutByteView text) {
  if (text.empty()) return;
  // RFC 3711 4.1.1: IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16).
  std::array<uint8_t, 16> iv = salt_;
  uint8_t mask[12];
  store_u32(mask, ssrc);
  store_u32(mask + 4, static_cast<uint32_t>(index >> 16));
  store_u16(mask + 8, static_cast<uint16_t>(index));
  for (size_t i = 0; i < 10; ++i) iv[4 + i] ^= mask[i];
  int written = 0;
  ASSERT(EVP_EncryptInit_ex(cipher_.get(), nullptr, nullptr, nullptr, iv.data()) == 1);
  ASSERT(EVP_EncryptUpdate(cipher_.get(), text.data(), &written, text.data(), static_cast<int>(text.size())) == 1);
}

CounterMode::Tag CounterMode::authenticate(ByteView head, ByteView text, ByteView tail) {
  Tag tag;
  size_t size = 0;
  EVP_MAC_CTX* mac = mac_.get();
  ASSERT(EVP_MAC_init(mac, nullptr, 0, nullptr) == 1);  // anew with the same key
  for (const ByteView part : {head, text, tail}) {
    if (!part.empty()) ASSERT(EVP_MAC_update(mac, part.data(), part.size()) == 1);
  }
  ASSERT(EVP_MAC_final(mac, tag.data(), &size, tag.size()) == 1 && size == tag.size());
  return tag;
}

void CounterMode::seal(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, ByteView tail, uint8_t* tag) {
  crypt(ssrc, index, text);
  const Tag whole = authenticate(head, text, tail);
  std::copy_n(whole.begin(), kCounterTagSize, tag);
}

bool CounterMode::open(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, ByteView tail,
                       const uint8_t* tag) {
  const Tag whole = authenticate(head, text, tail);
  if (CRYPTO_memcmp(whole.data(), tag, kCounterTagSize) != 0) return false;
  crypt(ssrc, index, text);
  return true;
}

}  // namespace atm::srtp
