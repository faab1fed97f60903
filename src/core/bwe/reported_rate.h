// The rate without transport-wide feedback: from the loss in receiver reports, up to what the receiver's own estimate
// (REMB) allows. For core/bwe/controller. draft-ietf-rmcat-gcc-02 6, as libwebrtc's SendSideBandwidthEstimation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::bwe {

class ReportedRate {
 public:
  ReportedRate(uint64_t start_bps, uint64_t min_bps, uint64_t max_bps)
      : bps_(start_bps), min_bps_(min_bps), max_bps_(max_bps) {}

  void on_remb(Instant now, uint64_t bps) {
    if (!first_remb_) first_remb_ = now;
    if (now - *first_remb_ < kStartPhase) bps_ = std::max(bps_, bps);  // the receiver has measured it
    bps_ = std::clamp(bps_, min_bps_, max_bps_);
  }
  // `fraction_lost` of 256.
  void on_loss(Instant now, uint8_t fraction_lost, Duration rtt) {
    const double loss = fraction_lost / 256.0;
    double rate = static_cast<double>(bps_);
    if (loss < kLow) {
      const double elapsed = grown_at_ ? std::min(static_cast<double>((now - *grown_at_).count()) / 1e6, 1.0) : 1.0;
      rate += rate * kGrowthPerSecond * elapsed + 1'000;
    } else if (loss > kHigh && (!cut_at_ || now - *cut_at_ >= kBetweenCuts + rtt)) {
      rate *= 1 - 0.5 * loss;
      cut_at_ = now;
    }
    grown_at_ = now;
    bps_ = std::clamp(static_cast<uint64_t>(rate), min_bps_, max_bps_);
  }
  uint64_t bps() const { return bps_; }

 private:
  static constexpr double kLow = 0.02;
  static constexpr double kHigh = 0.10;
  static constexpr double kGrowthPerSecond = 0.08;
  static constexpr Duration kBetweenCuts = 300ms;
  static constexpr Duration kStartPhase = 2s;
  uint64_t bps_;
  uint64_t min_bps_;
  uint64_t max_bps_;
  std::optional<Instant> first_remb_;
  std::optional<Instant> grown_at_;
  std::optional<Instant> cut_at_;
};

}  // namespace atm::bwe
