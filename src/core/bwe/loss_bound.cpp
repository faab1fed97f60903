#include "core/bwe/loss_bound.h"

#include <algorithm>

namespace atm::bwe {
namespace {

constexpr Duration kWindowLength = 500ms;  // of one observation, longer until it has kEnoughPackets
constexpr int64_t kEnoughPackets = 40;
constexpr double kCutAbove = 0.10;   // gcc-02 6, over what is inherent
constexpr double kHoldAbove = 0.07;  // over what is inherent; gcc-02 6 holds from 2 % of any loss
constexpr double kGrowth = 1.08;     // for each observation below; gcc-02 6: 1.05
constexpr double kMostInherent =
    0.06;  // more is taken for congestion: else a policer's loss would be believed step by step
constexpr double kTailDropAbove = 0.02;   // with a standing queue
constexpr double kTailDropCut = 0.15;     // as for an overuse
constexpr Duration kBetweenCuts = 300ms;  // and a round trip (libwebrtc)

}  // namespace

double LossBound::inherent() const {
  if (windows_ < kWindows) return 0;  // a way that is flooded from the start is not one that always loses
  return std::min(*std::min_element(recent_.begin(), recent_.end()), kMostInherent);
}

void LossBound::add(Instant now, int64_t lost, int64_t total, uint64_t bps, Duration rtt,
                    std::optional<uint64_t> carried) {
  if (!started_) window_began_ = now;
  started_ = true;
  lost_ += lost;
  total_ += total;
  if (now - window_began_ < kWindowLength || total_ < kEnoughPackets) return;
  loss_ = std::clamp(static_cast<double>(lost_) / static_cast<double>(total_), 0.0, 1.0);
  recent_[windows_++ % kWindows] = loss_;
  judge(now, bps, rtt, carried);
  lost_ = 0;
  total_ = 0;
  window_began_ = now;
}

void LossBound::judge(Instant now, uint64_t bps, Duration rtt, std::optional<uint64_t> carried) {
  const double excess = loss_ - inherent();
  const bool tail_drops = carried && loss_ > kTailDropAbove;
  if (excess > kCutAbove || tail_drops) {
    if (now - cut_at_ < kBetweenCuts + rtt && bound_) return;
    const uint64_t from = std::min(bps, bound_.value_or(bps));
    // What comes out of a full queue is what the way carries: no guess by loss is needed then.
    bound_ = tail_drops ? std::min(from, static_cast<uint64_t>(static_cast<double>(*carried) * (1 - kTailDropCut)))
                        : static_cast<uint64_t>(static_cast<double>(from) * (1 - 0.5 * excess));
    cut_at_ = now;
    is_of_queue_ = tail_drops;
    return;
  }
  if (excess > kHoldAbove) {
    if (!bound_ && windows_ < kWindows) return;  // nobody knows yet what the way always loses
    bound_ = std::min(bps, bound_.value_or(bps));
    return;
  }
  if (!bound_) return;
  if (is_of_queue_ && !carried) {  // that queue is gone, and the delay tells of the next one
    bound_.reset();
    return;
  }
  bound_ = static_cast<uint64_t>(static_cast<double>(*bound_) * kGrowth);
  if (*bound_ > bps * 2) bound_.reset();  // far above what the delay allows: it bounds nothing
}

}  // namespace atm::bwe
