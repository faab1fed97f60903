// A JSON text signed with HMAC-SHA-256 in compact form (RFC 7515, HS256 of RFC 7518 3.2), and comparison of secrets in
// constant time. For claims.h, and control/http for the application's secret.
// The algorithm is pinned: what a token says of itself can only make it refused (RFC 8725 3.1). Knows nothing of
// claims.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atm::token {

// A token goes into JSON bodies and Authorization headers; ours have about 300 bytes.
inline constexpr size_t kMaxTokenBytes = 8192;

std::string write_jws(std::string_view payload, std::string_view secret);
// The payload of a whole, rightly signed token; nothing says which of it was wrong.
std::optional<std::string> open_jws(std::string_view jws, std::string_view secret);

// Takes the same time whatever the two hold, and wherever they differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace atm::token
