#include "core/srtp/aead.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace atm::srtp {
namespace {

Nonce masked(const Nonce& salt, Nonce nonce) {
  for (size_t i = 0; i < kNonceSize; ++i) nonce[i] ^= salt[i];
  return nonce;
}

// OpenSSL fails on these only by our own misuse: sizes are bounded by a datagram's.
void update(EVP_CIPHER_CTX* ctx, bool seal, uint8_t* out, ByteView in) {
  if (in.empty()) return;
  int written = 0;
  const int size = static_cast<int>(in.size());
  const int done = seal ? EVP_EncryptUpdate(ctx, out, &written, in.data(), size)
                        : EVP_DecryptUpdate(ctx, out, &written, in.data(), size);
  ASSERT(done == 1);
}

}  // namespace

Nonce rtp_nonce(const Nonce& salt, uint32_t ssrc, uint64_t index) {
  Nonce nonce{};
  store_u32(&nonce[2], ssrc);
  store_u32(&nonce[6], static_cast<uint32_t>(index >> 16));
  store_u16(&nonce[10], static_cast<uint16_t>(index));
  return masked(salt, nonce);
}

Nonce rtcp_nonce(const Nonce& salt, uint32_t ssrc, uint32_t index) {
  Nonce nonce{};
  store_u32(&nonce[2], ssrc);
  store_u32(&nonce[8], index);
  return masked(salt, nonce);
}

void Aead::Free::operator()(evp_cipher_ctx_st* ctx) const {
  EVP_CIPHER_CTX_free(ctx);
}

Aead::Aead(ByteView key, Direction direction) : ctx_(EVP_CIPHER_CTX_new()) {
  ASSERT(ctx_ && (key.size() == 16 || key.size() == 32));
  const EVP_CIPHER* cipher = key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();  // 12 bytes of nonce by default
  const int seal = direction == Direction::kSeal ? 1 : 0;
  ASSERT(EVP_CipherInit_ex(ctx_.get(), cipher, nullptr, key.data(), nullptr, seal) == 1);
}

void Aead::seal(const Nonce& nonce, ByteView head, ByteView tail, MutByteView text, uint8_t* tag) {
  EVP_CIPHER_CTX* ctx = ctx_.get();
  ASSERT(EVP_EncryptInit_ex(ctx, nullptr, nullptr, nullptr, nonce.data()) == 1);
  update(ctx, true, nullptr, head);
  update(ctx, true, nullptr, tail);
  update(ctx, true, text.data(), text);
  uint8_t nothing[kTagSize];
  int written = 0;
  ASSERT(EVP_EncryptFinal_ex(ctx, nothing, &written) == 1);
  ASSERT(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1);
}

bool Aead::open(const Nonce& nonce, ByteView head, ByteView tail, MutByteView text, const uint8_t* tag) {
  EVP_CIPHER_CTX* ctx = ctx_.get();
  ASSERT(EVP_DecryptInit_ex(ctx, nullptr, nullptr, nullptr, nonce.data()) == 1);
  update(ctx, false, nullptr, head);
  update(ctx, false, nullptr, tail);
  update(ctx, false, text.data(), text);
  // OpenSSL's interface is not const; it copies the tag.
  ASSERT(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, kTagSize, const_cast<uint8_t*>(tag)) == 1);
  uint8_t nothing[kTagSize];
  int written = 0;
  return EVP_DecryptFinal_ex(ctx, nothing, &written) > 0;
}

}  // namespace atm::srtp
