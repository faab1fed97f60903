// When to probe and how fast: at the start, after a probe that got through, now and then while little is sent, when
// more is wanted, after a deep drop, and after a silence. For core/bwe/controller. As libwebrtc's ProbeController.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "core/bwe/probe_rate.h"

namespace atm::bwe {

class ProbePlan {
 public:
  explicit ProbePlan(uint64_t max_bps) : max_bps_(max_bps), demand_bps_(max_bps) {}

  // No probe is faster than that, and none is made while the estimate is above it.
  void set_demand(uint64_t bps);
  // The first packet goes out.
  void start(Instant now, uint64_t start_bps);
  // A probe told that rate and it was taken.
  void on_result(Instant now, uint64_t bps);
  // Queues grew and the rate was cut to that. When it is far below what a probe has just found, that was misled, as by
  // a token bucket, which lets a burst of any rate pass. For a minute probes are then longer.
  void on_cut(Instant now, uint64_t bps);
  // Feedback comes again after a silence; whether the way carries what it did is found out at once.
  void on_return(Instant now, uint64_t before_bps);
  struct State {
    uint64_t target_bps = 0;
    bool app_limited = false;
    Instant app_limited_since{};
    bool is_calm = false;  // queues are short and do not grow
  };
  // From time to time, with the state of the sender.
  void update(Instant now, const State& state);
  std::optional<ProbeCluster> take();
  // Nothing faster is probed for.
  uint64_t most_bps() const;
  bool has_pending() const { return pending_ > 0; }
  // When update() may have something to do.
  Instant next_timeout() const { return next_update_; }

 private:
  void ask(Instant now, uint64_t bps);
  bool has_dropped(Instant now, uint64_t bps);
  size_t bytes_of(Instant now, uint64_t bps) const;

  uint64_t max_bps_;
  uint64_t demand_bps_;
  std::array<ProbeCluster, 4> queue_{};
  size_t pending_ = 0;
  uint32_t last_id_ = 0;
  uint64_t go_on_above_bps_ = 0;  // 0: no result is waited for
  Instant asked_at_{};
  uint64_t best_bps_ = 0;  // targets of some seconds, in two halves of time
  uint64_t previous_best_bps_ = 0;
  Instant best_began_{};
  static constexpr Duration kAfterDrop = 1s;  // after the last probe; twice as long for each that found less
  Duration after_drop_wait_ = kAfterDrop;
  std::optional<Instant> misled_at_;
  uint64_t found_bps_ = 0;  // by the last probe
  Instant found_at_{};
  Instant next_update_ = kNever;
  bool started_ = false;
  bool demand_rose_ = false;
};

}  // namespace atm::bwe
