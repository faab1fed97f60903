// Cutting the text of one SDP line into words and numbers. For the parsers of this folder only.
// Nothing is copied, nothing can fail harder than "no value".
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace atm::sdp {

// The text up to `separator`, which is taken off `rest` with it; all of it when there is none.
inline std::string_view take_until(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  const std::string_view word = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return word;
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The next word; several spaces count as one, as browsers read them.
inline std::string_view take_word(std::string_view& rest) {
  rest = trimmed(rest);
  return take_until(rest, ' ');
}

// Decimal digits only, all of the text, within T.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || text.front() == '-' || error != std::errc{} || at != end) return std::nullopt;
  return value;
}

constexpr char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
constexpr char raised(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}
constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (lowered(c) >= 'a' && lowered(c) <= 'z');
}

// RFC 8866 9: token-char.
constexpr bool is_token_char(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`{|}~").find(c) != std::string_view::npos;
}

template <typename Allowed>
bool consists_of(std::string_view text, size_t min_bytes, size_t max_bytes, Allowed allowed) {
  if (text.size() < min_bytes || text.size() > max_bytes) return false;
  for (const char c : text) {
    if (!allowed(c)) return false;
  }
  return true;
}

}  // namespace atm::sdp
