#include "source_text.h"

#include <algorithm>
#include <cctype>

namespace atm::arrows {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

void blank(std::string& text, size_t from, size_t to) {
  for (size_t i = from; i < std::min(to, text.size()); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

size_t end_of_literal(std::string_view text, size_t start) {
  const char quote = text[start];
  for (size_t i = start + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote || text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

// R"delimiter( … )delimiter"; `start` is the opening quote. Returns the closing quote.
size_t end_of_raw_string(std::string_view text, size_t start) {
  const size_t open = text.find('(', start);
  if (open == std::string_view::npos) return text.size();
  const std::string close = ")" + std::string(text.substr(start + 1, open - start - 1)) + "\"";
  const size_t end = text.find(close, open);
  return end == std::string_view::npos ? text.size() : end + close.size() - 1;
}

}  // namespace

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string blank_out(std::string_view text, bool literals) {
  std::string out(text);
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    size_t end = i;
    if (c == '/' && text.substr(i, 2) == "//") {
      end = std::min(text.find('\n', i), text.size());
      blank(out, i, end);
    } else if (c == '/' && text.substr(i, 2) == "/*") {
      end = std::min(text.find("*/", i + 2), text.size() - 1) + 1;
      blank(out, i, end + 1);
    } else if (c == '"' && i > 0 && text[i - 1] == 'R') {
      end = end_of_raw_string(text, i);
      if (literals) blank(out, i + 1, end);
    } else if (c == '"' || (c == '\'' && (i == 0 || !is_word(text[i - 1])))) {  // not the ' of 1'000
      end = end_of_literal(text, i);
      if (literals) blank(out, i + 1, end);
    }
    i = end;
  }
  return out;
}

std::vector<Include> find_includes(std::string_view text) {
  std::vector<Include> found;
  int number = 0;
  for (const std::string& line : split_lines(blank_out(text, false))) {
    ++number;
    std::string_view rest = line;
    const auto skip_blanks = [&rest] { rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size())); };
    skip_blanks();
    if (!rest.starts_with('#')) continue;
    rest.remove_prefix(1);
    skip_blanks();
    if (!rest.starts_with("include")) continue;
    rest.remove_prefix(7);
    skip_blanks();
    if (rest.empty() || (rest[0] != '"' && rest[0] != '<')) continue;
    const bool angled = rest[0] == '<';
    const size_t end = rest.find(angled ? '>' : '"', 1);
    if (end != std::string_view::npos) found.push_back({number, angled, std::string(rest.substr(1, end - 1))});
  }
  return found;
}

}  // namespace atm::arrows
