// How fast packets have been arriving: windows of the receiver's time, joined by a Bayesian estimate that moves more
// the less sure it is. For core/bwe/controller. As libwebrtc's BitrateEstimator (AcknowledgedBitrateEstimator).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::bwe {

class AcknowledgedRate {
 public:
  // In order of arrival. `app_limited`: lower samples then say little about the way.
  void add(Duration arrived, size_t bytes, bool app_limited);
  // The sender goes from little to much: the next samples count more.
  void expect_fast_change() { variance_ += 200; }
  std::optional<uint64_t> bps() const;

 private:
  double kbps_ = -1;
  double variance_ = 50;
  int64_t sum_bytes_ = 0;
  Duration window_{};
  Duration previous_{};
  bool started_ = false;
};

}  // namespace atm::bwe
