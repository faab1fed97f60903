// AES-GCM for SRTP and SRTCP on one OpenSSL context that keeps its key schedule: per packet only the nonce changes, and
// nothing is allocated. One direction per object. Used by SendContext and ReceiveContext, which keep nonces unique.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

struct evp_cipher_ctx_st;

namespace atm::srtp {

inline constexpr size_t kTagSize = 16;    // RFC 7714 13.1: the only length that it defines
inline constexpr size_t kNonceSize = 12;  // RFC 7714 8.1
using Nonce = std::array<uint8_t, kNonceSize>;

// RFC 7714 8.1: (00 00 || SSRC || ROC || SEQ) XOR salt; `index` is ROC and SEQ.
Nonce rtp_nonce(const Nonce& salt, uint32_t ssrc, uint64_t index);
// RFC 7714 9.1: (00 00 || SSRC || 00 00 || 0 and the 31-bit index) XOR salt.
Nonce rtcp_nonce(const Nonce& salt, uint32_t ssrc, uint32_t index);

class Aead {
 public:
  enum class Direction : uint8_t { kSeal, kOpen };
  // 16 or 32 bytes of key.
  Aead(ByteView key, Direction direction);

  // Encrypts `text` in place and writes kTagSize bytes to `tag`. The associated data is `head` followed by `tail`.
  void seal(const Nonce& nonce, ByteView head, ByteView tail, MutByteView text, uint8_t* tag);
  // Decrypts `text` in place. False when the tag does not fit; `text` then holds nothing of value.
  bool open(const Nonce& nonce, ByteView head, ByteView tail, MutByteView text, const uint8_t* tag);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* ctx) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> ctx_;
};

}  // namespace atm::srtp
