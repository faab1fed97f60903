// What forwarding costs the real server: one publisher to 100 subscribers over loopback, on one core.
//
//   forward_bench SERVER [--quick] [--json FILE] [--subscribers N] [--only NAME] [--no-segments] [--profile SECONDS]
//
// Twice: with subscribers that read everything, check it and give transport-wide feedback, so that the server paces
// what they get; and with subscribers whose sockets drop media in the kernel, which the server does not pace. Beside
// each figure what a naive loop takes on this machine at the same time (calibrator.h).
// --only: one pattern, or "reading" or "dropping". --profile: perf of the server under bursts, instead of figures.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cpu.h"
#include "forward_report.h"
#include "forward_run.h"

namespace {

using namespace atm;
using namespace atm::bench;

const std::string kSecret = "a secret of the benchmark, longer than 32 bytes";

constexpr const char* kPerfData = "build/bench/forward.perf";

struct Options {
  std::string server;
  std::string json = "build/bench/forward.json";
  std::string only;
  size_t subscribers = 100;
  bool is_quick = false;
  bool counts_segments = true;
  int profile_seconds = 0;
};

Pattern bursts() {
  Pattern pattern;
  pattern.name = "bursts of six, 1,200 bytes";
  return pattern;
}

// The same, ten times as often: caches stay warm. Only for subscribers who need not be read.
Pattern many_bursts() {
  Pattern pattern;
  pattern.name = "bursts of six, 300 a second";
  pattern.frame_interval /= 10;
  return pattern;
}

Pattern singles() {
  Pattern pattern;
  pattern.name = "single packets, 1,200 bytes";
  pattern.packets_per_group = 1;
  pattern.spacing = pattern.frame_interval / static_cast<int64_t>(pattern.packets_per_frame);
  return pattern;
}

Pattern audio() {
  Pattern pattern;
  pattern.name = "audio, 160 bytes";
  pattern.kind = MediaKind::kAudio;
  pattern.datagram_bytes = 160;
  pattern.packets_per_frame = pattern.packets_per_group = 1;
  pattern.frame_interval = 20ms;
  return pattern;
}

// A camera of that rate at 30 frames a second, in packets of up to 1,200 bytes. `is_paced`: as libwebrtc's pacer sends
// it, every 5 ms what 2.5 times the rate allows; else a frame in one go.
Pattern stream(double mbps, bool is_paced) {
  constexpr double kPacingFactor = 2.5, kMaxBytes = 1'200, kFrames = 30;
  constexpr Duration kStep = 5ms;
  Pattern pattern;
  const double frame_bytes = mbps * 1e6 / 8 / kFrames;
  pattern.packets_per_frame = static_cast<size_t>(std::ceil(frame_bytes / kMaxBytes));
  pattern.datagram_bytes = static_cast<size_t>(frame_bytes / static_cast<double>(pattern.packets_per_frame));
  pattern.packets_per_group = pattern.packets_per_frame;
  if (is_paced) {
    const double step_bytes = mbps * kPacingFactor * 1e3 / 8 * static_cast<double>(kStep.count()) / 1e3;
    const double packets = step_bytes / static_cast<double>(pattern.datagram_bytes);
    pattern.packets_per_group = static_cast<size_t>(std::max(1.0, std::round(packets)));
    pattern.spacing = kStep;
  }
  char name[80];
  std::snprintf(name, sizeof name, "%.1f Mbit/s, %s", mbps, is_paced ? "paced by its publisher" : "frames at once");
  pattern.name = name;
  return pattern;
}

Options read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    const char* next = i + 1 < count ? arguments[i + 1] : "";
    if (argument == "--quick") {
      options.is_quick = true;
    } else if (argument == "--no-segments") {
      options.counts_segments = false;
    } else if (argument == "--json") {
      options.json = next, ++i;
    } else if (argument == "--only") {
      options.only = next, ++i;
    } else if (argument == "--subscribers") {
      options.subscribers = static_cast<size_t>(std::atoi(next)), ++i;
    } else if (argument == "--profile") {
      options.profile_seconds = std::atoi(next), ++i;
    } else {
      options.server = argument;
    }
  }
  if (!options.server.empty() && options.subscribers > 0) return options;
  std::fprintf(stderr,
               "usage: forward_bench SERVER [--quick] [--json FILE] [--subscribers N] [--only NAME] [--no-segments] "
               "[--profile SECONDS]\n");
  std::exit(2);
}

// perf of the server while it forwards.
void profile(soak::ServerProcess& server, Load& load, const Pattern& pattern, int seconds) {
  load.settle(pattern, 1s);
  const std::string pid = std::to_string(server.pid()), length = std::to_string(seconds);
  const pid_t perf = fork();
  if (perf == 0) {
    execlp("perf", "perf", "record", "-q", "-F", "9999", "-o", kPerfData, "-p", pid.c_str(), "--", "sleep",
           length.c_str(), nullptr);
    std::perror("bench: perf");
    _exit(1);
  }
  load.run(pattern, std::chrono::seconds(seconds + 1));
  waitpid(perf, nullptr, 0);
  print_profile(kPerfData);
}

struct Outcome {
  std::vector<Figure> costs, segments;
  Checks checks;
};

// One server from beginning to end.
void run_server(const Options& options, bool drops_media, Calibrator& calibrator, Outcome& outcome) {
  soak::ServerProcess server(options.server, kSecret, {"--workers", "1"}, kServerCore);
  Load load(server, kSecret, options.subscribers);
  if (!load.join(drops_media)) {
    std::fprintf(stderr, "bench: not everybody could join\n");
    std::exit(1);
  }
  if (options.profile_seconds > 0) {
    return profile(server, load, drops_media ? many_bursts() : bursts(), options.profile_seconds);
  }
  ForwardRun run(server, load, calibrator, drops_media ? "dropping" : "reading");
  Timing timing;
  if (options.is_quick) timing = {3, 150ms, 600ms, 100ms, 300ms};
  std::vector<Pattern> patterns;
  std::vector<Pattern> all{bursts(), singles(), audio()};
  if (drops_media) all.push_back(many_bursts());
  for (const Pattern& pattern : all) {
    if (options.only.empty() || options.only == "reading" || options.only == "dropping" ||
        pattern.name.starts_with(options.only)) {
      patterns.push_back(pattern);
    }
  }
  for (Figure& figure : run.measure(patterns, timing)) outcome.costs.push_back(std::move(figure));
  if (options.counts_segments && !drops_media) {
    for (const double mbps : {0.5, 1.0, 2.5, 8.0}) {
      for (const bool is_paced : {false, true}) {
        outcome.segments.push_back(run.count_segments(stream(mbps, is_paced), timing));
      }
    }
  }
  outcome.checks.missing += load.missing();
  outcome.checks.wrong += load.wrong();
  outcome.checks.segment_refusals += static_cast<uint64_t>(server.metric("atm0s_udp_segment_refusals_total"));
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = read_options(count, arguments);
  pin_to_core(kLoadCore);
  Calibrator calibrator(options.subscribers);
  Outcome outcome;
  if (options.only != "dropping") run_server(options, false, calibrator, outcome);
  if (options.only != "reading") run_server(options, true, calibrator, outcome);
  if (options.profile_seconds > 0) return 0;
  std::printf("%s; server on one core, %zu subscribers\n\n", describe_machine().c_str(), options.subscribers);
  print_costs(outcome.costs);
  if (!outcome.segments.empty()) {
    std::printf("\n");
    print_segments(outcome.segments);
  }
  std::printf("\ndecrypted and checked: %llu missing, %llu wrong; segmented sends refused by the kernel: %llu\n",
              static_cast<unsigned long long>(outcome.checks.missing),
              static_cast<unsigned long long>(outcome.checks.wrong),
              static_cast<unsigned long long>(outcome.checks.segment_refusals));
  write_json(options.json, outcome.costs, outcome.segments, outcome.checks);
  return outcome.checks.missing == 0 && outcome.checks.wrong == 0 ? 0 : 1;
}
