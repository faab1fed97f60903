// How long to wait for an acknowledgement (RFC 9260 6.3): smoothed from measured round trips, doubled by each silence.
// Used by DataSender for T3-rtx and by Association and StreamReset for their control chunks.
// Measures nothing itself: the caller obeys Karn's rule.
#pragma once

#include <algorithm>

#include "base/time.h"
#include "core/sctp/limits.h"

namespace atm::sctp {

class RetransmissionTimeout {
 public:
  void on_round_trip(Duration rtt) {
    if (srtt_ == Duration::zero()) {  // RFC 9260 6.3.1 C2
      srtt_ = rtt;
      variation_ = rtt / 2;
    } else {  // C3, with alpha 1/8 and beta 1/4
      const Duration error = srtt_ > rtt ? srtt_ - rtt : rtt - srtt_;
      variation_ = (3 * variation_ + error) / 4;
      srtt_ = (7 * srtt_ + rtt) / 8;
    }
    base_ = std::clamp(srtt_ + 4 * variation_, kRtoMin, kRtoMax);
    current_ = base_;
  }
  // RFC 9260 6.3.3 E2.
  void on_timeout() { current_ = std::min(2 * current_, kRtoMax); }
  // New data was acknowledged. RFC 9260 6.3.2 keeps the doubled value until the next measurement, which under steady
  // loss Karn's rule can put off for long; the way is open, so the measured value holds again.
  void on_progress() { current_ = base_; }

  Duration value() const { return current_; }

 private:
  Duration srtt_ = Duration::zero();
  Duration variation_ = Duration::zero();
  Duration base_ = kRtoInitial;
  Duration current_ = kRtoInitial;
};

}  // namespace atm::sctp
