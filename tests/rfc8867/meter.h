// What is measured of a case, whoever sends: rates, queueing delay, loss, fairness, how soon a drop is followed. For
// the simulation and for the relay behind libwebrtc alike, so that both are judged by the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "scenario.h"

namespace atm::rfc8867 {

struct Figures {
  double use = 0;     // of the fair share, in percent
  double p50_ms = 0;  // of the queueing delay of media
  double p95_ms = 0;
  double loss = 0;  // percent
  std::optional<double> jain;
  std::optional<double> follow_s;  // the longest of all drops
  double freeze_s = 0;             // the longest

  std::string text() const;  // one line, and back
  static std::optional<Figures> read(const std::string& text);
};

// What is aimed at, and what is the least in every case.
struct Verdict {
  bool floor = false;
  bool aim = false;
};
Verdict judge(const Scenario& scenario, const Figures& figures);

class Meter {
 public:
  static constexpr Duration kTick = 50ms;

  explicit Meter(const Scenario& scenario) : scenario_(scenario), flows_(scenario.media.size()) {}

  void on_sent(size_t flow, size_t bytes) {
    flows_[flow].sent += bytes;
    ++packets_;
  }
  void on_dropped() { ++dropped_; }
  // `is_media`: not padding.
  void on_received(size_t flow, size_t bytes, bool is_media, Duration waited);
  void on_other(size_t bytes) { other_ += bytes; }
  void set_target(size_t flow, uint64_t bps) { flows_[flow].target_bps = bps; }
  void set_active_tcp(size_t forward, size_t backward) {
    active_tcp_[1] = forward;
    active_tcp_[0] = backward;
  }
  void on_freeze(Duration longest) { freeze_ = std::max(freeze_, longest); }
  // Every kTick, at the end of it.
  void tick(Duration at);
  Figures close();
  // "seconds, capacity, fair share, …", one line each 100 ms.
  const std::string& csv() const { return csv_; }
  std::string csv_header() const;

 private:
  struct Flow {
    uint64_t sent = 0;      // bytes in this tick
    uint64_t received = 0;  // media
    uint64_t target_bps = 0;
    double sum = 0;       // bits of media, of all
    double fair = 0;      // bits, of all
    double fair_sum = 0;  // of these, since fair_from: media as a share of what is fair
    double fair_share = 0;
    std::vector<uint64_t> last_sent = std::vector<uint64_t>(kWindow);
    uint64_t row_received = 0;  // in this line of the file
  };
  struct Drop {
    Duration at;
    bool is_forward;
    std::optional<Duration> followed;
  };
  static constexpr size_t kWindow = 10;  // ticks of the sending rate
  void follow(Duration at);
  void write_row(Duration at);

  const Scenario& scenario_;
  std::vector<Flow> flows_;
  std::vector<Drop> drops_;
  std::vector<Duration> waits_;
  double previous_[2] = {0, 0};    // capacity
  Duration longest_wait_[2] = {};  // in this tick
  size_t active_tcp_[2] = {0, 0};
  uint64_t packets_ = 0;
  uint64_t dropped_ = 0;
  uint64_t other_ = 0;
  Duration freeze_{};
  size_t ticks_ = 0;
  Duration row_wait_{};
  std::string csv_;
};

}  // namespace atm::rfc8867
