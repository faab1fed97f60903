#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/rng.h"
#include "media/share/share.h"
#include "media/share/share_test_claims.h"

namespace atm::share {
namespace {

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
  out.prefers_frame_rate = rng.below(3) == 0;
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

// What it costs, told beside the result; nothing is asserted of a machine.
TEST(ShareCost, OfOneSharing) {
  for (const size_t count : {1, 9, 25, 256}) {
    std::vector<Claim> claims(count, claim_of(50));
    constexpr int kRounds = 1'000;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i) share(at(i * 500), {count * (300'000 + i * 100u), 0}, claims);
    const auto spent = std::chrono::steady_clock::now() - start;
    RecordProperty("ns_of_" + std::to_string(count), static_cast<int>(spent.count() / kRounds));
    EXPECT_GT(sum_of(claims), 0u);
  }
}

}  // namespace
}  // namespace atm::share
