#include "io/metrics/prometheus.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace atm::io {
namespace {

struct Family {
  const contract::Stats::Value* first;                         // name, help and type are those of the first value
  std::vector<std::pair<std::string_view, double>> by_labels;  // in order of appearance
};

void add(Family& family, const contract::Stats::Value& value) {
  for (auto& [labels, sum] : family.by_labels) {
    if (labels != value.labels) continue;
    sum += value.value;
    return;
  }
  family.by_labels.emplace_back(value.labels, value.value);
}

// The format escapes "\" and line feeds in help texts.
std::string escaped_help(std::string_view help) {
  std::string out;
  for (const char c : help) {
    if (c == '\\') out += "\\\\";
    if (c == '\n') out += "\\n";
    if (c != '\\' && c != '\n') out += c;
  }
  return out;
}

// fmt writes the shortest text that reads back as the same number; infinities and NaN have names of the format's own.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

std::string write_prometheus(std::span<const contract::Stats> workers) {
  std::vector<Family> families;
  std::map<std::string_view, size_t> index;
  for (const contract::Stats& worker : workers) {
    for (const contract::Stats::Value& value : worker.values) {
      const auto [it, is_new] = index.emplace(value.name, families.size());
      if (is_new) families.push_back({&value, {}});
      add(families[it->second], value);
    }
  }

  std::string out;
  for (const Family& family : families) {
    const contract::Stats::Value& head = *family.first;
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", head.name, escaped_help(head.help), head.name,
                       head.is_counter ? "counter" : "gauge");
    for (const auto& [labels, sum] : family.by_labels) {
      out += labels.empty() ? fmt::format("{} {}\n", head.name, number(sum))
                            : fmt::format("{}{{{}}} {}\n", head.name, labels, number(sum));
    }
  }
  return out;
}

}  // namespace atm::io
