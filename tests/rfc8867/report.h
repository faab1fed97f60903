// What ./dev sim rfc8867 leaves: a file of numbers and a plot for each case, and the table. For the programs of
// tests/rfc8867.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meter.h"
#include "scenario.h"

namespace atm::rfc8867 {

struct Row {
  Scenario scenario;
  Figures ours;
  std::optional<Figures> reference;  // of libwebrtc, when that was measured
};

bool write_file(const std::string& path, const std::string& text);
std::string read_file(const std::string& path);
// A script of gnuplot that makes NAME.png out of NAME.csv, both in `folder`.
std::string plot_script(const std::string& folder, const std::string& name, const Scenario& scenario);
// Markdown.
std::string table(const std::vector<Row>& rows);

}  // namespace atm::rfc8867
