#include "core/bwe/rate_control.h"

#include <algorithm>
#include <cmath>

namespace atm0s::bwe {
namespace {

constexpr double kBeta = 0.85;             // gcc-02 5.5
constexpr double kGrowthPerSecond = 1.08;  // gcc-02 5.5: eta
constexpr double kLeastGrowthBps = 1'000;  // for each step (libwebrtc)
constexpr double kLeastAdditive = 4'000;   // bit/s each second (libwebrtc)
constexpr uint64_t kAcknowledgedMargin = 10'000;
constexpr double kPacketBits = 1'200 * 8;  // gcc-02 5.5: expected packet size
constexpr double kFramesPerSecond = 30;
constexpr Duration kResponse = 100ms;  // gcc-02 5.5: response_time = 100 + rtt

}  // namespace

void RateControl::update(Instant now, Usage usage, std::optional<uint64_t> acknowledged, Duration rtt,
                         bool app_limited) {
  switch (usage) {
    case Usage::kOverusing:
      if (may_decrease(now, acknowledged, rtt)) decrease(now, acknowledged);
      break;
    case Usage::kUnderusing:  // gcc-02 5.5: queues drain, wait until they have
      state_ = State::kHold;
      break;
    case Usage::kNormal:
      if (state_ == State::kHold) {
        state_ = State::kIncrease;
        changed_at_ = now;
      } else {
        increase(now, acknowledged, rtt, app_limited);
      }
      break;
  }
  bps_ = std::clamp(bps_, min_bps_, max_bps_);
}

bool RateControl::may_decrease(Instant now, std::optional<uint64_t> acknowledged, Duration rtt) const {
  const Duration wait = std::clamp<Duration>(rtt, 10ms, 200ms);
  if (!decreased_at_ || now - *decreased_at_ >= wait) return true;
  return acknowledged && *acknowledged < bps_ / 2;
}

void RateControl::decrease(Instant now, std::optional<uint64_t> acknowledged) {
  double lower = acknowledged ? static_cast<double>(*acknowledged) * kBeta : static_cast<double>(bps_) / 2;
  if (acknowledged && lower > static_cast<double>(bps_) && capacity_.bps()) {
    lower = static_cast<double>(*capacity_.bps()) * kBeta;
  }
  bps_ = std::min(bps_, static_cast<uint64_t>(lower));
  if (acknowledged) {
    if (*acknowledged < capacity_.lower_bps()) capacity_.reset();
    capacity_.on_overuse(*acknowledged);
  }
  state_ = State::kHold;
  changed_at_ = now;
  decreased_at_ = now;
}

double RateControl::additive_bps_per_second(Duration rtt) const {
  const double frame_bits = static_cast<double>(bps_) / kFramesPerSecond;
  const double packet_bits = frame_bits / std::ceil(std::max(frame_bits / kPacketBits, 1.0));
  const double response_s = static_cast<double>((rtt + kResponse).count()) * 2 / 1e6;  // twice, as libwebrtc
  return std::max(kLeastAdditive, packet_bits / response_s);
}

void RateControl::increase(Instant now, std::optional<uint64_t> acknowledged, Duration rtt, bool app_limited) {
  const double elapsed = std::min(static_cast<double>((now - changed_at_.value_or(now)).count()) / 1e6, 1.0);
  changed_at_ = now;
  if (acknowledged && *acknowledged > capacity_.upper_bps()) capacity_.reset();
  // gcc-02 5.5: what is not sent cannot be known to fit.
  const uint64_t limit = acknowledged ? *acknowledged + *acknowledged / 2 + kAcknowledgedMargin : max_bps_;
  if (bps_ >= limit) return;
  // While the sender has little to send, growth says nothing: probes find out instead (libwebrtc's ALR option).
  if (app_limited && acknowledged) return;
  const double rate = static_cast<double>(bps_);
  const double step = capacity_.bps() ? additive_bps_per_second(rtt) * elapsed
                                      : std::max(rate * (std::pow(kGrowthPerSecond, elapsed) - 1), kLeastGrowthBps);
  bps_ = std::min(static_cast<uint64_t>(rate + step), limit);
}

void RateControl::on_probe(Instant now, uint64_t bps) {
  // It got through, so the way carries at least that; libwebrtc takes it for the capacity, and grows slowly from there.
  if (bps > capacity_.upper_bps()) capacity_.reset();
  bps_ = std::clamp(bps, min_bps_, max_bps_);
  changed_at_ = now;
}

}  // namespace atm0s::bwe
