// What a protection profile does to one packet, SRTP or SRTCP, in one direction: AES-GCM (RFC 7714) or AES-CM with
// HMAC-SHA1 (RFC 3711). Used by SendContext and ReceiveContext, which know packets, indices and replays, but no
// profile.
#pragma once

#include <cstdint>
#include <variant>

#include "base/bytes.h"
#include "core/srtp/aead.h"
#include "core/srtp/counter_mode.h"

namespace atm::srtp {

class Cipher {
 public:
  // Without an authentication key it is AES-GCM.
  Cipher(ByteView key, ByteView salt, ByteView authentication_key, Aead::Direction direction);

  size_t tag_size() const { return is_gcm() ? kTagSize : kCounterTagSize; }
  // In SRTCP the tag stands before the word with E and index (RFC 7714 9), or behind it (RFC 3711 3.4).
  bool has_tag_last() const { return !is_gcm(); }

  // `head` and `text` lie one behind the other; `text` is encrypted in place, tag_size() bytes go to `tag`.
  void seal_rtp(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, uint8_t* tag);
  void seal_rtcp(uint32_t ssrc, uint32_t index, ByteView head, MutByteView text, ByteView word, uint8_t* tag);
  // False when the tag does not fit; `text` then holds nothing of value.
  bool open_rtp(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, const uint8_t* tag);
  bool open_rtcp(uint32_t ssrc, uint32_t index, ByteView head, MutByteView text, ByteView word, const uint8_t* tag);

 private:
  struct Gcm {
    Aead aead;
    Nonce salt;
  };
  static std::variant<Gcm, CounterMode> make(ByteView key, ByteView salt, ByteView authentication_key,
                                             Aead::Direction direction);
  bool is_gcm() const { return std::holds_alternative<Gcm>(transform_); }

  std::variant<Gcm, CounterMode> transform_;
};

}  // namespace atm::srtp
