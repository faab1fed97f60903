#include "arrows.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>

#include "source_text.h"
#include "table.h"

namespace atm::arrows {
namespace {

// Logic: everything that takes the time, the randomness and the bytes from outside. io and apps are what gives them.
constexpr std::string_view kLogic[] = {"base", "wire", "core", "contract", "media", "node", "control", "cluster"};

struct Ban {
  std::string_view name;  // found as a whole word; a name that ends with "(" is a call
  std::string_view why;
};

constexpr Ban kBans[] = {
    {"::now()", "reads a clock"},
    {"gettimeofday", "reads a clock"},
    {"clock_gettime", "reads a clock"},
    {"time(nullptr)", "reads a clock"},
    {"time(NULL)", "reads a clock"},
    {"time(0)", "reads a clock"},
    {"time(&", "reads a clock"},
    {"system_clock", "reads a clock"},
    {"steady_clock", "reads a clock"},
    {"high_resolution_clock", "reads a clock"},
    {"std::thread", "starts a thread"},
    {"std::jthread", "starts a thread"},
    {"std::async", "starts a thread"},
    {"std::mutex", "takes a lock"},
    {"std::shared_mutex", "takes a lock"},
    {"std::recursive_mutex", "takes a lock"},
    {"std::condition_variable", "takes a lock"},
    {"rand(", "draws ambient randomness"},
    {"srand(", "draws ambient randomness"},
    {"random_device", "draws ambient randomness"},
    {"RAND_bytes", "draws ambient randomness"},
    {"RAND_priv_bytes", "draws ambient randomness"},
    {"getenv", "reads the environment"},
    {"fopen", "opens a file"},
    {"std::ifstream", "opens a file"},
    {"std::ofstream", "opens a file"},
    {"std::cout", "writes to the terminal"},
    {"std::cerr", "writes to the terminal"},
};

// Also in the tests of logic: they run in virtual time.
constexpr Ban kBansInTests[] = {
    {"sleep_for", "sleeps"},
    {"sleep_until", "sleeps"},
    {"usleep", "sleeps"},
    {"nanosleep", "sleeps"},
};

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// Tests (and what they share, _test.h), fuzz targets and benchmarks may use any library, clock and thread: they drive
// the logic, they are not it.
bool is_test(std::string_view path) {
  return path.ends_with("_test.cpp") || path.ends_with("_test.h") || path.ends_with("_fuzz.cpp") ||
         path.ends_with("_bench.cpp");
}

bool is_logic(std::string_view module) {
  return std::any_of(std::begin(kLogic), std::end(kLogic), [&](std::string_view name) { return covers(name, module); });
}

// "<vector>", "<cstdint>": the C++ standard library has neither dot nor slash.
bool is_standard(std::string_view header) {
  return header.find_first_of("./") == std::string_view::npos;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// `name` as a whole word and not as a member: "time(&" is found in "std::time(&t)", not in "uptime(&t)" or
// "x.time(&t)".
bool mentions(std::string_view line, std::string_view name) {
  for (size_t at = line.find(name); at != std::string_view::npos; at = line.find(name, at + 1)) {
    const char before = at == 0 ? ' ' : line[at - 1];
    const size_t end = at + name.size();
    const char after = end < line.size() ? line[end] : ' ';
    const bool starts = !is_word(name.front()) || (!is_word(before) && before != '.' && before != '>');
    const bool ends = !is_word(name.back()) || !is_word(after);
    if (starts && ends) return true;
  }
  return false;
}

class Checker {
 public:
  explicit Checker(const SourceTree& tree) : tree_(tree), table_(read_table(tree.table)) {
    for (const SourceFile& file : tree.files) paths_.insert(file.path);
  }

  std::vector<Violation> run() {
    for (const auto& [line, what] : table_.problems) report("ARROWS", line, what);
    check_names();
    check_cycles();
    for (const SourceFile& file : tree_.files) check_file(file);
    return std::move(found_);
  }

 private:
  void report(const std::string& path, int line, const std::string& what) { found_.push_back({path, line, what}); }

  void check_names() {
    for (const auto* rows : {&table_.modules, &table_.libraries}) {
      for (const auto& [name, row] : *rows) {
        for (const std::string& used : row.names) {
          if (!modules_under(table_, used).empty()) continue;
          report("ARROWS", row.line, name + " names " + used + ", which is no module");
        }
      }
    }
  }

  void check_cycles() {
    std::set<std::string> done;
    std::vector<std::string> way;
    for (const auto& [module, row] : table_.modules) visit(module, done, way);
  }

  void visit(const std::string& module, std::set<std::string>& done, std::vector<std::string>& way) {
    if (const auto seen = std::find(way.begin(), way.end(), module); seen != way.end()) {
      std::string cycle;
      for (auto step = seen; step != way.end(); ++step) cycle += *step + " -> ";
      report("ARROWS", table_.modules.at(module).line, "the arrows go in a circle: " + cycle + module);
      return;
    }
    if (done.contains(module)) return;
    way.push_back(module);
    for (const std::string& name : table_.modules.at(module).names) {
      for (const std::string& next : modules_under(table_, name)) {
        if (next != module) visit(next, done, way);
      }
    }
    way.pop_back();
    done.insert(module);
  }

  // The longest listed name that covers the folder.
  std::optional<std::string> module_of(const std::string& folder) const {
    std::optional<std::string> best;
    for (const auto& [module, row] : table_.modules) {
      if (covers(module, folder) && (!best || module.size() > best->size())) best = module;
    }
    return best;
  }

  void check_file(const SourceFile& file) {
    const auto module = module_of(folder_of(file.path));
    if (!module) {
      report(file.path, 1, "no line of ARROWS covers this folder");
      return;
    }
    for (const Include& include : find_includes(file.text)) {
      if (include.angled) {
        check_library(file, *module, include);
      } else {
        check_project(file, *module, include);
      }
    }
    if (file.path.ends_with(".h")) check_header(file);
    if (is_logic(*module)) check_bans(file);
  }

  void check_project(const SourceFile& file, const std::string& module, const Include& include) {
    if (!paths_.contains(include.path)) {
      report(file.path, include.line, "there is no src/" + include.path + " (includes name the full path from src)");
      return;
    }
    const auto target = module_of(folder_of(include.path));
    if (!target || *target == module) return;
    const auto& allowed = table_.modules.at(module).names;
    const bool ok = std::any_of(allowed.begin(), allowed.end(), [&](auto& name) { return covers(name, *target); });
    if (!ok) report(file.path, include.line, module + " may not include " + *target + " (\"" + include.path + "\")");
  }

  void check_library(const SourceFile& file, const std::string& module, const Include& include) {
    if (is_test(file.path)) return;
    const std::string spelt = "<" + include.path + ">";
    const Row* best = nullptr;
    size_t length = 0;
    for (const auto& [prefix, row] : table_.libraries) {
      if (spelt.starts_with(prefix) && prefix.size() > length) {
        best = &row;
        length = prefix.size();
      }
    }
    if (best == nullptr) {
      if (!is_standard(include.path)) report(file.path, include.line, spelt + " is not listed in ARROWS");
      return;
    }
    const bool ok =
        std::any_of(best->names.begin(), best->names.end(), [&](auto& name) { return covers(name, module); });
    if (!ok) report(file.path, include.line, module + " may not include " + spelt);
  }

  void check_header(const SourceFile& file) {
    if (!file.text.starts_with("//"))
      report(file.path, 1, "a header begins with a // comment: what it is, who calls it");
    const auto lines = split_lines(blank_out(file.text, true));
    const bool once =
        std::any_of(lines.begin(), lines.end(), [](auto& line) { return line.starts_with("#pragma once"); });
    if (!once) report(file.path, 1, "a header has #pragma once");
  }

  void check_bans(const SourceFile& file) {
    int number = 0;
    for (const std::string& line : split_lines(blank_out(file.text, true))) {
      ++number;
      if (!is_test(file.path)) report_bans(file, number, line, std::begin(kBans), std::end(kBans));
      report_bans(file, number, line, std::begin(kBansInTests), std::end(kBansInTests));
    }
  }

  void report_bans(const SourceFile& file, int number, std::string_view line, const Ban* from, const Ban* to) {
    for (; from != to; ++from) {
      if (mentions(line, from->name)) {
        report(file.path, number, std::string(from->name) + " " + std::string(from->why) + "; logic is given that");
      }
    }
  }

  const SourceTree& tree_;
  Table table_;
  std::set<std::string> paths_;
  std::vector<Violation> found_;
};

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

SourceTree read_tree(const std::filesystem::path& src) {
  SourceTree tree{read_text(src / "ARROWS"), {}};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(src)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".h" && extension != ".cpp")) continue;
    tree.files.push_back({entry.path().lexically_relative(src).generic_string(), read_text(entry.path())});
  }
  std::sort(tree.files.begin(), tree.files.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return tree;
}

std::vector<Violation> check(const SourceTree& tree) {
  return Checker(tree).run();
}

std::string describe(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& v : violations) text += "src/" + v.path + ":" + std::to_string(v.line) + ": " + v.what + "\n";
  return text;
}

}  // namespace atm::arrows
