// base64url without padding (RFC 4648 5, RFC 7515 2), as the three parts of a token use it. For control/token alone.
// Strict: no padding, no whitespace, no foreign letters, no bits left over, so one token has one spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atm::token {

std::string write_base64url(std::string_view bytes);
std::optional<std::string> parse_base64url(std::string_view text);

}  // namespace atm::token
