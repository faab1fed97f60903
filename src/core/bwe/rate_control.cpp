#include "core/bwe/rate_control.h"

#include <algorithm>
#include <cmath>

namespace atm::bwe {
namespace {

constexpr double kBeta = 0.85;             // gcc-02 5.5
constexpr double kGrowthPerSecond = 1.08;  // gcc-02 5.5: eta
constexpr double kAcceleration = 0.03;     // more of that for each second without overuse
constexpr double kMostGrowthPerSecond = 1.4;
// Growth that does not depend on the rate lets flows that share a way come to equal parts; and none on the round trip
// (gcc-02 5.5 has one): near ones would get more. The values of this and the following are by the cases of RFC 8867.
constexpr double kLeastBpsPerSecond = 80'000;
constexpr double kMostShareOfThat = 0.3;   // of the rate, in a second
constexpr double kRecovery = 1.7;          // s, from a decrease to what was before it
constexpr Duration kOneEvent = 400ms;      // decreases so close are of one overuse
constexpr double kGiveWay = 0.95;          // of the rate, when that did not reach the last best
constexpr double kMostOfAcknowledged = 4;  // what was before is believed no further
constexpr double kCompetingBeta = 0.75;    // RFC 9438 4.6 has 0.7
constexpr double kCompetingPackets = 0.7;  // for each round trip, as Reno; RFC 9438 4.3 has 0.53 for its 0.7
constexpr double kRampPerSecond = 2;       // until the first loss
constexpr double kLeastGrowthBps = 1'000;  // for each step (libwebrtc)
constexpr uint64_t kAcknowledgedMargin = 10'000;
constexpr double kPacketBits = 1'200 * 8;  // gcc-02 5.5: expected packet size

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
        growth_began_ = now;
        lowest_bps_ = static_cast<double>(bps_);
        changed_at_ = now;
      } else {
        increase(now, acknowledged, app_limited);
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
  const double before = static_cast<double>(bps_);
  const double lower = acknowledged ? static_cast<double>(*acknowledged) * kBeta : before / 2;
  bps_ = std::min(bps_, static_cast<uint64_t>(lower));
  // RFC 9438 4.7: who had to give way before the last best gives way some more, so that others come up.
  const bool in_row = decreased_at_ && now - *decreased_at_ < kOneEvent;
  if (!in_row) best_bps_ = before < best_bps_ ? before * kGiveWay : before;
  if (acknowledged) best_bps_ = std::min(best_bps_, static_cast<double>(*acknowledged) * kMostOfAcknowledged);
  lowest_bps_ = static_cast<double>(bps_);
  state_ = State::kHold;
  changed_at_ = now;
  decreased_at_ = now;
}

// RFC 9438 4.2, with times that do not depend on the round trip or the rate: back to what was best, fast at first and
// slowly near it, then beyond it by ever more.
double RateControl::grown(Instant now) const {
  const double t = static_cast<double>((now - growth_began_).count()) / 1e6;
  if (best_bps_ > lowest_bps_ && t < kRecovery) {
    const double left = 1 - t / kRecovery;
    return best_bps_ - (best_bps_ - lowest_bps_) * left * left * left;
  }
  return 0;
}

void RateControl::increase(Instant now, std::optional<uint64_t> acknowledged, bool app_limited) {
  const double elapsed = std::min(static_cast<double>((now - changed_at_.value_or(now)).count()) / 1e6, 1.0);
  changed_at_ = now;
  // gcc-02 5.5: what is not sent cannot be known to fit.
  const uint64_t limit = acknowledged ? *acknowledged + *acknowledged / 2 + kAcknowledgedMargin : max_bps_;
  if (bps_ >= limit) return;
  // While the sender has little to send, growth says nothing: probes find out instead (libwebrtc's ALR option).
  if (app_limited && acknowledged) return;
  const double rate = static_cast<double>(bps_);
  const double since = static_cast<double>((now - growth_began_).count()) / 1e6;
  const double beyond = std::max(since - (best_bps_ > lowest_bps_ ? kRecovery : 0), 0.0);
  const double growth = std::min(kGrowthPerSecond + kAcceleration * beyond, kMostGrowthPerSecond);
  double step = std::max(rate * (std::pow(growth, elapsed) - 1), kLeastGrowthBps);
  if (const double to = grown(now); to > 0) step = std::max(to - rate, 0.0);
  if (const double add = std::min(kLeastBpsPerSecond, rate * kMostShareOfThat) * elapsed; step < add) step = add;
  bps_ = std::min(static_cast<uint64_t>(rate + step), limit);
}

void RateControl::compete(Instant now, Instant lost, Duration rtt, std::optional<uint64_t> acknowledged) {
  if (!competed_at_ || now - *competed_at_ > 1s) {  // it has just begun
    ramps_ = true;
    changed_at_ = now;
  }
  competed_at_ = now;
  const double rtt_s = std::max(static_cast<double>(rtt.count()) / 1e6, 0.02);
  const double elapsed = std::min(static_cast<double>((now - changed_at_.value_or(now)).count()) / 1e6, 1.0);
  changed_at_ = now;
  if (lost > decreased_at_.value_or(Instant{})) {
    bps_ = static_cast<uint64_t>(static_cast<double>(bps_) * kCompetingBeta);
    decreased_at_ = now;
    ramps_ = false;
  } else {
    const double rate = static_cast<double>(bps_);
    const double add = kCompetingPackets * kPacketBits / (rtt_s * rtt_s) * elapsed;
    const double step = ramps_ ? rate * (std::pow(kRampPerSecond, elapsed) - 1) : add;
    const uint64_t limit = acknowledged ? *acknowledged + *acknowledged / 2 + kAcknowledgedMargin : max_bps_;
    if (bps_ < limit) bps_ = std::min(static_cast<uint64_t>(rate + step), limit);
  }
  bps_ = std::clamp(bps_, min_bps_, max_bps_);
}

void RateControl::on_probe(Instant now, uint64_t bps) {
  // It got through, so the way carries at least that; libwebrtc takes it for the capacity, and grows slowly from there.
  best_bps_ = 0;
  growth_began_ = now;
  bps_ = std::clamp(bps, min_bps_, max_bps_);
  changed_at_ = now;
}

}  // namespace atm::bwe
