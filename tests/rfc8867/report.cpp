#include "report.h"

#include <cstdio>
#include <fstream>
#include <sstream>

namespace atm::rfc8867 {
namespace {

std::string number(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string cells(const Figures& f) {
  std::string line = number("%.1f", f.use) + " | " + number("%.0f", f.p50_ms) + " / " + number("%.0f", f.p95_ms) +
                     " | " + number("%.2f", f.loss) + " | ";
  line += (f.jain ? number("%.3f", *f.jain) : "") + " | ";
  line += (f.follow_s ? number("%.1f", *f.follow_s) : "") + " | ";
  return line + number("%.2f", f.freeze_s);
}

}  // namespace

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  return file.good();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string plot_script(const std::string& folder, const std::string& name, const Scenario& scenario) {
  const std::string csv = "'" + folder + "/" + name + ".csv'";
  std::string text = "set datafile separator ','\nset terminal pngcairo size 1000,700\nset output '" + folder + "/" +
                     name + ".png'\nset key autotitle columnhead outside right\nset xrange [0:" +
                     number("%.0f", to_ms(scenario.length) / 1e3) +
                     "]\nset grid\nset multiplot layout 2,1 title 'RFC " + scenario.id + ": " + scenario.title +
                     "'\nset ylabel 'kbit/s'\nplot " + csv +
                     " using 1:2 with steps lw 2 lc rgb 'black' title 'capacity', " + csv +
                     " using 1:3 with steps dt 2 lc rgb 'gray40' title 'fair share'";
  if (!scenario.tcp.empty() || !scenario.fill.empty()) {
    text += ", " + csv + " using 1:5 with lines lc rgb 'gray70' title 'others'";
  }
  for (size_t i = 0; i < scenario.media.size(); ++i) {
    const std::string flow = std::to_string(i + 1);
    const std::string color = " lc " + flow;
    text += ", " + csv + " using 1:" + std::to_string(7 + 2 * i) + " with lines" + color + " title 'flow " + flow + "'";
    if (scenario.media.size() <= 3) {
      text += ", " + csv + " using 1:" + std::to_string(6 + 2 * i) + " with lines dt 3" + color + " title 'target " +
              flow + "'";
    }
  }
  return text + "\nset ylabel 'queue, ms'\nset xlabel 's'\nplot " + csv +
         " using 1:4 with lines lc rgb 'black' title 'queue'\nunset multiplot\n";
}

std::string table(const std::vector<Row>& rows) {
  std::string text =
      "| case | what | use % | queue p50 / p95 ms | loss % | Jain | follows a drop s | longest freeze s | floor | aim "
      "| "
      "libwebrtc: use, queue, loss, Jain, drop, freeze |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
      "| "
      "--- |\n";
  for (const Row& row : rows) {
    const Verdict v = judge(row.scenario, row.ours);
    text += "| " + row.scenario.id + " | " + row.scenario.title + " | " + cells(row.ours) + " | " +
            (v.floor ? "yes" : "**no**") + " | " + (v.aim ? "yes" : "**no**") + " | ";
    if (row.reference) {
      const Figures& f = *row.reference;
      text += number("%.1f %%", f.use) + ", " + number("%.0f", f.p50_ms) + " / " + number("%.0f ms", f.p95_ms) + ", " +
              number("%.2f %%", f.loss) + ", " + (f.jain ? number("%.3f", *f.jain) : "-") + ", " +
              (f.follow_s ? number("%.1f s", *f.follow_s) : "-") + ", " + number("%.2f s", f.freeze_s);
    }
    text += " |\n";
  }
  return text;
}

}  // namespace atm::rfc8867
