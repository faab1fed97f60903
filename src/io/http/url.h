// URLs of HTTP, as a user writes them into a configuration: "https://sfu.example.org:8443/room?x=1". For the HTTP
// client. Parsing alone: nothing is resolved, nothing is decoded. What is refused is refused with a sentence for that
// user. No user info, no internationalized names (their xn-- form is one of ours), no other scheme.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atm::io {

inline constexpr size_t kMaxUrlBytes = 8'192;
inline constexpr size_t kMaxHostBytes = 253;  // RFC 1035 2.3.4: 255 on the wire, which is 253 as text

struct Url {
  bool is_https = false;
  std::string host;  // lower case; an IPv6 address without its brackets
  uint16_t port = 0;
  std::string target;  // path and query as they came, from the "/"; no fragment

  // RFC 9110 7.2: what Host says; the port only where it is not the scheme's.
  std::string host_header() const;
  std::string to_string() const;
};

// INVALID_CONFIG, with a sentence.
Result<Url> parse_url(std::string_view text);

}  // namespace atm::io
