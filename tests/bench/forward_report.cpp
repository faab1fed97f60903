#include "forward_report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "cpu.h"

namespace atm::bench {
namespace {

struct Spread {
  double median = 0, least = 0, most = 0;
};

template <typename Value>
Spread spread_of(const std::vector<Round>& rounds, Value value) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(value(round));
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

double server_us(const Round& round) {
  return round.server_us;
}
double calibrator_us(const Round& round) {
  return round.calibrator_us;
}
double ratio(const Round& round) {
  return round.calibrator_us == 0 ? 0 : round.server_us / round.calibrator_us;
}

double lost_percent(const Figure& figure) {
  const auto wanted = static_cast<double>(figure.wanted);
  return wanted == 0 ? 0 : (wanted - static_cast<double>(figure.forwarded)) * 100 / wanted;
}

nlohmann::ordered_json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"least", spread.least}, {"most", spread.most}};
}

nlohmann::ordered_json to_json(const Figure& figure) {
  nlohmann::ordered_json rounds = nlohmann::ordered_json::array();
  for (const Round& round : figure.rounds) {
    rounds.push_back({{"server_us", round.server_us}, {"calibrator_us", round.calibrator_us}});
  }
  return {{"pattern", figure.pattern.name},
          {"subscribers", figure.subscribers},
          {"datagram_bytes", figure.pattern.datagram_bytes},
          {"packets_per_second", figure.pattern.packets_per_second()},
          {"server_us", to_json(spread_of(figure.rounds, server_us))},
          {"calibrator_us", to_json(spread_of(figure.rounds, calibrator_us))},
          {"ratio", to_json(spread_of(figure.rounds, ratio))},
          {"segments_per_send", figure.segments_per_send()},
          {"published", figure.published},
          {"forwarded", figure.forwarded},
          {"wanted", figure.wanted},
          {"server_datagrams", figure.datagrams},
          {"server_sends", figure.sends},
          {"repeated_rounds", figure.repeated},
          {"rounds", rounds}};
}

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \n"), last = text.find_last_not_of(" \n");
  return first == std::string_view::npos ? std::string() : std::string(text.substr(first, last - first + 1));
}

void print_shares(const char* what, const std::map<std::string, double>& shares, double least) {
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [name, share] : shares) sorted.emplace_back(share, name);
  std::sort(sorted.rbegin(), sorted.rend());
  std::printf("| share | %s |\n| --- | --- |%s\n", what, std::strchr(what, '|') != nullptr ? " --- |" : "");
  for (const auto& [share, name] : sorted) {
    if (share >= least) std::printf("| %.2f %% | %s |\n", share, name.c_str());
  }
}

}  // namespace

void print_costs(const std::vector<Figure>& figures) {
  std::printf("| subscribers | published | server, µs a packet | naive loop, µs | ratio | segments a send | lost |\n");
  std::printf("| --- | --- | --- | --- | --- | --- | --- |\n");
  for (const Figure& figure : figures) {
    const Spread server = spread_of(figure.rounds, server_us), loop = spread_of(figure.rounds, calibrator_us),
                 by_round = spread_of(figure.rounds, ratio);
    std::printf("| %s | %s | %.2f (%.2f to %.2f) | %.2f | %.2f (%.2f to %.2f) | %.2f | %.2f %% |\n",
                figure.subscribers.c_str(), figure.pattern.name.c_str(), server.median, server.least, server.most,
                loop.median, by_round.median, by_round.least, by_round.most, figure.segments_per_send(),
                lost_percent(figure));
  }
}

void print_segments(const std::vector<Figure>& figures) {
  std::printf("| published | segments a send | server, µs a packet | lost |\n");
  std::printf("| --- | --- | --- | --- |\n");
  for (const Figure& figure : figures) {
    std::printf("| %s | %.2f | %.2f | %.2f %% |\n", figure.pattern.name.c_str(), figure.segments_per_send(),
                figure.rounds.front().server_us, lost_percent(figure));
  }
}

void print_profile(const std::string& perf_data) {
  const std::string command =
      "perf report -i " + perf_data + " --stdio -F overhead,dso,sym -t '|' 2>/dev/null | grep -v '^#'";
  FILE* report = popen(command.c_str(), "r");
  std::map<std::string, double> libraries, functions;
  char line[1'024];
  while (report != nullptr && std::fgets(line, sizeof line, report) != nullptr) {
    const std::string_view text = line;
    const size_t first = text.find('|'), second = text.find('|', first + 1);
    if (second == std::string_view::npos) continue;
    const double share = std::atof(line);
    const std::string library = trimmed(text.substr(first + 1, second - first - 1));
    // "[k] name", "[.] name"; code without a name, as OpenSSL's assembly, is its library's.
    std::string function = trimmed(text.substr(second + 1));
    if (function.size() < 5) continue;
    function = function.substr(4);
    if (function.starts_with("0x")) function = "(no name)";
    libraries[library] += share;
    functions[function + " | " + library] += share;
  }
  if (report != nullptr) pclose(report);
  print_shares("library", libraries, 0.1);
  std::printf("\n");
  print_shares("function | library", functions, 0.5);
}

void write_json(const std::string& path, const std::vector<Figure>& costs, const std::vector<Figure>& segments,
                const Checks& checks) {
  nlohmann::ordered_json out;
  out["machine"] = describe_machine();
  out["missing"] = checks.missing;
  out["wrong"] = checks.wrong;
  out["segment_refusals"] = checks.segment_refusals;
  out["costs"] = nlohmann::ordered_json::array();
  out["segments"] = nlohmann::ordered_json::array();
  for (const Figure& figure : costs) out["costs"].push_back(to_json(figure));
  for (const Figure& figure : segments) out["segments"].push_back(to_json(figure));
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  std::ofstream file(path);
  file << out.dump(2) << '\n';
  if (!file) std::fprintf(stderr, "bench: %s cannot be written\n", path.c_str());
}

}  // namespace atm::bench
