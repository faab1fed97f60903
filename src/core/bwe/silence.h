// What may be sent while no feedback comes, and from when it comes again until all is as before. For
// core/bwe/controller. The estimate itself is kept, as libwebrtc keeps it: an outage says nothing of what the way
// carries afterwards. What is sent meanwhile is less, but enough that the first feedback after it can tell something;
// when nobody answers for good, consent ends it all (RFC 7675). Afterwards as TCP after a time-out: RFC 5681 3.1
// doubles in each round trip up to what was before, here unless a probe has told by then.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.h"

namespace atm::bwe {

class Silence {
 public:
  // Once more no feedback has come; `estimate` is what is kept for after it.
  void cut(uint64_t target_bps, uint64_t estimate_bps) {
    const double lower = static_cast<double>(bound_.value_or(target_bps)) * kCut;
    bound_ = std::max(static_cast<uint64_t>(lower), static_cast<uint64_t>(static_cast<double>(estimate_bps) * kLeast));
    is_silent_ = true;
  }
  // Feedback has come. True: it is the first after a silence.
  bool end(Instant now) {
    grown_at_ = is_silent_ ? now : grown_at_;
    return std::exchange(is_silent_, false);
  }
  // Feedback has come and no queue grows.
  void grow(Instant now, Duration rtt, uint64_t estimate_bps) {
    if (!bound_) return;
    const double responses =
        static_cast<double>((now - grown_at_).count()) / static_cast<double>((rtt + kResponse).count());
    grown_at_ = now;
    bound_ = static_cast<uint64_t>(static_cast<double>(*bound_) * std::exp2(std::min(responses, 1.0)));
    if (*bound_ >= estimate_bps) bound_.reset();
  }
  // What the way carries is known.
  void lift() { bound_.reset(); }

  bool is_silent() const { return is_silent_; }
  // None: nothing is bound.
  std::optional<uint64_t> bps() const { return bound_; }

 private:
  static constexpr double kCut = 0.8;           // libwebrtc: cut back after a feedback time-out
  static constexpr double kLeast = 0.25;        // of the estimate
  static constexpr Duration kResponse = 100ms;  // gcc-02 5.5: response_time = 100 + rtt

  bool is_silent_ = false;
  std::optional<uint64_t> bound_;
  Instant grown_at_{};
};

}  // namespace atm::bwe
