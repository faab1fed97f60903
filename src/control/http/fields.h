// Values of HTTP header fields (RFC 9110): media types, Accept, lists of entity tags. For the router alone. Bounded by
// io/http's limit on the request head.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atm::control {

bool same_without_case(std::string_view a, std::string_view b);
// Without spaces and tabs around it.
std::string_view trimmed(std::string_view text);

// Content-Type names that type, whatever its parameters (RFC 9110 8.3.1).
bool is_media_type(std::string_view content_type, std::string_view wanted);
// Accept lets that type through (RFC 9110 12.5.1); absent, it lets everything through.
bool accepts(std::string_view accept, std::string_view type);

struct IfMatch {
  bool matches_any = false;       // "*"
  std::vector<std::string> tags;  // strong ones, without their quotes; weak ones never match (RFC 9110 13.1.1)
};
// Nothing when it is no list of entity tags.
std::optional<IfMatch> parse_if_match(std::string_view value);

}  // namespace atm::control
