#include "core/bwe/acknowledged_rate.h"

#include <cmath>

namespace atm::bwe {
namespace {

constexpr Duration kFirstWindow = 500ms;
constexpr Duration kLaterWindow = 150ms;
constexpr double kUncertainty = 10;
constexpr double kUncertaintyAppLimited = 20;
constexpr double kVariancePerWindow = 5;

}  // namespace

void AcknowledgedRate::add(Duration arrived, size_t bytes, bool app_limited) {
  const Duration length = kbps_ < 0 ? kFirstWindow : kLaterWindow;
  if (started_ && arrived < previous_) {  // out of order across windows: into the one that is open
    sum_bytes_ += static_cast<int64_t>(bytes);
    return;
  }
  if (started_) {
    const Duration gap = arrived - previous_;
    window_ += gap;
    if (gap > length) {  // nothing came for a whole window: what is counted belongs to no window
      sum_bytes_ = 0;
      window_ %= length;
    }
  }
  previous_ = arrived;
  started_ = true;
  double sample = -1;
  if (window_ >= length) {
    sample = 8'000.0 * static_cast<double>(sum_bytes_) / static_cast<double>(length.count());
    window_ -= length;
    sum_bytes_ = 0;
  }
  sum_bytes_ += static_cast<int64_t>(bytes);
  if (sample < 0) return;
  if (kbps_ < 0) {
    kbps_ = sample;
    return;
  }
  const double scale = app_limited && sample < kbps_ ? kUncertaintyAppLimited : kUncertainty;
  const double deviation = kbps_ > 0 ? scale * std::fabs(kbps_ - sample) / kbps_ : 0;
  const double sample_variance = deviation * deviation;
  const double predicted = variance_ + kVariancePerWindow;
  kbps_ = (sample_variance * kbps_ + predicted * sample) / (sample_variance + predicted);
  variance_ = sample_variance * predicted / (sample_variance + predicted);
}

std::optional<uint64_t> AcknowledgedRate::bps() const {
  if (kbps_ < 0) return std::nullopt;
  return static_cast<uint64_t>(kbps_ * 1'000);
}

}  // namespace atm::bwe
