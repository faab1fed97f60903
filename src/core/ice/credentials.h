// The user name fragment and the password of one side of an ICE session, and of one generation (RFC 8445 5.3).
// Made by whoever answers or offers, exchanged in the SDP as a=ice-ufrag and a=ice-pwd. The password is a secret.
#pragma once

#include <string>

#include "base/rng.h"

namespace atm::ice {

// RFC 8445 5.3 asks for 24 and 128 random bits at least; an ice-char carries 6. The node finds a session by its ufrag,
// so 48 bits keep two sessions of one worker from ever having the same one.
inline constexpr size_t kUfragLength = 8;
inline constexpr size_t kPasswordLength = 24;
inline constexpr size_t kMaxUfragLength = 256;  // RFC 8839 5.4

struct Credentials {
  std::string ufrag;
  std::string pwd;
  bool operator==(const Credentials&) const = default;
};

inline Credentials make_credentials(Rng& rng) {
  Credentials out;
  out.ufrag = rng.ice_chars(kUfragLength);
  out.pwd = rng.ice_chars(kPasswordLength);
  return out;
}

}  // namespace atm::ice
