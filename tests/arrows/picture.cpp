#include "picture.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "table.h"

namespace atm::arrows {
namespace {

using Arrows = std::map<std::string, std::set<std::string>>;

constexpr std::string_view kBegin = "<!-- arrows: drawn from src/ARROWS by `./dev arrows`, do not edit -->\n";
constexpr std::string_view kEnd = "<!-- end of arrows -->\n";

std::string top_of(const std::string& module) {
  return module.substr(0, module.find('/'));
}

Arrows read_arrows(const Table& table) {
  Arrows out;
  for (const auto& [module, row] : table.modules) {
    std::set<std::string>& targets = out[module];
    for (const std::string& name : row.names) {
      // A folder that is a module itself stands for itself here; that its name allows what is under it is a detail.
      if (table.modules.contains(name)) {
        if (name != module) targets.insert(name);
        continue;
      }
      for (const std::string& target : modules_under(table, name)) {
        if (target != module) targets.insert(target);
      }
    }
  }
  return out;
}

Arrows between_tops(const Arrows& arrows) {
  Arrows out;
  for (const auto& [module, targets] : arrows) {
    std::set<std::string>& tops = out[top_of(module)];
    for (const std::string& target : targets) {
      if (top_of(target) != top_of(module)) tops.insert(top_of(target));
    }
  }
  return out;
}

bool reaches(const Arrows& arrows, const std::string& from, const std::string& to) {
  const auto found = arrows.find(from);
  if (found == arrows.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const std::string& next) { return next == to || reaches(arrows, next, to); });
}

// Without the arrows that follow from others.
Arrows reduced(const Arrows& arrows) {
  Arrows out;
  for (const auto& [module, targets] : arrows) {
    std::set<std::string>& kept = out[module];
    for (const std::string& target : targets) {
      const bool follows = std::any_of(targets.begin(), targets.end(), [&](const std::string& other) {
        return other != target && reaches(arrows, other, target);
      });
      if (!follows) kept.insert(target);
    }
  }
  return out;
}

// The longest way down: base is 0.
size_t height(const Arrows& arrows, const std::string& module) {
  size_t out = 0;
  for (const std::string& target : arrows.at(module)) out = std::max(out, height(arrows, target) + 1);
  return out;
}

template <typename Names>
std::string joined(const Names& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "`" : ", `") + name + '`';
  return out.empty() ? "nothing" : out;
}

std::string draw_tops(const Arrows& tops) {
  std::string out = "```mermaid\nflowchart TD\n";
  for (const auto& [top, targets] : tops) {
    for (const std::string& target : targets) out += "  " + top + " --> " + target + "\n";
  }
  return out + "```\n";
}

std::string draw_modules(const Table& table, const Arrows& arrows) {
  // By height, and within one height as ARROWS has them.
  std::vector<std::pair<size_t, std::string>> order;
  for (const auto& [module, targets] : arrows) order.emplace_back(height(arrows, module), module);
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return std::pair(a.first, table.modules.at(a.second).line) < std::pair(b.first, table.modules.at(b.second).line);
  });
  std::string out = "| height | module | stands on, and on what is under that |\n| --- | --- | --- |\n";
  for (const auto& [level, module] : order) {
    out += "| " + std::to_string(level) + " | `" + module + "` | " + joined(arrows.at(module)) + " |\n";
  }
  return out;
}

std::string draw_libraries(const Table& table) {
  std::vector<std::pair<std::string, Row>> order(table.libraries.begin(), table.libraries.end());
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second.line < b.second.line; });
  std::string out = "| header | only in |\n| --- | --- |\n";
  for (const auto& [header, row] : order) {
    // A name that ends with "/" is a folder of headers.
    const std::string spelt = header.ends_with('>') ? header : header + "…>";
    out += "| `" + spelt + "` | " + joined(row.names) + " |\n";
  }
  return out;
}

}  // namespace

std::string draw(std::string_view arrows_text) {
  const Table table = read_table(arrows_text);
  const Arrows arrows = read_arrows(table);
  const Arrows fewest = reduced(arrows);
  return draw_tops(reduced(between_tops(arrows))) + "\n" + draw_modules(table, fewest) + "\n" + draw_libraries(table);
}

std::optional<std::string> find_picture(std::string_view document) {
  const size_t begin = document.find(kBegin);
  const size_t end = document.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
  const size_t from = begin + kBegin.size();
  return std::string(document.substr(from, end - from));
}

std::string with_picture(std::string_view document, std::string_view picture) {
  const size_t from = document.find(kBegin) + kBegin.size();
  const size_t end = document.find(kEnd);
  return std::string(document.substr(0, from)) + std::string(picture) + std::string(document.substr(end));
}

}  // namespace atm::arrows
