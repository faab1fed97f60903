#include "table.h"

#include <iterator>
#include <sstream>

#include "source_text.h"

namespace atm::arrows {

Table read_table(std::string_view text) {
  Table table;
  int number = 0;
  for (std::string line : split_lines(text)) {
    ++number;
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) {
      table.problems.emplace_back(number, "expected \"module: modules\"");
      continue;
    }
    const std::string name = line.substr(0, colon);
    std::istringstream words(line.substr(colon + 1));
    Row row{number, {std::istream_iterator<std::string>(words), {}}};
    auto& rows = name.front() == '<' ? table.libraries : table.modules;
    if (!rows.emplace(name, std::move(row)).second) table.problems.emplace_back(number, name + " is listed twice");
  }
  return table;
}

bool covers(std::string_view name, std::string_view path) {
  return path == name || (path.starts_with(name) && path[name.size()] == '/');
}

std::vector<std::string> modules_under(const Table& table, std::string_view name) {
  std::vector<std::string> under;
  for (const auto& [module, row] : table.modules) {
    if (covers(name, module)) under.push_back(module);
  }
  return under;
}

}  // namespace atm::arrows
