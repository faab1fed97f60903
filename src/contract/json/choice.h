// Tables from the texts of the protocol to enumerators and back. For the parsers and writers of this folder.
// Texts are compared without case and without '_' and '-': the protocol accepts "stream_only", "StreamOnly" and
// "STREAM_ONLY" alike. The first text of an enumerator is the one that is written.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "contract/json/fields.h"

namespace atm::json {

template <typename E>
struct Choice {
  std::string_view text;
  E value;
};

inline bool same_choice(std::string_view a, std::string_view b) {
  const auto skip = [](std::string_view s, size_t& i) {
    while (i < s.size() && (s[i] == '_' || s[i] == '-')) ++i;
  };
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  size_t i = 0;
  size_t j = 0;
  for (;; ++i, ++j) {
    skip(a, i);
    skip(b, j);
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (lower(a[i]) != lower(b[j])) return false;
  }
}

template <typename E, size_t N>
std::optional<E> find_choice(const Choice<E> (&table)[N], std::string_view text) {
  for (const Choice<E>& choice : table) {
    if (same_choice(choice.text, text)) return choice.value;
  }
  return std::nullopt;
}

template <typename E, size_t N>
std::string_view choice_text(const Choice<E> (&table)[N], E value) {
  for (const Choice<E>& choice : table) {
    if (choice.value == value) return choice.text;
  }
  return {};
}

// An optional field; a text that is in no row is a problem that lists the rows.
template <typename E, size_t N>
E read_choice(const Fields& fields, std::string_view name, const Choice<E> (&table)[N], E fallback) {
  const std::optional<std::string> text = fields.optional_text(name, 64, Text::kFree);
  if (!text) return fallback;
  if (const std::optional<E> value = find_choice(table, *text)) return *value;
  std::string known = "must be one of";
  for (const Choice<E>& choice : table) known += " " + std::string(choice.text);
  fields.problem(name, known);
  return fallback;
}

}  // namespace atm::json
