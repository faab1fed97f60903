// The documentation says what the code does: tables are held to the tables and constants of the code, links and paths
// to what is there. What is only prose is held by nobody: keep facts that can change in tables.
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "base/error_code.h"
#include "core/negotiation/extension_policy.h"
#include "document.h"
#include "source.h"

namespace atm::docs {
namespace {

const std::filesystem::path kRoot = ATM0S_SOURCE_DIR;

Document read_document(const std::string& path) {
  return {path, read_text(kRoot / path)};
}

std::string at(const Document& document, int line) {
  return document.path + ":" + std::to_string(line) + ": ";
}

// The rows whose first cell is one piece of code, by that.
std::map<std::string, TableRow> rows_by_code(const Document& document) {
  std::map<std::string, TableRow> out;
  for (const TableRow& row : find_rows(document)) {
    if (const auto code = code_of(row.cells.front())) {
      EXPECT_TRUE(out.emplace(*code, row).second) << at(document, row.line) << *code << " stands there twice";
    }
  }
  return out;
}

// --- whole documentation ------------------------------------------------------------------------------------------

TEST(Links, LeadSomewhere) {
  const auto documents = read_documents(kRoot);
  ASSERT_GE(documents.size(), 10u);
  for (const Document& document : documents) {
    for (const Mention& link : find_links(document)) {
      const size_t hash = std::min(link.what.find('#'), link.what.size());
      const std::string file = link.what.substr(0, hash);
      const auto target = file.empty() ? kRoot / document.path : (kRoot / document.path).parent_path() / file;
      ASSERT_TRUE(std::filesystem::exists(target)) << at(document, link.line) << "there is no " << link.what;
      if (hash == link.what.size()) continue;
      const auto anchors = find_anchors({link.what, read_text(target)});
      EXPECT_TRUE(anchors.contains(link.what.substr(hash + 1))) << at(document, link.line) << link.what;
    }
  }
}

// What failing browser tests leave behind: not there in a fresh clone.
constexpr const char* kMadeByTests = "tests/e2e/out";

TEST(Paths, AreThere) {
  std::set<std::string> source_folders;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "src")) {
    if (entry.is_directory()) source_folders.insert(entry.path().filename().string());
  }
  for (const Document& document : read_documents(kRoot)) {
    for (const Mention& path : find_paths(document, source_folders)) {
      if (path.what.starts_with(kMadeByTests)) continue;
      EXPECT_TRUE(std::filesystem::exists(kRoot / path.what)) << at(document, path.line) << "there is no " << path.what;
    }
  }
}

// Everywhere: | `name` | `value` | `file` | …
TEST(Constants, HaveTheValuesOfTheCode) {
  size_t checked = 0;
  for (const Document& document : read_documents(kRoot)) {
    for (const TableRow& row : find_rows(document)) {
      if (row.cells.size() < 3) continue;
      const auto name = code_of(row.cells[0]);
      const auto value = code_of(row.cells[1]);
      const auto file = code_of(row.cells[2]);
      if (!name || !value || !file || (!file->ends_with(".h") && !file->ends_with(".cpp"))) continue;
      EXPECT_EQ(find_value(read_text(kRoot / "src" / *file), *name), value) << at(document, row.line) << *name;
      ++checked;
    }
  }
  EXPECT_GT(checked, 100u);
}

TEST(Limits, AreAllListed) {
  std::set<std::pair<std::string, std::string>> listed;
  for (const TableRow& row : find_rows(read_document("docs/limits.md"))) {
    if (row.cells.size() < 3) continue;
    listed.emplace(code_of(row.cells[2]).value_or(""), code_of(row.cells[0]).value_or(""));
  }
  const auto limits = find_limits(kRoot / "src");
  EXPECT_GT(limits.size(), 50u);
  for (const auto& [file, name] : limits) {
    EXPECT_TRUE(listed.contains({file, name})) << "docs/limits.md does not have " << name << " of src/" << file;
  }
}

// --- single documents -----------------------------------------------------------------------------------------------

TEST(Errors, AreTheTable) {
  const Document document = read_document("docs/errors.md");
  auto rows = rows_by_code(document);
#define ATM0S_X(name, text, meaning)                                              \
  if (const auto row = rows.extract(text); row.empty()) {                         \
    ADD_FAILURE() << document.path << " does not have " << text;                  \
  } else {                                                                        \
    EXPECT_EQ(row.mapped().cells[1], meaning) << at(document, row.mapped().line); \
  }
  ATM0S_ERROR_CODES(ATM0S_X)
#undef ATM0S_X
  for (const auto& [code, row] : rows) ADD_FAILURE() << at(document, row.line) << "no code is called " << code;
}

TEST(MetricsPage, HasEveryName) {
  Metrics metrics;
  for (const char* source : {"src/node/worker_stats.cpp", "src/core/peer/counters.h",
                             "src/apps/server/media_workers.cpp", "src/control/http/router.cpp"}) {
    find_metrics(read_text(kRoot / source), metrics);
  }
  ASSERT_GT(metrics.types.size(), 20u);
  metrics.types["atm0s_dropped_total"] = "counter";
  const Document document = read_document("docs/metrics.md");
  for (const auto& [name, row] : rows_by_code(document)) {
    if (name.starts_with("atm0s_")) {
      EXPECT_EQ(metrics.types[name], row.cells[1]) << at(document, row.line) << name;
      metrics.types.erase(name);
    } else {
      EXPECT_EQ(metrics.drop_reasons.erase(name), 1u) << at(document, row.line) << "nothing is dropped for " << name;
    }
  }
  for (const auto& [name, type] : metrics.types) ADD_FAILURE() << document.path << " does not have " << name;
  for (const auto& reason : metrics.drop_reasons) ADD_FAILURE() << document.path << " does not have " << reason;
}

TEST(Policies, HeaderExtensionsAreTheTable) {
  const Document document = read_document("docs/policies.md");
  std::map<std::string, TableRow> rows;
  for (const TableRow& row : find_rows(document)) {
    if (row.cells.size() >= 4) rows.emplace(code_of(row.cells.front()).value_or(""), row);
  }
  for (const negotiation::ExtensionPolicy& policy : negotiation::kExtensionPolicies) {
    const std::string uri(rtp::uri_of(policy.extension));
    const auto row = rows.find(uri);
    ASSERT_NE(row, rows.end()) << document.path << " does not have " << uri;
    EXPECT_EQ(row->second.cells[1], negotiation::is_accepted(policy.extension) ? "yes" : "no") << uri;
    EXPECT_EQ(row->second.cells[2], negotiation::is_forwarded(policy.extension) ? "yes" : "no") << uri;
    EXPECT_EQ(row->second.cells[3], policy.why) << uri;
  }
}

TEST(RunAServer, ExplainsEverySetting) {
  const auto settings = find_settings(read_text(kRoot / "src/apps/server/setting.cpp"));
  ASSERT_GT(settings.size(), 8u);
  std::set<std::string> explained;
  for (const TableRow& row : find_rows(read_document("docs/guides/run-a-server.md"))) {
    const std::string flag = code_of(row.cells.front()).value_or("");
    if (flag.starts_with("--")) explained.insert(flag.substr(2, flag.find(' ') - 2));
  }
  EXPECT_EQ(explained, settings);
}

// docs/ways: | 1 | `file` | lines | what |, and "N files, M lines" in words.
void check_way(const std::string& path) {
  const Document document = read_document(path);
  std::map<std::string, int> files;
  int total = 0;
  for (const TableRow& row : find_rows(document)) {
    const auto file = row.cells.size() < 4 ? std::nullopt : code_of(row.cells[1]);
    int told = 0;
    if (!file || std::from_chars(row.cells[2].data(), row.cells[2].data() + row.cells[2].size(), told).ptr ==
                     row.cells[2].data())
      continue;
    const std::string text = read_text(kRoot / "src" / *file);
    const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    // The way is about its shape: a few lines more or less make the page no less true.
    EXPECT_NEAR(told, lines, 15 + lines / 10) << at(document, row.line) << *file;
    if (files.emplace(*file, told).second) total += told;
  }
  ASSERT_FALSE(files.empty()) << path;
  const std::regex summary(R"((\d+) files, (\d+) lines)");
  std::smatch match;
  ASSERT_TRUE(std::regex_search(document.text, match, summary)) << path << " does not say how many files and lines";
  EXPECT_EQ(std::stoi(match[1]), static_cast<int>(files.size())) << path;
  EXPECT_EQ(std::stoi(match[2]), total) << path;
}

TEST(Ways, NameTheFilesAndTheirSize) {
  check_way("docs/ways/packet.md");
  check_way("docs/ways/rpc.md");
}

// docs/reliability.md: | 1 | weakness | `ATest` in `a/file.cpp`, `a_fuzz` | figure |. What the third cell names in code
// and is no path is a test; up to this row each has one.
constexpr int kRowsWithTests = 18;

TEST(Reliability, NamesTestsThatThereAre) {
  std::set<std::string> tests = find_tests(kRoot / "src");
  tests.merge(find_tests(kRoot / "tests"));
  ASSERT_GT(tests.size(), 500u);
  const Document document = read_document("docs/reliability.md");
  const std::regex name(R"(`(\w+)`)");
  int rows = 0;
  for (const TableRow& row : find_rows(document)) {
    int number = 0;
    const std::string& first = row.cells.front();
    std::from_chars(first.data(), first.data() + first.size(), number);
    if (number == 0) continue;
    ASSERT_EQ(row.cells.size(), 4u) << at(document, row.line);
    EXPECT_EQ(number, ++rows) << at(document, row.line);
    const std::string& named = row.cells[2];
    int found = 0;
    for (std::sregex_iterator match(named.begin(), named.end(), name), end; match != end; ++match) {
      EXPECT_TRUE(tests.contains((*match)[1])) << at(document, row.line) << "there is no test " << (*match)[1];
      ++found;
    }
    EXPECT_TRUE(number > kRowsWithTests || found > 0) << at(document, row.line) << "no test for " << row.cells[1];
  }
  EXPECT_GE(rows, kRowsWithTests);
}

// --- the test's own eyes --------------------------------------------------------------------------------------------

TEST(Reading, RowsLinksAndPaths) {
  const Document document{"docs/x.md",
                          "# A Heading, with `code`\n| `a` | b \\| c | `core/ice` |\n"
                          "```sh\n| not | a | row |\nls tests/golden/*.cpp\n```\n"
                          "[x](y.md#z) and [far](https://example.org/src/x) and src/base/time.h, src/base/no.h.\n"};
  const auto rows = find_rows(document);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].cells, (std::vector<std::string>{"`a`", "b \\| c", "`core/ice`"}));
  ASSERT_EQ(find_links(document).size(), 1u);
  EXPECT_EQ(find_links(document)[0].what, "y.md#z");
  EXPECT_TRUE(find_anchors(document).contains("a-heading-with-code"));
  std::set<std::string> paths;
  for (const Mention& path : find_paths(document, {"core"})) paths.insert(path.what);
  EXPECT_EQ(paths, (std::set<std::string>{"src/core/ice", "tests/golden/", "src/base/time.h", "src/base/no.h"}));
  const auto fences = find_fences(document);
  ASSERT_EQ(fences.size(), 1u);
  EXPECT_EQ(fences[0].line, 3);
  EXPECT_EQ(fences[0].info, "sh");
  EXPECT_EQ(fences[0].text, "| not | a | row |\nls tests/golden/*.cpp\n");
}

TEST(Reading, ConstantsAndMetrics) {
  EXPECT_EQ(find_value("constexpr size_t kMaxX = 2 * 1'024;  // why\n", "kMaxX"), "2 * 1'024");
  EXPECT_EQ(find_value("  Duration idle = 30s;\n", "idle"), "30s");
  EXPECT_EQ(find_value("constexpr size_t kMaxX = 2;\n", "kMax"), std::nullopt);
  Metrics metrics;
  find_metrics(
      "gauge(\"atm0s_a\", \"h\", 1); drop(\"late\", 2); {&C::drop_x, \"drop_old\"}, counter(\"atm0s_b\", help, "
      "\"reason=\\\"odd\\\"\");",
      metrics);
  EXPECT_EQ(metrics.types, (std::map<std::string, std::string>{{"atm0s_a", "gauge"}, {"atm0s_b", "counter"}}));
  EXPECT_EQ(metrics.drop_reasons, (std::set<std::string>{"late", "odd", "old"}));
}

}  // namespace
}  // namespace atm::docs
