// src/ARROWS as values: which module may include which, which third-party header belongs where. Read by arrows.cpp,
// which holds the tree to it, and by picture.cpp, which draws it for ARCHITECTURE.md. Pure; what is wrong with the text
// comes back as problems with their line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atm::arrows {

struct Row {
  int line = 0;
  std::vector<std::string> names;
};

struct Table {
  std::map<std::string, Row> modules;    // module -> what it may include
  std::map<std::string, Row> libraries;  // "<openssl/" or "<zlib.h>" -> the modules that may include it
  std::vector<std::pair<int, std::string>> problems;
};

Table read_table(std::string_view text);

// A name covers itself and the folders under it: "wire" covers "wire/rtp".
bool covers(std::string_view name, std::string_view path);
std::vector<std::string> modules_under(const Table& table, std::string_view name);

}  // namespace atm::arrows
