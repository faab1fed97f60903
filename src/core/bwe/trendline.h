// Whether queues on the way grow: the slope of the smoothed delay over the last groups of packets, held against a
// threshold that adapts. For core/bwe/controller. draft-ietf-rmcat-gcc-02 5.3 and 5.4 with the line in the place of the
// Kalman filter, as libwebrtc's TrendlineEstimator. No allocation.
#pragma once

#include <array>
#include <cstddef>

#include "base/time.h"
#include "core/bwe/packet_groups.h"

namespace atm::bwe {

enum class Usage { kNormal, kOverusing, kUnderusing };

class Trendline {
 public:
  // `arrived`: of the group's last packet, on the receiver's clock.
  Usage add(Instant now, const PacketGroups::Delta& delta, Duration arrived);
  Usage usage() const { return usage_; }
  double threshold_ms() const { return threshold_ms_; }
  void reset() { *this = Trendline(); }

 private:
  static constexpr size_t kWindow = 20;  // groups of a line
  struct Point {
    double at_ms = 0;
    double delay_ms = 0;
  };
  double slope() const;
  void detect(Instant now, double send_gap_ms);
  void adapt_threshold(Instant now, double scaled_trend);

  std::array<Point, kWindow> points_{};
  size_t next_ = 0;
  size_t count_ = 0;
  int deltas_ = 0;
  double accumulated_ms_ = 0;
  double smoothed_ms_ = 0;
  double trend_ = 0;
  double previous_trend_ = 0;
  double threshold_ms_ = 12.5;
  double overusing_ms_ = -1;
  int overusing_groups_ = 0;
  Duration first_arrived_{};
  Instant adapted_{};
  bool has_adapted_ = false;
  Usage usage_ = Usage::kNormal;
};

}  // namespace atm::bwe
