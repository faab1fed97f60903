#include "forward_run.h"

#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>

namespace atm::bench {

// On a thread of its own; meanwhile connections are kept.
double ForwardRun::calibrate(const Pattern& pattern, Duration length) {
  Shape shape;
  shape.bytes = pattern.datagram_bytes;
  shape.packets = pattern.packets_per_group;
  shape.interval = pattern.spacing == Duration{} ? pattern.frame_interval : pattern.spacing;
  std::atomic<bool> is_done = false;
  double ns = 0;
  std::thread thread([&] {
    ns = calibrator_.run(shape, length, kServerCore);
    is_done = true;
  });
  while (!is_done) load_.idle(Load::kLook);
  thread.join();
  return ns / 1e3;
}

void ForwardRun::run_counted(const Pattern& pattern, Duration lead_in, Duration length, Figure& figure,
                             uint64_t* cpu_ns, uint64_t* forwarded) {
  const auto read = [this](double sign, Figure& out) {
    out.datagrams += sign * server_.metric("atm0s_udp_datagrams_sent_total");
    out.sends += sign * server_.metric("atm0s_udp_sends_total");
  };
  read(-1, figure);
  load_.run(pattern, lead_in);
  load_.drain();
  const uint64_t published = load_.published(), received = load_.received(), ran = server_.cpu_ns();
  load_.run(pattern, length);
  load_.drain();
  *cpu_ns = server_.cpu_ns() - ran;
  *forwarded = load_.received() - received;
  figure.published += load_.published() - published;
  figure.forwarded += *forwarded;
  figure.wanted += (load_.published() - published) * load_.subscriber_count();
  read(1, figure);
}

Round ForwardRun::measure_round(const Pattern& pattern, const Timing& timing, Figure& figure) {
  for (int repeat = 0;; ++repeat) {
    const double before = calibrate(pattern, timing.calibration);
    Figure tried = figure;
    uint64_t cpu_ns = 0, forwarded = 0;
    run_counted(pattern, timing.lead_in, timing.window, tried, &cpu_ns, &forwarded);
    const double after = calibrate(pattern, timing.calibration);
    const bool is_steady = std::abs(after - before) <= kSteady * std::min(before, after);
    if (!is_steady && repeat < kMaxRepeats) {
      ++figure.repeated;
      continue;
    }
    tried.repeated = figure.repeated;
    figure = std::move(tried);
    const double packets = forwarded == 0 ? 1 : static_cast<double>(forwarded);
    return {static_cast<double>(cpu_ns) / 1e3 / packets, (before + after) / 2};
  }
}

std::vector<Figure> ForwardRun::measure(const std::vector<Pattern>& patterns, const Timing& timing) {
  std::vector<Figure> figures;
  for (const Pattern& pattern : patterns) {
    if (!load_.settle(pattern, timing.settling))
      std::fprintf(stderr, "bench: %s does not come through\n", pattern.name.c_str());
    figures.push_back({pattern, subscribers_, {}});
  }
  for (size_t round = 0; round < timing.rounds; ++round) {
    for (Figure& figure : figures) figure.rounds.push_back(measure_round(figure.pattern, timing, figure));
  }
  return figures;
}

Figure ForwardRun::count_segments(const Pattern& pattern, const Timing& timing) {
  Figure figure{pattern, subscribers_, {}};
  if (!load_.settle(pattern, timing.settling))
    std::fprintf(stderr, "bench: %s does not come through\n", pattern.name.c_str());
  uint64_t cpu_ns = 0, forwarded = 0;
  run_counted(pattern, 0s, timing.window, figure, &cpu_ns, &forwarded);
  figure.rounds.push_back({forwarded == 0 ? 0 : static_cast<double>(cpu_ns) / 1e3 / static_cast<double>(forwarded), 0});
  return figure;
}

}  // namespace atm::bench
