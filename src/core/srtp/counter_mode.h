// AES in counter mode with HMAC-SHA1 for SRTP and SRTCP (RFC 3711 4.1.1, 4.2.1): the profile that every WebRTC endpoint
// must have (RFC 8827 6.5), for those without AES-GCM. One direction of one protocol per object, its key schedules are
// kept from packet to packet. Used by Cipher.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

namespace atm::srtp {

inline constexpr size_t kCounterTagSize = 10;  // RFC 5764 4.1.2: 80 bits, for SRTP and for SRTCP

class CounterMode {
 public:
  // 16 bytes of key, 14 of salt, 20 of authentication key.
  CounterMode(ByteView key, ByteView salt, ByteView authentication_key);

  // `head` and `text` lie one behind the other. Authenticated are both and `tail`, which is not encrypted.
  void seal(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, ByteView tail, uint8_t* tag);
  // False when the tag does not fit; `text` is then as it was.
  bool open(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, ByteView tail, const uint8_t* tag);

 private:
  using Tag = std::array<uint8_t, 20>;
  void crypt(uint32_t ssrc, uint64_t index, MutByteView text);
  Tag authenticate(ByteView head, ByteView text, ByteView tail);

  struct Free {
    void operator()(evp_cipher_ctx_st* ctx) const;
    void operator()(evp_mac_ctx_st* ctx) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> cipher_;
  std::unique_ptr<evp_mac_ctx_st, Free> mac_;
  std::array<uint8_t, 16> salt_{};  // and two bytes of zero
};

}  // namespace atm::srtp
