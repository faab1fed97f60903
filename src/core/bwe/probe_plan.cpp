#include "core/bwe/probe_plan.h"

#include <algorithm>
#include <utility>

namespace atm::bwe {
namespace {

constexpr uint64_t kFirstScale = 3;    // of the start rate (libwebrtc)
constexpr uint64_t kSecondScale = 6;   // libwebrtc
constexpr double kGoOnShare = 0.7;     // a result of that share of the probe: a further one
constexpr uint64_t kFurtherScale = 2;  // of the result
constexpr Duration kWait = 1s;         // for a result
constexpr Duration kPeriod = 3s;       // between probes of an app-limited sender (libwebrtc: 5 s)
constexpr Duration kAfterRise = 1s;    // between two for more demand
constexpr double kDeepDrop = 0.66;     // a target below that share of the best one is probed (libwebrtc)
constexpr Duration kRemembered = 10s;  // the best one, twice that at most
constexpr size_t kLeastPackets = 5;    // libwebrtc
constexpr uint64_t kLengthMs = 15;     // libwebrtc
// More than the usual bursts of token buckets; twice as much after a probe that misled all the same.
constexpr size_t kLeastBytes = 12'000;
constexpr uint64_t kLongestMs = 200;  // of such a probe: at most the queue that it can make of a way
constexpr Duration kMisled = 5s;      // cut within that after a probe...
constexpr double kMisledShare = 0.7;  // ...below that share of what it found
constexpr Duration kForgiveAfter = 60s;

}  // namespace

uint64_t ProbePlan::most_bps() const {
  return std::min(max_bps_, demand_bps_);
}

void ProbePlan::set_demand(uint64_t bps) {
  if (bps > demand_bps_) {
    demand_rose_ = true;
    if (started_) next_update_ = std::min(next_update_, asked_at_ + kAfterRise);
  }
  demand_bps_ = bps;
}

void ProbePlan::ask(Instant now, uint64_t bps) {
  if (pending_ == queue_.size()) return;
  bps = std::min(bps, most_bps());
  if (bps == 0) return;
  if (++last_id_ == 0) last_id_ = 1;  // 0 is no cluster
  queue_[pending_++] = {last_id_, bps, kLeastPackets, bytes_of(now, bps)};
  asked_at_ = now;
  next_update_ = now + kWait;
  go_on_above_bps_ = static_cast<uint64_t>(static_cast<double>(bps) * kGoOnShare);
}

size_t ProbePlan::bytes_of(Instant now, uint64_t bps) const {
  const auto bytes_in = [bps](uint64_t ms) { return static_cast<size_t>(bps * ms / 8'000); };
  const bool is_wary = misled_at_ && now - *misled_at_ < kForgiveAfter;
  return std::max(bytes_in(kLengthMs), std::min(is_wary ? 2 * kLeastBytes : kLeastBytes, bytes_in(kLongestMs)));
}

void ProbePlan::on_cut(Instant now, uint64_t bps) {
  if (now - found_at_ >= kMisled || static_cast<double>(bps) >= kMisledShare * static_cast<double>(found_bps_)) return;
  misled_at_ = now;
  pending_ = 0;
  best_bps_ = previous_best_bps_ = 0;
}

bool ProbePlan::has_dropped(Instant now, uint64_t bps) {
  if (now - best_began_ >= kRemembered) {
    previous_best_bps_ = std::exchange(best_bps_, 0);
    best_began_ = now;
  }
  best_bps_ = std::max(best_bps_, bps);
  return static_cast<double>(bps) < kDeepDrop * static_cast<double>(std::max(best_bps_, previous_best_bps_));
}

void ProbePlan::start(Instant now, uint64_t start_bps) {
  started_ = true;
  next_update_ = now + kWait;
  if (most_bps() <= start_bps) return;  // the first demand for more is probed for at once
  ask(now, kFirstScale * start_bps);
  if (most_bps() > kFirstScale * start_bps) ask(now, kSecondScale * start_bps);
}

void ProbePlan::on_result(Instant now, uint64_t bps) {
  found_bps_ = bps;
  found_at_ = now;
  if (bps >= go_on_above_bps_) after_drop_wait_ = kAfterDrop;
  if (go_on_above_bps_ == 0 || bps < go_on_above_bps_ || bps >= most_bps()) return;
  if (pending_ == 0) ask(now, bps * kFurtherScale);
}

// As libwebrtc after a change of the network route, but with what is remembered in the place of the start rate.
void ProbePlan::on_return(Instant now, uint64_t before_bps) {
  pending_ = 0;
  ask(now, before_bps);
}

void ProbePlan::update(Instant now, const State& state) {
  if (!started_) return;
  // What a way carried a moment ago it may carry again: others' bursts go by.
  const bool fell = has_dropped(now, state.target_bps) && state.is_calm && now - asked_at_ >= after_drop_wait_;
  if (now < next_update_ && !fell) return;
  next_update_ = now + kWait;
  if (now - asked_at_ >= kWait) go_on_above_bps_ = 0;
  if (state.target_bps >= most_bps() || pending_ > 0) {
    demand_rose_ = false;
    return;
  }
  const bool rose = demand_rose_ && now - asked_at_ >= kAfterRise;
  const bool due = state.app_limited && now - std::max(asked_at_, state.app_limited_since) >= kPeriod;
  if (!fell && !rose && !due) return;
  if (fell) after_drop_wait_ = std::min(after_drop_wait_ * 2, kRemembered);
  demand_rose_ = false;
  ask(now, state.target_bps * kFurtherScale);
}

std::optional<ProbeCluster> ProbePlan::take() {
  if (pending_ == 0) return std::nullopt;
  const ProbeCluster cluster = queue_[0];
  std::move(queue_.begin() + 1, queue_.begin() + static_cast<std::ptrdiff_t>(pending_), queue_.begin());
  --pending_;
  return cluster;
}

}  // namespace atm::bwe
