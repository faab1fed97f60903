// The rate that the delay allows: up while queues do not grow, down to 85 % of what arrives when they do. For
// core/bwe/controller.
// draft-ietf-rmcat-gcc-02 5.5, as libwebrtc's AimdRateControl, but up as CUBIC's window (RFC 9438
// 4.2) in the place of eta and alpha: libwebrtc's 8 % a second, and one packet each response time near what was the
// capacity, leave a third of a way unused that others use in bursts.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "core/bwe/trendline.h"

namespace atm::bwe {

class RateControl {
 public:
  RateControl(uint64_t start_bps, uint64_t min_bps, uint64_t max_bps)
      : bps_(start_bps), min_bps_(min_bps), max_bps_(max_bps) {}

  // Once for each feedback. `acknowledged`: what arrives. `app_limited`: it says nothing about more.
  void update(Instant now, Usage usage, std::optional<uint64_t> acknowledged, Duration rtt, bool app_limited);
  // In the place of update() while somebody else keeps the queue full, when the delay says nothing: as TCP then, so
  // that there is a part for both. `lost`: when the newest packet told lost was sent, if one was: a cut is for those
  // that were sent after the last one (RFC 6582's "recover").
  void compete(Instant now, Instant lost, Duration rtt, std::optional<uint64_t> acknowledged);
  // A probe got through at that rate.
  void on_probe(Instant now, uint64_t bps);
  uint64_t bps() const { return bps_; }

 private:
  enum class State { kHold, kIncrease };
  bool may_decrease(Instant now, std::optional<uint64_t> acknowledged, Duration rtt) const;
  void decrease(Instant now, std::optional<uint64_t> acknowledged);
  void increase(Instant now, std::optional<uint64_t> acknowledged, bool app_limited);
  double grown(Instant now) const;

  uint64_t bps_;
  uint64_t min_bps_;
  uint64_t max_bps_;
  State state_ = State::kHold;
  double best_bps_ = 0;    // before the last overuse; 0: not known
  double lowest_bps_ = 0;  // after it
  Instant growth_began_{};
  std::optional<Instant> competed_at_;
  bool ramps_ = false;  // competing, and nothing is lost yet
  std::optional<Instant> changed_at_;
  std::optional<Instant> decreased_at_;
};

}  // namespace atm::bwe
