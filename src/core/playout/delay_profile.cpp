#include "core/playout/delay_profile.h"

#include <algorithm>

namespace atm::playout {
namespace {

constexpr Duration kBucket = 1s;
constexpr Duration kBin = 5ms;
constexpr double kForget = 0.983;   // a packet (libwebrtc's NetEq)
constexpr double kQuantile = 0.95;  // libwebrtc's NetEq
constexpr Duration kOutage = 500ms;
constexpr Duration kLongestCatchUp = 2s;
constexpr Duration kNewRoute = 300ms;  // so much above for two whole seconds: the old fastest way is gone

int64_t floor_bins(Duration d) {
  return d.count() / kBin.count() - (d.count() % kBin.count() < 0 ? 1 : 0);
}

}  // namespace

void DelayProfile::add(Instant arrival, Duration delay) {
  const bool begins = !started_;
  add_to_window(arrival, delay);
  if (begins) {
    origin_ = delay;
    last_arrival_ = arrival;
  }
  started_ = true;
  follow_base();
  const bool counts = !is_catching_up(arrival, delay);
  last_arrival_ = std::max(last_arrival_, arrival);
  const int64_t bin = floor_bins(delay - origin_);
  if (!counts || bin < 0 || bin >= static_cast<int64_t>(kBins)) return measure();
  for (double& share : bins_) share *= kForget;
  bins_[static_cast<size_t>(bin)] += 1 - kForget;
  measure();
}

// A second in which nothing came makes no bucket: after a pause what was known still holds.
void DelayProfile::add_to_window(Instant arrival, Duration delay) {
  if (buckets_ == 0 || arrival - bucket_began_ >= kBucket) {
    const size_t before = (at_ + kBuckets - 1) % kBuckets;
    if (buckets_ > 2 && std::min(least_[at_], least_[before]) > base_ + kNewRoute) buckets_ = 2;
    at_ = (at_ + 1) % kBuckets;
    buckets_ = std::min(buckets_ + 1, kBuckets);
    bucket_began_ = arrival;
    least_[at_] = delay;
  }
  least_[at_] = std::min(least_[at_], delay);
  base_ = least_[at_];
  for (size_t i = 1; i < buckets_; ++i) base_ = std::min(base_, least_[(at_ + kBuckets - i) % kBuckets]);
}

bool DelayProfile::is_catching_up(Instant arrival, Duration delay) {
  if (arrival - last_arrival_ > kOutage) catching_up_until_ = arrival + kLongestCatchUp;
  if (arrival >= catching_up_until_) return false;
  if (delay > base_ + spread_ + kBin) return true;
  catching_up_until_ = arrival;
  return false;
}

void DelayProfile::follow_base() {
  const int64_t moved = floor_bins(base_ - origin_);
  if (moved < 0) shift_up(static_cast<size_t>(-moved));
  if (moved > 0) shift_down(static_cast<size_t>(moved));
  origin_ += moved * kBin;
}

void DelayProfile::shift_up(size_t bins) {
  for (size_t i = kBins; i-- > 0;) bins_[i] = i >= bins ? bins_[i - bins] : 0;
}

void DelayProfile::shift_down(size_t bins) {
  double below = 0;
  for (size_t i = 0; i < std::min(bins, kBins); ++i) below += bins_[i];
  for (size_t i = 0; i < kBins; ++i) bins_[i] = bins < kBins - i ? bins_[i + bins] : 0;
  bins_[0] += below;
}

void DelayProfile::measure() {
  double sum = 0;
  for (const double share : bins_) sum += share;
  const double wanted = sum * kQuantile;
  double reached = 0;
  size_t bin = 0;
  while (bin + 1 < kBins && (reached += bins_[bin]) < wanted) ++bin;
  spread_ = sum > 0 ? origin_ + static_cast<int64_t>(bin + 1) * kBin - base_ : Duration{};
}

}  // namespace atm::playout
