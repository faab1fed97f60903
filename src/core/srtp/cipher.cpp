#include "core/srtp/cipher.h"

#include <algorithm>

#include "base/assert.h"

namespace atm::srtp {
namespace {

// RFC 3711 4.2: with SRTP the rollover counter is authenticated as if it stood behind the packet.
struct Rollover {
  explicit Rollover(uint64_t index) { store_u32(bytes, static_cast<uint32_t>(index >> 16)); }
  operator ByteView() const { return bytes; }
  uint8_t bytes[4];
};

}  // namespace

Cipher::Cipher(ByteView key, ByteView salt, ByteView authentication_key, Aead::Direction direction)
    : transform_(make(key, salt, authentication_key, direction)) {}

std::variant<Cipher::Gcm, CounterMode> Cipher::make(ByteView key, ByteView salt, ByteView authentication_key,
                                                    Aead::Direction direction) {
  if (!authentication_key.empty()) return CounterMode(key, salt, authentication_key);
  Gcm gcm{Aead(key, direction), {}};
  ASSERT(salt.size() == kNonceSize);
  std::copy(salt.begin(), salt.end(), gcm.salt.begin());
  return gcm;
}

void Cipher::seal_rtp(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, uint8_t* tag) {
  if (auto* gcm = std::get_if<Gcm>(&transform_)) {
    gcm->aead.seal(rtp_nonce(gcm->salt, ssrc, index), head, {}, text, tag);
  } else {
    std::get<CounterMode>(transform_).seal(ssrc, index, head, text, Rollover(index), tag);
  }
}

void Cipher::seal_rtcp(uint32_t ssrc, uint32_t index, ByteView head, MutByteView text, ByteView word, uint8_t* tag) {
  if (auto* gcm = std::get_if<Gcm>(&transform_)) {
    gcm->aead.seal(rtcp_nonce(gcm->salt, ssrc, index), head, word, text, tag);
  } else {
    std::get<CounterMode>(transform_).seal(ssrc, index, head, text, word, tag);
  }
}

bool Cipher::open_rtp(uint32_t ssrc, uint64_t index, ByteView head, MutByteView text, const uint8_t* tag) {
  if (auto* gcm = std::get_if<Gcm>(&transform_)) {
    return gcm->aead.open(rtp_nonce(gcm->salt, ssrc, index), head, {}, text, tag);
  }
  return std::get<CounterMode>(transform_).open(ssrc, index, head, text, Rollover(index), tag);
}

bool Cipher::open_rtcp(uint32_t ssrc, uint32_t index, ByteView head, MutByteView text, ByteView word,
                       const uint8_t* tag) {
  if (auto* gcm = std::get_if<Gcm>(&transform_)) {
    return gcm->aead.open(rtcp_nonce(gcm->salt, ssrc, index), head, word, text, tag);
  }
  return std::get<CounterMode>(transform_).open(ssrc, index, head, text, word, tag);
}

}  // namespace atm::srtp
