#include "media/session/sharing.h"

#include <algorithm>

namespace atm::session {
namespace {

uint8_t clamp_layer(uint32_t layer) {
  return static_cast<uint8_t>(std::min<uint32_t>(layer, 0xFF));
}

forward::Layer highest(const contract::ReceiverLimit& limit) {
  return {clamp_layer(limit.max_spatial), clamp_layer(limit.max_temporal)};
}

forward::Layer lowest(const contract::ReceiverLimit& limit) {
  return {clamp_layer(std::min(limit.min_spatial, limit.max_spatial)),
          clamp_layer(std::min(limit.min_temporal, limit.max_temporal))};
}

bool is_above(const receiver::Receiver& receiver, const forward::Layer& target) {
  const auto shown = receiver.current();
  return shown && (shown->spatial > target.spatial || shown->temporal > target.temporal);
}

bool is_same(const forward::Target& a, const forward::Target& b) {
  return a.layer == b.layer && a.is_paused == b.is_paused && a.is_urgent == b.is_urgent;
}

}  // namespace

bool Sharing::is_due(Instant now, const std::optional<uint64_t>& estimate_bps) const {
  if (next_ <= now || estimate_bps.has_value() != estimate_.has_value()) return true;
  return estimate_bps && *estimate_bps < *estimate_;
}

void Sharing::share(Now now, std::optional<uint64_t> estimate_bps, size_t live_audio, std::span<Viewed> viewed) {
  const bool has_fallen = estimate_bps && estimate_ && *estimate_bps < *estimate_;
  estimate_ = estimate_bps;
  next_ = kNever;
  if (estimate_bps) {
    claims_.clear();
    bool is_any_bound = false;
    for (const Viewed& one : viewed) {
      share::Claim& claim = *one.claim;
      // Nothing came of its stream; when something does, that is no rise that has to wait.
      if (claim.outcome == share::Outcome::kNoLayer) claim.forget();
      claim.limit = one.receiver->limit();
      sender::Source* source = one.receiver->source();
      claim.rates = source == nullptr ? share::RateTable{} : source->rates.table(now.mono, source->scaling);
      claim.prefers_frame_rate = source != nullptr && source->content_hint == contract::ContentHint::kMotion;
      claims_.push_back(claim);
      is_any_bound |= one.receiver->remote().has_value();
    }
    const share::Budget budget{*estimate_bps, live_audio * kAudioReserve};
    const share::Totals totals = share::share(now.mono, budget, claims_);
    demand_bps_ = totals.wanted_bps * kDemandPercent / 100;
    if (is_any_bound) demand_bps_ = std::max(demand_bps_, peer::kDefaultDemand);
    if (is_any_bound) next_ = std::min(totals.next, now.mono + share::kShareInterval);
  }
  for (size_t i = 0; i < viewed.size(); ++i) {
    receiver::Receiver& receiver = *viewed[i].receiver;
    forward::Target target{highest(receiver.limit())};
    if (estimate_bps) {
      const share::Claim& claim = *viewed[i].claim = claims_[i];
      target.layer = lowest(receiver.limit());
      // What is paused stays paused until it fits.
      target.is_paused = claim.outcome == share::Outcome::kPaused && !(claim.may_wait && !receiver.target().is_paused);
      if (claim.outcome == share::Outcome::kForward) target.layer = {claim.target.spatial, claim.target.temporal};
      if (claim.outcome == share::Outcome::kNoLayer && receiver.source() != nullptr && receiver.source()->active) {
        next_ = std::min(next_, now.mono + kFirstLook);
      }
    } else {
      viewed[i].claim->forget();
    }
    target.is_urgent = is_above(receiver, target.layer) && (has_fallen || receiver.target().is_urgent);
    viewed[i].has_changed = !is_same(receiver.target(), target);
    if (viewed[i].has_changed) receiver.set_target(target);
  }
}

}  // namespace atm::session
