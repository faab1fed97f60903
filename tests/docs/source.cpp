#include "source.h"

#include <regex>

#include "document.h"

namespace atm::docs {
namespace {

bool is_test(const std::string& path) {
  return path.ends_with("_test.cpp") || path.ends_with("_test.h") || path.ends_with("_fuzz.cpp");
}

// visit(match) for every match in the text.
template <typename Visit>
void for_each_match(std::string_view text, const std::regex& expression, Visit visit) {
  using Iterator = std::regex_iterator<std::string_view::const_iterator>;
  for (Iterator match(text.begin(), text.end(), expression), end; match != end; ++match) visit(*match);
}

}  // namespace

std::optional<std::string> find_value(std::string_view source, std::string_view name) {
  const std::regex definition("\\b" + std::string(name) + R"((?: = |\{)([^;{}]+)\}?;)");
  std::optional<std::string> out;
  for_each_match(source, definition, [&](const auto& match) {
    if (!out) out = match[1].str();
  });
  return out;
}

std::set<std::pair<std::string, std::string>> find_limits(const std::filesystem::path& src) {
  static const std::regex kLimit(R"(constexpr [A-Za-z0-9_:]+ (kMax\w+|k\w+(?:Max|Capacity|Cap)) = )");
  std::set<std::pair<std::string, std::string>> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(src)) {
    const std::string path = entry.path().lexically_relative(src).generic_string();
    if (!entry.is_regular_file() || is_test(path) || (!path.ends_with(".h") && !path.ends_with(".cpp"))) continue;
    const std::string text = read_text(entry.path());
    for_each_match(text, kLimit, [&](const auto& match) { out.emplace(path, match[1].str()); });
  }
  return out;
}

void find_metrics(std::string_view source, Metrics& out) {
  static const std::regex kMetric(R"re((counter|gauge|events)\([^"]*"(atm0s_\w+)")re");
  static const std::regex kReason(R"re((?:drop\("|reason=\\"|, "drop_)(\w+)(?:\\"|"))re");
  for_each_match(source, kMetric,
                 [&](const auto& match) { out.types[match[2].str()] = match[1] == "gauge" ? "gauge" : "counter"; });
  for_each_match(source, kReason, [&](const auto& match) { out.drop_reasons.insert(match[1].str()); });
}

std::set<std::string> find_settings(std::string_view source) {
  static const std::regex kSetting(R"re(\{"([a-z-]+)", Shape::)re");
  std::set<std::string> out;
  for_each_match(source, kSetting, [&](const auto& match) { out.insert(match[1].str()); });
  return out;
}

std::set<std::string> find_tests(const std::filesystem::path& folder) {
  static const std::regex kTest(R"(\bTEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().generic_string();
    if (!entry.is_regular_file() || !is_test(path)) continue;
    if (path.ends_with("_fuzz.cpp")) out.insert(entry.path().stem().string());
    const std::string text = read_text(entry.path());
    for_each_match(text, kTest, [&](const auto& match) { out.insert({match[1].str(), match[2].str()}); });
  }
  return out;
}

}  // namespace atm::docs
