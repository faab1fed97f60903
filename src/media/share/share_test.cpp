#include "media/share/share.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "media/share/share_test_claims.h"

namespace atm::share {
namespace {

RateTable single(uint64_t bps) {
  RateTable out;
  out.bps[0][0] = bps;
  return out;
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

TEST(Share, OneThatPrefersFrameRateGivesUpPixelsFirst) {
  std::vector<Claim> claims{claim_of(50)};
  claims[0].prefers_frame_rate = true;
  int64_t ms = 0;
  settle(ms, 2'000'000, claims);
  EXPECT_EQ(claims[0].target, (Layer{2, 2}));
  share(at(ms), {1'200'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 2})) << "not 2, 1, which would fit";
  share(at(ms + 10), {400'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{0, 2}));
  share(at(ms + 20), {120'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{0, 1}));
  share(at(ms + 30), {1'200'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{0, 1})) << "higher with patience";
  settle(ms, 1'200'000, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 2}));
  EXPECT_EQ(claims[0].want_bps, 1'500'000u);
  // Neither layer is a rise from the other where both are as good.
  claims[0].limit.max_spatial = 1;
  claims[0].limit.max_temporal = 1;
  settle(ms, 2'000'000, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 1}));
}

TEST(Share, APausedOneComesBackWithHeadroom) {
  std::vector<Claim> claims{claim_of(50, single(500'000))};
  share(at(0), {600'000, 0}, claims);
  ASSERT_EQ(claims[0].outcome, Outcome::kForward);
  int64_t ms = 10;
  settle(ms, 490'000, claims, 2'100);
  ASSERT_EQ(claims[0].outcome, Outcome::kPaused);
  settle(ms, 540'000, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kPaused);
  share(at(ms), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kForward) << "at once";
  // That was in vain: now it has to stand for twice the hold.
  settle(ms, 490'000, claims, 2'100);
  ASSERT_EQ(claims[0].outcome, Outcome::kPaused);
  share(at(ms + 600), {560'000, 0}, claims);
  share(at(ms + 2'500), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kPaused);
  share(at(ms + 2'600), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kForward);
}

TEST(Share, AStreamOfOneLayerThatDoesNotFitMayWaitForItsPublisher) {
  std::vector<Claim> claims{claim_of(50, single(500'000))};
  share(at(0), {600'000, 0}, claims);
  EXPECT_FALSE(claims[0].may_wait);
  share(at(10), {400'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kPaused);
  EXPECT_TRUE(claims[0].may_wait);
  share(at(2'009), {400'000, 0}, claims);
  EXPECT_TRUE(claims[0].may_wait);
  share(at(2'010), {400'000, 0}, claims);
  EXPECT_FALSE(claims[0].may_wait);
}

// It was shown all the time, so nothing has risen, and nothing was in vain when it does not fit again.
TEST(Share, WhatWaitsForItsPublisherAndFitsAgainHasNotRisen) {
  std::vector<Claim> claims{claim_of(50, single(500'000))};
  share(at(0), {600'000, 0}, claims);
  for (int64_t ms = 1'000; ms <= 9'000; ms += 2'000) {
    share(at(ms), {400'000, 0}, claims);
    ASSERT_TRUE(claims[0].may_wait);
    share(at(ms + 1'000), {510'000, 0}, claims);
    EXPECT_EQ(claims[0].outcome, Outcome::kForward) << "without headroom";
  }
  int64_t ms = 11'000;
  settle(ms, 400'000, claims, 2'100);
  EXPECT_FALSE(claims[0].may_wait);
  EXPECT_EQ(claims[0].failures, 0u);
  share(at(ms), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].outcome, Outcome::kForward) << "at once";
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

TEST(Share, ASourceThatComesBackAfterASilenceStartsAtOnce) {
  std::vector<Claim> claims{claim_of(50)};
  share(at(0), {560'000, 0}, claims);
  claims[0].rates = {};
  share(at(100), {560'000, 0}, claims);
  ASSERT_EQ(claims[0].outcome, Outcome::kNoLayer);
  claims[0].rates = simulcast();
  share(at(10'000), {560'000, 0}, claims);
  EXPECT_EQ(claims[0].target, (Layer{1, 2}));
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

}  // namespace
}  // namespace atm::share
