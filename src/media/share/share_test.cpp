#include "media/share/share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/rng.h"

namespace atm0s::share {
namespace {

Instant at(int64_t ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

// Simulcast of three layers with three temporal ones each, in thousands of bit/s.
RateTable simulcast() {
  RateTable out;
  const uint64_t kbps[3][3] = {{80, 110, 150}, {250, 350, 500}, {700, 1'000, 1'500}};
  for (size_t s = 0; s < 3; ++s) {
    for (size_t t = 0; t < 3; ++t) out.bps[s][t] = kbps[s][t] * 1'000;
  }
  return out;
}

RateTable single(uint64_t bps) {
  RateTable out;
  out.bps[0][0] = bps;
  return out;
}

Claim claim_of(uint32_t priority, RateTable rates = simulcast()) {
  Claim out;
  out.limit.priority = priority;
  out.rates = rates;
  return out;
}

uint64_t sum_of(const std::vector<Claim>& claims) {
  uint64_t sum = 0;
  for (const Claim& claim : claims) sum += claim.bps;
  return sum;
}

// Calls until everything that waited has had its chance.
Totals settle(int64_t& ms, uint64_t bps, std::vector<Claim>& claims, int64_t for_ms = 60'000) {
  Totals totals;
  for (const int64_t end = ms + for_ms; ms < end; ms += 100) totals = share(at(ms), {bps, 0}, claims);
  return totals;
}

TEST(Share, WithPlentyEverybodyGetsItsHighestLayer) {
  std::vector<Claim> claims{claim_of(50), claim_of(10)};
  const Totals totals = share(at(0), {10'000'000, 64'000}, claims);
  for (const Claim& claim : claims) {
    EXPECT_EQ(claim.outcome, Outcome::kForward);
    EXPECT_EQ(claim.target, (Layer{2, 2}));
  }
  EXPECT_EQ(totals.used_bps, 3'064'000u);
  EXPECT_EQ(totals.wanted_bps, 3'064'000u);
}

struct Case {
  const char* name;
  uint64_t estimate_kbps;
  std::vector<uint32_t> priorities;
  std::vector<int64_t> kbps;  // what each one gets when it starts; 0: paused
};

TEST(Share, TableOfStarts) {
  const Case cases[] = {
      {"one fits its lowest only", 100, {50}, {80}},
      {"one fits the middle", 560, {50}, {500}},
      {"less than the lowest", 79, {50}, {0}},
      {"without headroom it starts with its lowest", 81, {50}, {80}},
      {"two alike share alike", 1'200, {50, 50}, {500, 500}},
      {"the first of two alike when one step is left", 330, {50, 50}, {150, 150}},
      {"lowest ones first, those of high priority before", 170, {1, 50, 20}, {0, 80, 80}},
      {"equal priorities: in their order", 170, {7, 7, 7}, {80, 80, 0}},
      {"twice the priority, more of the layers", 1'400, {100, 50}, {700, 500}},
      {"nothing at all", 0, {50, 50}, {0, 0}},
  };
  for (const Case& c : cases) {
    std::vector<Claim> claims;
    for (const uint32_t priority : c.priorities) claims.push_back(claim_of(priority));
    share(at(0), {c.estimate_kbps * 1'000, 0}, claims);
    for (size_t i = 0; i < claims.size(); ++i) {
      EXPECT_EQ(static_cast<int64_t>(claims[i].bps / 1'000), c.kbps[i]) << c.name << ", claim " << i;
    }
  }
}

TEST(Share, AudioComesFirst) {
  std::vector<Claim> claims{claim_of(50)};
  const Totals totals = share(at(0), {100'000, 40'000}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kPaused);
  EXPECT_EQ(totals.used_bps, 40'000u);
  share(at(0), {30'000, 40'000}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kPaused);
}

TEST(Share, LimitsHold) {
  std::vector<Claim> claims{claim_of(50), claim_of(50)};
  claims[0].limit.max_spatial = 1;
  claims[0].limit.max_temporal = 0;
  claims[1].limit.min_spatial = 1;
  claims[1].limit.min_temporal = 1;
  share(at(0), {10'000'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 0}));
  EXPECT_EQ(claims[1].target, (Layer{2, 2}));
  EXPECT_EQ(claims[0].want_bps, 250'000u);

  share(at(10), {435'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{0, 0}));
  EXPECT_EQ(claims[1].target, (Layer{1, 1}));
  share(at(20), {349'000, 0}, claims);
  EXPECT_EQ(claims[1].outcome, Outcome::kPaused);
}

TEST(Share, AStreamOfOneLayerServesWhoeverAsksForMore) {
  std::vector<Claim> claims{claim_of(50, single(300'000))};
  claims[0].limit.min_spatial = claims[0].limit.min_temporal = 2;
  share(at(0), {1'000'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kForward);
  EXPECT_EQ(claims[0].target, Layer{});
}

TEST(Share, WithoutALayerWithinTheLimitsThereIsNothing) {
  std::vector<Claim> claims{claim_of(50, {}), claim_of(50, {})};
  claims[1].rates.bps[2][0] = 500'000;
  claims[1].limit.max_spatial = 1;
  const Totals totals = share(at(0), {1'000'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kNoLayer);
  EXPECT_EQ(claims[1].outcome, Outcome::kNoLayer);
  EXPECT_EQ(totals.used_bps, 0u);
  EXPECT_EQ(totals.wanted_bps, 0u);
}

TEST(Share, ALayerThatCostsAsMuchAsABetterOneIsNotTaken) {
  std::vector<Claim> claims{claim_of(50)};
  claims[0].rates.bps[1][0] = 140'000;  // less than {0, 2}
  share(at(0), {170'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 0}));
}

TEST(Share, ABetterLayerThatBecomesAsCheapIsTakenAtOnceAndKept) {
  std::vector<Claim> claims{claim_of(50)};
  share(at(0), {170'000, 0}, claims);
  ASSERT_EQ(claims[0].target, (Layer{0, 2}));
  claims[0].rates.bps[1][0] = 149'000;
  share(at(100), {155'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 0}));
  claims[0].rates.bps[1][0] = 151'000;
  share(at(200), {155'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 0}));
}

TEST(Share, LowerAtOnceHigherWithHeadroomAndPatience) {
  std::vector<Claim> claims{claim_of(50)};
  share(at(0), {560'000, 0}, claims);
  ASSERT_EQ(claims[0].target, (Layer{1, 2}));
  share(at(10), {499'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 1}));
  // It fits, but without headroom.
  EXPECT_EQ(share(at(20), {549'000, 0}, claims).next, at(20) + kShareInterval);
  for (int ms = 30; ms < 10'000; ms += 100) share(at(ms), {549'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 1}));
  // It fits with headroom, and has to go on to for a while.
  share(at(10'000), {560'000, 0}, claims);
  share(at(10'600), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 1}));
  EXPECT_EQ(share(at(10'999), {560'000, 0}, claims).next, at(11'000));
  EXPECT_EQ(claims[0].target, (Layer{1, 1}));
  share(at(11'000), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 2}));
}

TEST(Share, APausedOneComesBackWithHeadroom) {
  std::vector<Claim> claims{claim_of(50, single(500'000))};
  share(at(0), {600'000, 0}, claims);
  ASSERT_EQ(claims[0].outcome, Outcome::kForward);
  share(at(10), {490'000, 0}, claims);
  ASSERT_EQ(claims[0].outcome, Outcome::kPaused);
  int64_t ms = 20;
  settle(ms, 540'000, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kPaused);
  share(at(ms), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kPaused);
  share(at(ms + 1'000), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kForward);
}

TEST(Share, ARiseThatIsTakenBackIsTriedAfterTwiceTheTime) {
  std::vector<Claim> claims{claim_of(50)};
  share(at(0), {480'000, 0}, claims);
  ASSERT_EQ(claims[0].target, (Layer{1, 1}));
  int64_t ms = 0;
  std::vector<int64_t> waits;
  for (int round = 0; round < 8; ++round) {
    const int64_t start = ms;
    while (claims[0].target != Layer{1, 2}) share(at(ms += 100), {600'000, 0}, claims);
    waits.push_back(ms - start - 100);
    share(at(ms += 1'000), {480'000, 0}, claims);  // it was too much
  }
  EXPECT_EQ(waits, (std::vector<int64_t>{1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 32'000, 32'000}));
  // One that stands is forgiven.
  while (claims[0].target != Layer{1, 2}) share(at(ms += 100), {600'000, 0}, claims);
  settle(ms, 600'000, claims, 31'000);
  EXPECT_EQ(claims[0].failures, 0u);
}

TEST(Share, WhoAsksForMoreDoesNotWait) {
  std::vector<Claim> claims{claim_of(50)};
  claims[0].limit.max_spatial = 0;
  share(at(0), {5'000'000, 0}, claims);
  ASSERT_EQ(claims[0].target, (Layer{0, 2}));
  claims[0].limit.max_spatial = 2;
  share(at(10), {5'000'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{2, 2}));
}

TEST(Share, ANewcomerGetsItsPartOfWhatAnotherHas) {
  std::vector<Claim> claims{claim_of(50)};
  share(at(0), {1'700'000, 0}, claims);
  ASSERT_EQ(claims[0].target, (Layer{2, 2}));
  claims.push_back(claim_of(50));
  share(at(100), {1'700'000, 0}, claims);
  EXPECT_LE(claims[0].bps, 1'000'000u);
  EXPECT_GE(claims[1].bps, 500'000u);
  EXPECT_LE(sum_of(claims), 1'700'000u);
}

TEST(Share, WhatIsLeftIsToldToPublishers) {
  std::vector<Claim> claims{claim_of(50, single(300'000)), claim_of(50, single(2'000'000))};
  share(at(0), {1'000'000, 0}, claims);
  EXPECT_EQ(claims[0].room_bps, 1'000'000u);
  EXPECT_EQ(claims[1].outcome, Outcome::kPaused);
  EXPECT_EQ(claims[1].room_bps, 700'000u);  // a stream of that rate would be shown
}

TEST(Share, MoreClaimsThanASessionCanHaveArePaused) {
  std::vector<Claim> claims(kMaxClaims + 3, claim_of(50));
  const Totals totals = share(at(0), {1'000'000'000, 0}, claims);
  EXPECT_EQ(claims[kMaxClaims - 1].outcome, Outcome::kForward);
  EXPECT_EQ(claims[kMaxClaims].outcome, Outcome::kPaused);
  EXPECT_EQ(totals.used_bps, sum_of(claims));
}

TEST(Share, WithoutClaimsThereIsNothingToDo) {
  const Totals totals = share(at(0), {1'000'000, 64'000}, {});
  EXPECT_EQ(totals.used_bps, 64'000u);
  EXPECT_EQ(totals.next, kNever);
}

// --- properties
// --------------------------------------------------------------------------------------------------------

RateTable random_rates(Rng& rng) {
  RateTable out;
  uint64_t bps = 30'000;
  for (auto& spatial : out.bps) {
    for (uint64_t& cell : spatial) {
      bps += rng.below(200'000);
      if (rng.below(4) > 0) cell = bps - rng.below(30'000);
    }
  }
  return out;
}

Claim random_claim(Rng& rng) {
  Claim out = claim_of(rng.below(4) == 0 ? 50 : rng.below(100), random_rates(rng));
  out.limit.min_spatial = rng.below(3);
  out.limit.max_spatial = rng.below(5);
  out.limit.min_temporal = rng.below(3);
  out.limit.max_temporal = rng.below(5);
  return out;
}

// The least that the claim takes, by its definition and not as the code finds it; nothing: no layer within the limits.
std::optional<uint64_t> least_of(const Claim& claim) {
  std::optional<uint64_t> out;
  bool any_spatial = false;
  for (size_t s = kSpatialLayers; s-- > 0;) {
    if (s > claim.limit.max_spatial) continue;
    if (any_spatial && s < claim.limit.min_spatial) break;
    std::optional<size_t> top;
    for (size_t t = 0; t < kTemporalLayers && t <= claim.limit.max_temporal; ++t) {
      if (claim.rates.bps[s][t] > 0) top = t;
    }
    if (!top) continue;
    any_spatial = true;
    for (size_t t = std::min<size_t>(claim.limit.min_temporal, *top); t <= *top; ++t) {
      if (claim.rates.bps[s][t] > 0) out = std::min(out.value_or(UINT64_MAX), claim.rates.bps[s][t]);
    }
  }
  return out;
}

void check(const std::vector<Claim>& claims, const Totals& totals, uint64_t estimate, uint64_t audio) {
  EXPECT_LE(totals.used_bps, std::max(estimate, audio));
  EXPECT_EQ(totals.used_bps, sum_of(claims) + audio);
  for (const Claim& claim : claims) {
    const auto least = least_of(claim);
    EXPECT_EQ(claim.outcome == Outcome::kNoLayer, !least);
    EXPECT_LE(claim.bps, claim.want_bps);
    if (claim.outcome != Outcome::kForward) {
      EXPECT_EQ(claim.bps, 0u);
      continue;
    }
    EXPECT_LE(claim.target.spatial, claim.limit.max_spatial);
    EXPECT_LE(claim.target.temporal, claim.limit.max_temporal);
    EXPECT_GE(claim.bps, least.value_or(UINT64_MAX));
    EXPECT_EQ(claim.bps, claim.rates.at(claim.target));
    if (claim.target.spatial < claim.limit.min_spatial) {  // there is none as high as it asked for
      for (size_t s = claim.target.spatial + size_t{1}; s <= claim.limit.max_spatial && s < kSpatialLayers; ++s) {
        for (size_t t = 0; t <= claim.limit.max_temporal && t < kTemporalLayers; ++t)
          EXPECT_EQ(claim.rates.bps[s][t], 0u);
      }
    }
  }
}

TEST(ShareProperties, SumLimitsAndOrderHoldForAnything) {
  SeededRng rng(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<Claim> claims;
    for (size_t i = 1 + rng.below(12); i > 0; --i) claims.push_back(random_claim(rng));
    int64_t ms = 0;
    for (int step = 0; step < 40; ++step) {
      ms += rng.below(1'500);
      const uint64_t estimate = rng.below(4'000'000), audio = rng.below(200'000);
      if (rng.below(3) == 0) claims[rng.below(static_cast<uint32_t>(claims.size()))].rates = random_rates(rng);
      if (rng.below(3) == 0) claims[rng.below(static_cast<uint32_t>(claims.size()))].forget();
      std::vector<Claim> again = claims;
      const Totals totals = share(at(ms), {estimate, audio}, claims);
      check(claims, totals, estimate, audio);
      share(at(ms), {estimate, audio}, again);
      for (size_t i = 0; i < claims.size(); ++i) {
        EXPECT_EQ(claims[i].outcome, again[i].outcome);
        EXPECT_EQ(claims[i].target, again[i].target);
      }
      if (HasFailure()) FAIL() << "round " << round << " step " << step;
    }
  }
}

// Nobody starts out paused when somebody of lower priority shows more than its own least would have cost.
TEST(ShareProperties, AHighPriorityIsNotPausedForALowOne) {
  SeededRng rng(2);
  for (int round = 0; round < 3'000; ++round) {
    std::vector<Claim> claims;
    for (size_t i = 2 + rng.below(8); i > 0; --i) claims.push_back(random_claim(rng));
    share(at(0), {rng.below(3'000'000), 0}, claims);
    for (const Claim& paused : claims) {
      if (paused.outcome != Outcome::kPaused) continue;
      uint64_t of_lower = 0;
      for (const Claim& other : claims) of_lower += other.limit.priority < paused.limit.priority ? other.bps : 0;
      EXPECT_LT(of_lower, least_of(paused).value_or(0)) << "round " << round;
    }
  }
}

// Estimates that wander by five percent around every level at which something can happen.
TEST(ShareProperties, ANoisyEstimateSwitchesRarely) {
  SeededRng rng(3);
  int worst = 0, worst_sum = 0;
  for (uint64_t base = 80'000; base < 7'000'000; base += base / 40) {
    std::vector<Claim> claims{claim_of(100), claim_of(50), claim_of(50), claim_of(20)};
    std::vector<Claim> before = claims;
    int64_t ms = 0;
    std::vector<int> switches(claims.size());
    const int64_t minutes = 5;
    for (; ms < minutes * 60'000; ms += 100) {
      const uint64_t estimate = base * (950 + rng.below(101)) / 1'000;
      share(at(ms), {estimate, 0}, claims);
      for (size_t i = 0; i < claims.size(); ++i) {
        if (ms > 0 && (claims[i].outcome != before[i].outcome || claims[i].target != before[i].target)) ++switches[i];
      }
      before = claims;
    }
    int sum = 0;
    for (const int count : switches) {
      worst = std::max(worst, count);
      sum += count;
    }
    worst_sum = std::max(worst_sum, sum);
  }
  RecordProperty("worst_of_one_in_5_min", worst);
  RecordProperty("worst_of_session_in_5_min", worst_sum);
  EXPECT_LE(worst, 10);      // two a minute for one receiver
  EXPECT_LE(worst_sum, 20);  // four a minute for the four together
}

// The same with the rates of the layers wandering as well.
TEST(ShareProperties, NoisyRatesSwitchRarely) {
  SeededRng rng(4);
  int worst = 0;
  for (uint64_t base = 80'000; base < 4'000'000; base += base / 20) {
    std::vector<Claim> claims{claim_of(50), claim_of(50), claim_of(20)};
    std::vector<Claim> before = claims;
    std::vector<int> switches(claims.size());
    for (int64_t ms = 0; ms < 300'000; ms += 500) {
      for (Claim& claim : claims) {
        claim.rates = simulcast();
        for (auto& spatial : claim.rates.bps) {
          for (uint64_t& cell : spatial) cell = cell * (980 + rng.below(41)) / 1'000;
        }
      }
      share(at(ms), {base * (970 + rng.below(61)) / 1'000, 0}, claims);
      for (size_t i = 0; i < claims.size(); ++i) {
        if (ms > 0 && (claims[i].outcome != before[i].outcome || claims[i].target != before[i].target)) ++switches[i];
      }
      before = claims;
    }
    for (const int count : switches) worst = std::max(worst, count);
  }
  RecordProperty("worst_of_one_in_5_min", worst);
  EXPECT_LE(worst, 20);
}

// An estimate that settles leaves nobody below what it could have for ever.
TEST(ShareProperties, SettlesAtWhatANewSessionWouldGet) {
  SeededRng rng(5);
  for (int round = 0; round < 100; ++round) {
    std::vector<Claim> claims;
    for (size_t i = 1 + rng.below(5); i > 0; --i) claims.push_back(claim_of(10 + rng.below(90)));
    const uint64_t estimate = 200'000 + rng.below(5'000'000);
    int64_t ms = 0;
    settle(ms, estimate / 3, claims, 3'000);
    settle(ms, estimate, claims);
    std::vector<Claim> fresh = claims;
    for (Claim& claim : fresh) claim.forget();
    share(at(ms), {estimate, 0}, fresh);
    EXPECT_GE(sum_of(claims) * 100, sum_of(fresh) * 85) << "round " << round;
  }
}

}  // namespace
}  // namespace atm0s::share
