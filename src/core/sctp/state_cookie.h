// The state cookie (RFC 9260 5.1.3): all that an INIT told us, sent to the peer and taken back from its COOKIE-ECHO,
// so that an INIT costs no memory. Used by Association alone.
// Sealed with HMAC-SHA-256 under a secret that lives and dies with the association; holds no address and no pointer.
// Does not decide whether the tags in it fit the association's state.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

namespace atm::sctp {

struct CookieContents {
  Instant made_at;
  uint32_t local_tag = 0;
  uint32_t peer_tag = 0;
  uint32_t peer_initial_tsn = 0;
  uint32_t peer_window = 0;
  uint16_t outbound_streams = 0;  // both already the lesser of what each side wants
  uint16_t inbound_streams = 0;
  bool has_forward_tsn = false;
  bool has_reconfig = false;
};

class CookieSeal {
 public:
  static constexpr size_t kContentsSize = 30;
  static constexpr size_t kSize = kContentsSize + 32;  // with the HMAC

  enum class Verdict : uint8_t { kValid, kForged, kExpired };

  explicit CookieSeal(Rng& rng) { rng.fill(secret_); }

  std::array<uint8_t, kSize> seal(const CookieContents& contents) const;
  // Fills `out` unless the cookie is forged.
  Verdict open(Now now, ByteView cookie, CookieContents& out) const;

 private:
  std::array<uint8_t, 32> sign(ByteView contents) const;

  std::array<uint8_t, 32> secret_{};
};

}  // namespace atm::sctp
