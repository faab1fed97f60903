// What a browser's video may take as its uplink goes: the part of libwebrtc's bandwidth estimation that REMB touches.
// A REMB is a cap that holds at once, and what it takes from the estimate does not come back by itself: once it is
// higher, the estimate grows by 8 % and 1 kbit/s a second (SendSideBandwidthEstimation::UpdateEstimate, without loss).
// libwebrtc also probes at times, which makes it faster; not here. The uplink itself carries all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::sim {

class SendRate {
 public:
  // bit/s. Its probes at the start find out what the uplink carries before anything is told.
  static constexpr uint64_t kUplink = 3'000'000;

  uint64_t update(Instant now, std::optional<uint64_t> remb_bps) {
    if (!last_) last_ = now;
    const double seconds = static_cast<double>(to_us(now - *last_)) / 1e6;
    last_ = now;
    estimate_ += (estimate_ * 0.08 + 1'000) * seconds;
    estimate_ = std::min(estimate_, static_cast<double>(std::min(kUplink, remb_bps.value_or(kUplink))));
    return static_cast<uint64_t>(estimate_);
  }

 private:
  double estimate_ = kUplink;
  std::optional<Instant> last_;
};

}  // namespace atm::sim
