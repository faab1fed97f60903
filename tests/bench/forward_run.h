// The measurements of forward_bench: what forwarding one packet costs the server, by what is forwarded and by what its
// subscribers do, and how many segments go out in one send.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibrator.h"
#include "load.h"
#include "server_process.h"

namespace atm::bench {

// The server has the first core, and the load generator the second.
inline constexpr size_t kServerCore = 0, kLoadCore = 1;

struct Timing {
  size_t rounds = 5;
  Duration lead_in = 400ms;  // before each measurement, so that caches and pacers are as they are in a call
  Duration window = 2s;
  Duration calibration = 300ms;  // before and after each
  Duration settling = 1s;        // of each pattern, twice at the least, before its first measurement
};

struct Round {
  double server_us = 0;  // CPU for one forwarded packet
  double calibrator_us = 0;
};

struct Figure {
  Pattern pattern;
  std::string subscribers;  // what they do
  std::vector<Round> rounds;
  uint64_t repeated = 0;  // rounds that were measured again: the machine was not the same before and after
  uint64_t published = 0, forwarded = 0, wanted = 0;
  double datagrams = 0, sends = 0;  // of the server

  // RTCP and STUN, each mostly in a send of its own, are in it: what a /metrics page tells.
  double segments_per_send() const { return sends > 0 ? datagrams / sends : 0; }
};

class ForwardRun {
 public:
  ForwardRun(soak::ServerProcess& server, Load& load, Calibrator& calibrator, std::string subscribers)
      : server_(server), load_(load), calibrator_(calibrator), subscribers_(std::move(subscribers)) {}

  // Rounds of all patterns, one after the other in each.
  std::vector<Figure> measure(const std::vector<Pattern>& patterns, const Timing& timing);
  // Segments per send alone, in one go.
  Figure count_segments(const Pattern& pattern, const Timing& timing);

 private:
  // A round whose calibrations differ by more is measured again, so often at most.
  static constexpr double kSteady = 0.2;
  static constexpr int kMaxRepeats = 3;

  double calibrate(const Pattern& pattern, Duration length);
  Round measure_round(const Pattern& pattern, const Timing& timing, Figure& figure);
  // Runs the pattern and adds up what the server says of it.
  void run_counted(const Pattern& pattern, Duration lead_in, Duration length, Figure& figure, uint64_t* cpu_ns,
                   uint64_t* forwarded);

  soak::ServerProcess& server_;
  Load& load_;
  Calibrator& calibrator_;
  std::string subscribers_;
};

}  // namespace atm::bench
