// The Markdown documents of the repository as docs_test looks at them: rows of tables, links, headings, paths that are
// mentioned. Reads what people write here, not all of Markdown: no nested fences, no reference links, no HTML.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace atm::docs {

struct Document {
  std::string path;  // from the repository's root
  std::string text;
};

// One row of a table. Outside of code blocks; heads and rulers are rows like others.
struct TableRow {
  int line = 0;
  std::vector<std::string> cells;
};

struct Mention {
  int line = 0;
  std::string what;
};

// A block of code, with what stands behind its fence: "json ann".
struct Fence {
  int line = 0;  // of the fence
  std::string info;
  std::string text;
};

std::string read_text(const std::filesystem::path& path);
// Every *.md but those of packages and builds, by path.
std::vector<Document> read_documents(const std::filesystem::path& root);

std::vector<TableRow> find_rows(const Document& document);
std::vector<Fence> find_fences(const Document& document);
// The insides of a cell that is one piece of code: "`x`" gives "x".
std::optional<std::string> code_of(std::string_view cell);

// Targets of [text](target), without those that go to other hosts.
std::vector<Mention> find_links(const Document& document);
// What a link may name behind "#".
std::set<std::string> find_anchors(const Document& document);
// Paths that begin with a folder of the root ("src/…"), and pieces of code that begin with a folder of src
// ("core/ice/agent.h"), which come back with "src/" in front. What follows a "*" or "{" is cut off with its name.
std::vector<Mention> find_paths(const Document& document, const std::set<std::string>& source_folders);

}  // namespace atm::docs
