#include "media/share/share.h"

#include <algorithm>
#include <array>
#include <utility>

namespace atm::share {

namespace {

struct Step {
  Layer layer;
  uint64_t bps = 0;
};

// Costs times weights stay within 64 bits: no client has a terabit, and contract/json clamps priorities to this.
constexpr uint64_t kHighestEstimate = 1'000'000'000'000;
constexpr uint64_t kHighestWeight = 65'535;
constexpr size_t kSteps = kSpatialLayers * kTemporalLayers;

// The layers of a claim that are worth having, each better and dearer than the one before.
struct Ladder {
  std::array<Step, kSteps> steps;
  size_t size = 0;
};

// One claim while it is worked on. Steps count from 1; 0 is none.
struct Place {
  Ladder ladder;
  uint64_t weight = 1;
  size_t held = 0;  // the step that it has now, as far as it is still there
  size_t ceiling = 0;
  size_t filled = 0;  // what the last fill gave
};

uint64_t cost(const Place& place) {
  return place.filled == 0 ? 0 : place.ladder.steps[place.filled - 1].bps;
}

bool is_no_better(const Layer& a, const Layer& b, bool prefers_frame_rate) {
  return prefers_frame_rate ? std::pair(a.temporal, a.spatial) <= std::pair(b.temporal, b.spatial) : a <= b;
}

// Where a stream has no layer as high as the least that is asked for, its highest one serves.
Ladder make_ladder(const Claim& claim) {
  const auto& bps = claim.rates.bps;
  const size_t last_spatial = std::min<size_t>(claim.limit.max_spatial, kSpatialLayers - 1);
  const size_t last_temporal = std::min<size_t>(claim.limit.max_temporal, kTemporalLayers - 1);
  std::array<std::optional<size_t>, kSpatialLayers> highest;  // temporal layer, by spatial
  size_t first_spatial = 0;
  for (size_t s = 0; s <= last_spatial; ++s) {
    for (size_t t = 0; t <= last_temporal; ++t) {
      if (bps[s][t] > 0) highest[s] = t;
    }
    if (highest[s]) first_spatial = std::min<size_t>(s, claim.limit.min_spatial);
  }
  // From the best down: one that costs no less than a better one is worth nothing.
  Ladder down;
  const auto step_down = [&](size_t s, size_t t) {
    if (!highest[s] || t > *highest[s] || t < std::min<size_t>(claim.limit.min_temporal, *highest[s])) return;
    if (bps[s][t] == 0 || (down.size > 0 && bps[s][t] >= down.steps[down.size - 1].bps)) return;
    down.steps[down.size++] = {{static_cast<uint8_t>(s), static_cast<uint8_t>(t)}, bps[s][t]};
  };
  if (claim.prefers_frame_rate) {
    for (size_t t = last_temporal + 1; t-- > 0;) {
      for (size_t s = last_spatial + 1; s-- > first_spatial;) step_down(s, t);
    }
  } else {
    for (size_t s = last_spatial + 1; s-- > first_spatial;) {
      for (size_t t = last_temporal + 1; t-- > 0;) step_down(s, t);
    }
  }
  std::reverse(down.steps.begin(), down.steps.begin() + static_cast<ptrdiff_t>(down.size));
  return down;
}

size_t find_held(const Ladder& ladder, const Claim& claim) {
  if (claim.may_wait) return std::min<size_t>(ladder.size, 1);  // it is shown all the same
  if (claim.outcome != Outcome::kForward) return 0;
  size_t held = 0;
  while (held < ladder.size && is_no_better(ladder.steps[held].layer, claim.target, claim.prefers_frame_rate)) ++held;
  if (held == ladder.size) return held;
  // It shows something, and all that is there now is better: that is no rise.
  if (held == 0) return 1;
  // What it shows is not worth having any more, for a better one has become as cheap: neither is that.
  const uint64_t shown = claim.rates.at(claim.target);
  return ladder.steps[held - 1].layer != claim.target && shown >= ladder.steps[held].bps ? held + 1 : held;
}

class Sharing {
 public:
  explicit Sharing(std::span<Claim> claims) : count_(std::min(claims.size(), kMaxClaims)) {
    for (size_t i = 0; i < count_; ++i) {
      Place& place = places_[i];
      place.ladder = make_ladder(claims[i]);
      place.weight = std::clamp<uint64_t>(claims[i].limit.priority, 1, kHighestWeight);
      place.held = find_held(place.ladder, claims[i]);
      by_priority_[i] = static_cast<uint16_t>(i);
    }
    std::sort(by_priority_.begin(), by_priority_.begin() + static_cast<ptrdiff_t>(count_), [&](uint16_t a, uint16_t b) {
      return places_[a].weight != places_[b].weight ? places_[a].weight > places_[b].weight : a < b;
    });
  }

  // Gives each place a step up to its ceiling; the sum stays within `budget`, and what is left is returned.
  uint64_t fill(uint64_t budget) {
    size_t rising = 0;
    for (size_t i = 0; i < count_; ++i) {
      Place& place = places_[by_priority_[i]];
      place.filled = 0;
      if (place.ceiling == 0 || place.ladder.steps[0].bps > budget) continue;
      place.filled = 1;
      budget -= place.ladder.steps[0].bps;
      if (place.ceiling > 1) heap_[rising++] = by_priority_[i];
    }
    // The one on top has least for its weight; of equal ones the first of the highest priority.
    const auto is_less_urgent = [&](uint16_t a, uint16_t b) {
      const uint64_t left = cost(places_[a]) * places_[b].weight, right = cost(places_[b]) * places_[a].weight;
      if (left != right) return left > right;
      return places_[a].weight != places_[b].weight ? places_[a].weight < places_[b].weight : a > b;
    };
    const auto begin = heap_.begin();
    std::make_heap(begin, begin + static_cast<ptrdiff_t>(rising), is_less_urgent);
    while (rising > 0) {
      std::pop_heap(begin, begin + static_cast<ptrdiff_t>(rising), is_less_urgent);
      Place& place = places_[heap_[rising - 1]];
      const uint64_t more = place.ladder.steps[place.filled].bps - cost(place);
      bool goes_on = false;
      if (more <= budget) {
        budget -= more;
        goes_on = ++place.filled < place.ceiling;
      }
      if (goes_on) {
        std::push_heap(begin, begin + static_cast<ptrdiff_t>(rising), is_less_urgent);
      } else {
        --rising;
      }
    }
    return budget;
  }

  size_t count() const { return count_; }
  Place& operator[](size_t i) { return places_[i]; }

 private:
  std::array<Place, kMaxClaims> places_;
  std::array<uint16_t, kMaxClaims> by_priority_;
  std::array<uint16_t, kMaxClaims> heap_;
  size_t count_;
};

Duration hold_of(const Claim& claim) {
  const Duration longest = claim.outcome == Outcome::kPaused ? kLongestPausedHold : kLongestHold;
  return std::min<Duration>(kRiseHold * (1 << std::min(claim.failures, 10u)), longest);
}

// How far it may go now, when `wished` is what it would get with headroom. Notes since when it waits for more.
size_t ceiling_of(Instant now, Claim& claim, const Place& place, size_t wished) {
  const auto max_spatial = static_cast<uint8_t>(std::min<size_t>(claim.limit.max_spatial, kSpatialLayers));
  const auto max_temporal = static_cast<uint8_t>(std::min<size_t>(claim.limit.max_temporal, kTemporalLayers));
  // Whoever asks for more, as one does who makes a picture larger, does not wait for it.
  const bool asks_for_more = max_spatial > claim.known_max_spatial || max_temporal > claim.known_max_temporal;
  claim.known_max_spatial = max_spatial;
  claim.known_max_temporal = max_temporal;
  if (claim.is_new) return std::max(wished, std::min<size_t>(place.ladder.size, 1));
  if (wished <= place.held) {
    claim.waiting_since.reset();
    return place.held;
  }
  // Nor does one that is paused, unless it was resumed in vain before.
  if (asks_for_more || (place.held == 0 && claim.failures == 0)) return wished;
  if (!claim.waiting_since) claim.waiting_since = now;
  return now - *claim.waiting_since >= hold_of(claim) ? wished : place.held;
}

void note_outcome(Instant now, Claim& claim, const Place& place) {
  claim.outcome = place.filled > 0 ? Outcome::kForward : place.ladder.size > 0 ? Outcome::kPaused : Outcome::kNoLayer;
  claim.target = place.filled > 0 ? place.ladder.steps[place.filled - 1].layer : Layer{};
  if (claim.outcome != Outcome::kPaused) {
    claim.unfit_since.reset();
  } else if (!claim.unfit_since) {
    claim.unfit_since = now;
  }
  claim.may_wait = claim.outcome == Outcome::kPaused && place.ladder.size == 1 && now - *claim.unfit_since < kPauseHold;
  // What may wait is neither taken back, nor has it risen when it fits again.
  const size_t shown = claim.may_wait ? 1 : place.filled;
  if (shown > place.held) {
    if (!claim.is_new) claim.risen_at = now;
    claim.waiting_since.reset();
  } else if (shown < place.held) {
    if (claim.risen_at && now - *claim.risen_at < kProbation) ++claim.failures;
    claim.risen_at.reset();
    claim.waiting_since.reset();
  } else if (claim.risen_at && now - *claim.risen_at >= kForgiveAfter) {
    claim.risen_at.reset();
    claim.failures = 0;
  }
  claim.is_new = place.ladder.size == 0;  // a source that was silent and comes back starts at once, too
  claim.bps = cost(place);
  claim.want_bps = place.ladder.size == 0 ? 0 : place.ladder.steps[place.ladder.size - 1].bps;
}

}  // namespace

Totals share(Instant now, const Budget& budget, std::span<Claim> claims) {
  const uint64_t estimate = std::min(budget.estimate_bps, kHighestEstimate);
  const uint64_t video = estimate - std::min(budget.audio_bps, estimate);
  Totals totals{.used_bps = budget.audio_bps, .wanted_bps = budget.audio_bps};
  if (claims.empty()) return totals;

  // What everybody would get if nobody had anything yet, with headroom; by that they may rise.
  Sharing sharing(claims);
  for (size_t i = 0; i < sharing.count(); ++i) sharing[i].ceiling = sharing[i].ladder.size;
  const uint64_t with_headroom = video / (100 + kHeadroomPercent) * 100;
  sharing.fill(with_headroom);
  for (size_t i = 0; i < sharing.count(); ++i) {
    sharing[i].ceiling = ceiling_of(now, claims[i], sharing[i], sharing[i].filled);
  }
  // Rises are paid from what has headroom, unless they take from others: that is the order of priorities.
  const uint64_t left = sharing.fill(video);

  totals.next = now + kShareInterval;
  for (size_t i = 0; i < sharing.count(); ++i) {
    Claim& claim = claims[i];
    note_outcome(now, claim, sharing[i]);
    claim.room_bps = claim.bps + left;
    totals.used_bps += claim.bps;
    totals.wanted_bps += claim.want_bps;
    if (claim.waiting_since) {
      const Instant due = *claim.waiting_since + hold_of(claim);
      if (due > now) totals.next = std::min(totals.next, due);
    }
  }
  for (size_t i = sharing.count(); i < claims.size(); ++i) {
    claims[i].outcome = Outcome::kPaused;
    claims[i].bps = claims[i].room_bps = 0;
  }
  return totals;
}

}  // namespace atm::share
