// Whether the sender sends clearly less than it may: a budget that fills at a share of the target and is emptied by
// what is sent. For core/bwe/controller. As libwebrtc's AlrDetector, with a higher share: a server sends whole layers,
// so it can stay at 80 % of the target for ever, and only probes can lift it then.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace atm::bwe {

class AppLimited {
 public:
  void on_sent(Instant now, size_t bytes, uint64_t target_bps) {
    const double per_us = static_cast<double>(target_bps) * kShare / 8e6;
    const double most = per_us * static_cast<double>(kWindow.count());
    level_ += per_us * static_cast<double>(std::clamp<Duration>(now - last_, Duration(0), kWindow).count());
    level_ = std::clamp(level_ - static_cast<double>(bytes), -most, most);
    last_ = std::max(last_, now);
    const double ratio = level_ / most;
    if (!limited_ && ratio > kStart) {
      limited_ = true;
      since_ = now;
    } else if (limited_ && ratio < kStop) {
      limited_ = false;
    }
  }
  explicit operator bool() const { return limited_; }
  Instant since() const { return since_; }

 private:
  static constexpr double kShare = 0.85;
  static constexpr Duration kWindow = 500ms;
  static constexpr double kStart = 0.8;
  static constexpr double kStop = 0.5;
  double level_ = 0;
  Instant last_{};
  Instant since_{};
  bool limited_ = false;
};

}  // namespace atm::bwe
