// The sources as docs_test looks at them: constants and their values, metrics, flags, tests. Reads text, not C++:
// enough for how this project writes them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace atm::docs {

// "20'000" of `constexpr size_t kMaxSessions = 20'000;`, also of a member with a default. Spaces are made one.
std::optional<std::string> find_value(std::string_view source, std::string_view name);

// {path from src, name} of every constant limit in headers and sources that are no tests: kMaxX, kXMax, kXCapacity,
// kXCap.
std::set<std::pair<std::string, std::string>> find_limits(const std::filesystem::path& src);

struct Metrics {
  std::map<std::string, std::string> types;  // name -> "counter" or "gauge"
  std::set<std::string> drop_reasons;
};
void find_metrics(std::string_view source, Metrics& out);

// The names of the settings table: "media-ip".
std::set<std::string> find_settings(std::string_view source);

// What a page may name as proof: suites and tests of GoogleTest in *_test.cpp and *_test.h, and fuzz targets, which are
// the names of *_fuzz.cpp; of all files under the folder.
std::set<std::string> find_tests(const std::filesystem::path& folder);

}  // namespace atm::docs
