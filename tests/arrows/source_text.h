// C++ source as the arrows look at it: its includes, and its code without comments and literals, line by line.
// Called by arrows.cpp. Lines keep their numbers. It knows raw strings and digit separators, not trigraphs or
// line-spliced comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atm::arrows {

struct Include {
  int line = 0;
  bool angled = false;
  std::string path;
};

std::vector<std::string> split_lines(std::string_view text);

// The text with comments blanked out, and with `literals` also the insides of string and character literals.
std::string blank_out(std::string_view text, bool literals);

std::vector<Include> find_includes(std::string_view text);

}  // namespace atm::arrows
