// What the way carried when it was last overused, and how sure that is. For core/bwe/rate_control.
// draft-ietf-rmcat-gcc-02 5.5 (average and deviation of the incoming rate), as libwebrtc's LinkCapacityEstimator.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

namespace atm0s::bwe {

class LinkCapacity {
 public:
  void on_overuse(uint64_t acknowledged_bps) { add(acknowledged_bps, 0.05); }
  void reset() { kbps_.reset(); }

  std::optional<uint64_t> bps() const {
    if (!kbps_) return std::nullopt;
    return static_cast<uint64_t>(*kbps_ * 1'000);
  }
  // Within three deviations; no bound while nothing is known.
  uint64_t lower_bps() const {
    return kbps_ ? static_cast<uint64_t>(std::max(0.0, *kbps_ - 3 * deviation()) * 1'000) : 0;
  }
  uint64_t upper_bps() const { return kbps_ ? static_cast<uint64_t>((*kbps_ + 3 * deviation()) * 1'000) : UINT64_MAX; }

 private:
  double deviation() const { return std::sqrt(normalized_variance_ * *kbps_); }
  void add(uint64_t bps, double weight) {
    const double sample = static_cast<double>(bps) / 1'000;
    kbps_ = kbps_ ? (1 - weight) * *kbps_ + weight * sample : sample;
    const double error = *kbps_ - sample;
    normalized_variance_ = (1 - weight) * normalized_variance_ + weight * error * error / std::max(*kbps_, 1.0);
    // gcc-02 5.5 and libwebrtc: 0.4 is about 14 kbit/s at 500 kbit/s, 2.5 about 35.
    normalized_variance_ = std::clamp(normalized_variance_, 0.4, 2.5);
  }

  std::optional<double> kbps_;
  double normalized_variance_ = 0.4;
};

}  // namespace atm0s::bwe
