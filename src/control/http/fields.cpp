#include "control/http/fields.h"

#include <algorithm>

namespace atm::control {
namespace {

std::string_view take_until(std::string_view& rest, char separator) {
  const size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

// RFC 9110 12.4.2: "q=0", "q=0.000".
bool is_unwanted(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = trimmed(take_until(parameters, ';'));
    if (!same_without_case(parameter.substr(0, 2), "q=")) continue;
    return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
  }
  return false;
}

}  // namespace

bool same_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool is_media_type(std::string_view content_type, std::string_view wanted) {
  return same_without_case(trimmed(content_type.substr(0, content_type.find(';'))), wanted);
}

bool accepts(std::string_view accept, std::string_view type) {
  if (trimmed(accept).empty()) return true;
  const std::string any_of_kind = std::string(type.substr(0, type.find('/'))) + "/*";
  // RFC 9110 12.5.1: the most specific range counts.
  for (const std::string_view wanted : {type, std::string_view(any_of_kind), std::string_view("*/*")}) {
    for (std::string_view rest = accept; !rest.empty();) {
      std::string_view range = take_until(rest, ',');
      const std::string_view name = trimmed(take_until(range, ';'));
      if (same_without_case(name, wanted)) return !is_unwanted(range);
    }
  }
  return false;
}

std::optional<IfMatch> parse_if_match(std::string_view value) {
  IfMatch out;
  value = trimmed(value);
  if (value == "*") {
    out.matches_any = true;
    return out;
  }
  while (!value.empty()) {
    const bool is_weak = value.starts_with("W/");
    if (is_weak) value.remove_prefix(2);
    // RFC 9110 8.8.3: no quote can be inside of one.
    const size_t end = value.starts_with('"') ? value.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return std::nullopt;
    if (!is_weak) out.tags.emplace_back(value.substr(1, end - 1));
    value = trimmed(value.substr(end + 1));
    if (value.empty()) return out;
    if (!value.starts_with(',')) return std::nullopt;
    value = trimmed(value.substr(1));
  }
  return std::nullopt;
}

}  // namespace atm::control
