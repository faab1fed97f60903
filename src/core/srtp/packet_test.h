// Packets and keys for the tests of this folder.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/rng.h"

namespace atm::srtp {

// Bytes of hexadecimal text; blanks are skipped.
inline Bytes from_hex(std::string_view text) {
  Bytes out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const int v = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = v;
    } else {
      out.push_back(static_cast<uint8_t>(high << 4 | v));
      high = -1;
    }
  }
  return out;
}

inline Bytes random_bytes(Rng& rng, size_t size) {
  Bytes out(size);
  rng.fill(out);
  return out;
}

// An RTP packet with random CSRCs, extension and payload.
inline Bytes random_rtp(Rng& rng, uint32_t ssrc, uint16_t sequence) {
  const size_t csrcs = rng.below(3) == 0 ? rng.below(16) : 0;
  const bool has_extension = rng.below(2) == 0;
  const size_t words = rng.below(6);
  Bytes out = random_bytes(rng, 12 + csrcs * 4 + (has_extension ? 4 + words * 4 : 0) + rng.below(1'100));
  out[0] = static_cast<uint8_t>(0x80 | (has_extension ? 0x10 : 0) | csrcs);
  store_u16(&out[2], sequence);
  store_u32(&out[8], ssrc);
  if (has_extension) {
    store_u16(&out[12 + csrcs * 4], 0xBEDE);
    store_u16(&out[14 + csrcs * 4], static_cast<uint16_t>(words));
  }
  return out;
}

// A sender report with a random body of whole words.
inline Bytes random_rtcp(Rng& rng, uint32_t ssrc) {
  Bytes out = random_bytes(rng, 8 + 4 * rng.below(100));
  out[0] = 0x80;
  out[1] = 200;
  store_u16(&out[2], static_cast<uint16_t>(out.size() / 4 - 1));
  store_u32(&out[4], ssrc);
  return out;
}

}  // namespace atm::srtp
