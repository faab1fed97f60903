// What a request line's target says: percent-decoding and query parameters (RFC 3986 2.1, WHATWG URL 5.1 for "+").
// For the router alone. Bounded by io/http's limit on the request head; a broken escape gives nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atm::control {

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
// The first parameter of that name, decoded; nullopt when absent or broken.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace atm::control
