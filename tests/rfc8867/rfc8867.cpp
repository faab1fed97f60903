// rfc8867 FOLDER [SEED [CASE]]: plays all cases, or those that begin with CASE, and leaves in FOLDER a file of numbers
// and a script of gnuplot for each, and the table; the table is printed too. Figures of libwebrtc that lie there
// (CASE.reference.txt) get into it.
#include <cstdio>
#include <cstdlib>

#include "report.h"
#include "trial.h"

using namespace atm::rfc8867;

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: rfc8867 FOLDER [SEED [CASE]]\n");
    return 2;
  }
  const std::string folder = argv[1];
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const std::string only = argc > 3 ? argv[3] : "";
  std::vector<Row> rows;
  for (const Scenario& scenario : scenarios()) {
    if (!scenario.id.starts_with(only)) continue;
    Trial trial(scenario, seed);
    if (!trial.play()) return 1;
    const std::string path = folder + "/" + scenario.id;
    if (!write_file(path + ".csv", trial.csv()) ||
        !write_file(path + ".gp", plot_script(folder, scenario.id, scenario))) {
      std::fprintf(stderr, "rfc8867: cannot write %s\n", path.c_str());
      return 1;
    }
    rows.push_back({scenario, trial.figures(), Figures::read(read_file(path + ".reference.txt"))});
  }
  const std::string text = table(rows);
  write_file(folder + "/table.md", text);
  std::fputs(text.c_str(), stdout);
  return 0;
}
