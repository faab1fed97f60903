// Remembers what was protected under the latest indices of each SSRC and aborts when one index gets a second, different
// plaintext: with GCM that repeats a nonce and gives the authentication key away (RFC 7714 8.4 and 9.4 forbid it).
// For builds without NDEBUG alone (SendContext makes one there); costs memory and a hash per packet.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "base/assert.h"
#include "base/bytes.h"

namespace atm::srtp {

class NonceGuard {
 public:
  void check(uint32_t ssrc, uint64_t index, ByteView plain) {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, 64 bits
    for (const uint8_t b : plain) hash = (hash ^ b) * 0x100000001b3;
    Entry& entry = seen_[ssrc][index % kRemembered];
    ASSERT(entry.hash == 0 || entry.index != index || entry.hash == hash);
    entry = {index, hash};
  }

 private:
  static constexpr size_t kRemembered = 2'048;  // packets of one SSRC: above every retransmission history
  struct Entry {
    uint64_t index = 0;
    uint64_t hash = 0;
  };
  std::unordered_map<uint32_t, std::array<Entry, kRemembered>> seen_;
};

}  // namespace atm::srtp
