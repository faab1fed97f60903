#include "core/bwe/trendline.h"

#include <algorithm>
#include <cmath>

namespace atm::bwe {
namespace {

constexpr double kSmoothing = 0.9;  // of the accumulated delay (libwebrtc)
constexpr double kGain = 4.0;       // of the slope before it meets the threshold (libwebrtc)
constexpr int kMostDeltas = 60;     // gcc-02 5.4: the slope counts for at most so many groups
constexpr int kEnoughDeltas = 1'000;
constexpr double kOveruseMs = 10;            // gcc-02 5.4: overuse_time_th
constexpr double kUp = 0.0087;               // libwebrtc; gcc-02 5.4 has 0.01
constexpr double kDown = 0.039;              // libwebrtc; gcc-02 5.4 has 0.00018
constexpr double kLeastThresholdMs = 6;      // gcc-02 5.4
constexpr double kLargestThresholdMs = 600;  // gcc-02 5.4
constexpr double kSpikeMs = 15;              // gcc-02 5.4: a sudden spike does not move the threshold
constexpr double kLongestAdaptMs = 100;      // libwebrtc

double ms(Duration d) {
  return static_cast<double>(d.count()) / 1'000;
}

}  // namespace

double Trendline::slope() const {
  double sum_x = 0;
  double sum_y = 0;
  for (const Point& p : points_) {
    sum_x += p.at_ms;
    sum_y += p.delay_ms;
  }
  const double mean_x = sum_x / kWindow;
  const double mean_y = sum_y / kWindow;
  double numerator = 0;
  double denominator = 0;
  for (const Point& p : points_) {
    numerator += (p.at_ms - mean_x) * (p.delay_ms - mean_y);
    denominator += (p.at_ms - mean_x) * (p.at_ms - mean_x);
  }
  return denominator == 0 ? trend_ : numerator / denominator;
}

Usage Trendline::add(Instant now, const PacketGroups::Delta& delta, Duration arrived) {
  if (deltas_ == 0) first_arrived_ = arrived;
  deltas_ = std::min(deltas_ + 1, kEnoughDeltas);
  accumulated_ms_ += ms(delta.arrived - delta.sent);
  smoothed_ms_ = kSmoothing * smoothed_ms_ + (1 - kSmoothing) * accumulated_ms_;
  points_[next_] = {ms(arrived - first_arrived_), smoothed_ms_};
  next_ = (next_ + 1) % kWindow;
  count_ = std::min(count_ + 1, kWindow);
  if (count_ == kWindow) trend_ = slope();
  detect(now, ms(delta.sent));
  return usage_;
}

void Trendline::detect(Instant now, double send_gap_ms) {
  if (deltas_ < 2) return;
  const double scaled = std::min(deltas_, kMostDeltas) * trend_ * kGain;
  if (scaled > threshold_ms_) {
    overusing_ms_ = overusing_ms_ < 0 ? send_gap_ms / 2 : overusing_ms_ + send_gap_ms;
    ++overusing_groups_;
    if (overusing_ms_ > kOveruseMs && overusing_groups_ > 1 && trend_ >= previous_trend_) {
      overusing_ms_ = 0;
      overusing_groups_ = 0;
      usage_ = Usage::kOverusing;
    }
  } else {
    overusing_ms_ = -1;
    overusing_groups_ = 0;
    usage_ = scaled < -threshold_ms_ ? Usage::kUnderusing : Usage::kNormal;
  }
  previous_trend_ = trend_;
  adapt_threshold(now, scaled);
}

void Trendline::adapt_threshold(Instant now, double scaled_trend) {
  if (!has_adapted_) adapted_ = now;
  has_adapted_ = true;
  const double size = std::fabs(scaled_trend);
  if (size <= threshold_ms_ + kSpikeMs) {
    const double elapsed = std::min(ms(now - adapted_), kLongestAdaptMs);
    threshold_ms_ += (size < threshold_ms_ ? kDown : kUp) * (size - threshold_ms_) * elapsed;
    threshold_ms_ = std::clamp(threshold_ms_, kLeastThresholdMs, kLargestThresholdMs);
  }
  adapted_ = now;
}

}  // namespace atm::bwe
