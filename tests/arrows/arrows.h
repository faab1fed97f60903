// The rules of the source tree as a check: who may include whom (src/ARROWS), which third-party headers belong where,
// and what logic modules must not do. Called by arrows_test with the real tree and with small seeded ones. Pure: the
// tree is given as text, and the answer is the list of places that break a rule. It does not parse C++; it strips
// comments and literals and looks for names, which is enough to catch what people write and can be fooled by malice.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace atm::arrows {

struct SourceFile {
  std::string path;  // from src, e.g. "core/ice/agent.h"
  std::string text;
};

struct SourceTree {
  std::string table;  // the text of src/ARROWS
  std::vector<SourceFile> files;
};

struct Violation {
  std::string path;  // from src
  int line = 0;      // from 1
  std::string what;
};

// Reads ARROWS and every .h and .cpp under `src`. Throws what std::filesystem throws.
SourceTree read_tree(const std::filesystem::path& src);

std::vector<Violation> check(const SourceTree& tree);

// "src/core/ice/agent.h:12: …", one a line.
std::string describe(const std::vector<Violation>& violations);

}  // namespace atm::arrows
