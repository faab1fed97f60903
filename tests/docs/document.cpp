#include "document.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>

namespace atm::docs {
namespace {

constexpr std::string_view kSkipped[] = {"build", "node_modules", ".git", ".cache", "out"};

std::string trimmed(std::string_view text) {
  const size_t from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t\r") - from + 1));
}

// visit(line number, line, is inside of a code block)
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  bool in_code = false;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool is_fence = line.starts_with("```");
    if (is_fence) in_code = !in_code;
    visit(number, line, in_code || is_fence);
  }
}

// visit(the match, its line); `expression` is looked for in every line, in code blocks too.
template <typename Visit>
void for_each_match(const Document& document, const std::regex& expression, Visit visit) {
  for_each_line(document.text, [&](int number, const std::string& line, bool) {
    for (std::sregex_iterator match(line.begin(), line.end(), expression), end; match != end; ++match) {
      visit(*match, number);
    }
  });
}

std::string without_pattern(std::string path, std::string_view rest) {
  if (!rest.empty() && (rest[0] == '*' || rest[0] == '{' || rest[0] == '<')) path.resize(path.rfind('/') + 1);
  while (!path.empty() && (path.back() == '.' || path.back() == '-')) path.pop_back();
  return path;
}

}  // namespace

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Document> read_documents(const std::filesystem::path& root) {
  std::vector<Document> out;
  auto entry = std::filesystem::recursive_directory_iterator(root);
  for (const auto end = std::filesystem::recursive_directory_iterator(); entry != end; ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && std::find(std::begin(kSkipped), std::end(kSkipped), name) != std::end(kSkipped)) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && name.ends_with(".md")) {
      out.push_back({entry->path().lexically_relative(root).generic_string(), read_text(entry->path())});
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return out;
}

std::vector<TableRow> find_rows(const Document& document) {
  std::vector<TableRow> out;
  for_each_line(document.text, [&](int number, const std::string& line, bool in_code) {
    if (in_code || !line.starts_with("| ")) return;
    TableRow row{number, {}};
    std::string cell;
    for (size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '|' && line[i - 1] != '\\') {
        row.cells.push_back(trimmed(cell));
        cell.clear();
      } else {
        cell += line[i];
      }
    }
    out.push_back(std::move(row));
  });
  return out;
}

std::vector<Fence> find_fences(const Document& document) {
  std::vector<Fence> out;
  bool is_open = false;
  for_each_line(document.text, [&](int number, const std::string& line, bool in_code) {
    if (line.starts_with("```")) {
      if (!is_open) out.push_back({number, trimmed(std::string_view(line).substr(3)), {}});
      is_open = !is_open;
    } else if (in_code) {
      out.back().text += line + '\n';
    }
  });
  return out;
}

std::optional<std::string> code_of(std::string_view cell) {
  if (cell.size() < 3 || cell.front() != '`' || cell.find('`', 1) != cell.size() - 1) return std::nullopt;
  return std::string(cell.substr(1, cell.size() - 2));
}

std::vector<Mention> find_links(const Document& document) {
  static const std::regex kLink(R"(\]\(([^)\s]+)\))");
  std::vector<Mention> out;
  for_each_match(document, kLink, [&](const std::smatch& match, int line) {
    const std::string target = match[1];
    if (target.find("://") == std::string::npos) out.push_back({line, target});
  });
  return out;
}

std::set<std::string> find_anchors(const Document& document) {
  std::set<std::string> out;
  for_each_line(document.text, [&](int, const std::string& line, bool in_code) {
    if (in_code || !line.starts_with('#')) return;
    std::string slug;
    for (const char c : line.substr(std::min(line.find(' ') + 1, line.size()))) {
      if (c == ' ') slug += '-';
      if (c == '-' || c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0) {
        slug += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    out.insert(slug);
  });
  return out;
}

std::vector<Mention> find_paths(const Document& document, const std::set<std::string>& source_folders) {
  static const std::regex kFromRoot(R"((^|[^A-Za-z0-9_./-])((?:src|tests|docs|cmake|\.ci)/[A-Za-z0-9_./-]*))");
  static const std::regex kFromSource(R"(`(([a-z0-9_]+)/[A-Za-z0-9_./-]*))");
  std::vector<Mention> out;
  for_each_match(document, kFromRoot, [&](const std::smatch& match, int line) {
    out.push_back({line, without_pattern(match[2], match.suffix().str())});
  });
  for_each_match(document, kFromSource, [&](const std::smatch& match, int line) {
    if (!source_folders.contains(match[2])) return;
    out.push_back({line, "src/" + without_pattern(match[1], match.suffix().str())});
  });
  return out;
}

}  // namespace atm::docs
