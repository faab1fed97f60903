// Probes: how long they are after what has happened, and what their packets say of ways that let bursts pass.
#include <gtest/gtest.h>

#include <vector>

#include "core/bwe/probe_plan.h"

namespace atm::bwe {
namespace {

constexpr Instant kBegin{100s};
constexpr uint64_t kDemand = 4'000'000;

// The probe of a sender that has had little to send since `since`, at an estimate of 1 Mbit/s.
std::optional<ProbeCluster> probe_at(ProbePlan& plan, Instant now, Instant since = kBegin) {
  plan.update(now, {.target_bps = 1'000'000, .app_limited = true, .app_limited_since = since});
  return plan.take();
}

ProbePlan started() {
  ProbePlan plan(kDemand);
  plan.start(kBegin, 1'000'000);
  while (plan.take()) continue;
  return plan;
}

TEST(ProbePlan, AfterOneThatMisledIsLongerForAMinute) {
  ProbePlan plan = started();
  EXPECT_EQ(probe_at(plan, kBegin + 5s)->min_bytes, 12'000u);
  plan.on_cut(kBegin + 6s, 850'000);  // as all the time near the capacity
  plan.on_result(kBegin + 10s, 3'000'000);
  plan.on_cut(kBegin + 11s, 2'500'000);  // near what was found
  plan.on_cut(kBegin + 16s, 500'000);    // long after the probe
  EXPECT_EQ(probe_at(plan, kBegin + 17s)->min_bytes, 12'000u);
  plan.on_result(kBegin + 20s, 3'000'000);
  while (plan.take()) continue;
  plan.on_cut(kBegin + 21s, 500'000);
  const auto probe = probe_at(plan, kBegin + 30s);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->min_bytes, 24'000u);
  plan.update(kBegin + 90s, {.target_bps = 1'000'000, .app_limited_since = kBegin});
  EXPECT_EQ(probe_at(plan, kBegin + 100s)->min_bytes, 12'000u);
}

TEST(ProbePlan, OfAFastWayLastsFifteenMilliseconds) {
  ProbePlan plan(100'000'000);
  plan.start(kBegin, 10'000'000);
  EXPECT_EQ(plan.take()->min_bytes, 30'000'000u * 15 / 8'000);
}

TEST(ProbePlan, OfASlowWayMakesNoLongQueue) {
  ProbePlan plan(kDemand);
  plan.start(kBegin, 50'000);
  while (plan.take()) continue;
  plan.update(kBegin + 5s, {.target_bps = 50'000, .app_limited = true, .app_limited_since = kBegin});
  const auto probe = plan.take();
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->bps, 100'000u);
  EXPECT_EQ(probe->min_bytes, 100'000u * 200 / 8'000);
}

// The times after the estimate has fallen at which probes ask whether the way carries more again; each finds less.
std::vector<int> seconds_of_probes(ProbePlan& plan, uint64_t before_bps, uint64_t after_bps, bool is_calm) {
  std::vector<int> seconds;
  for (Instant now = kBegin; now < kBegin + 10s; now += 100ms) plan.update(now, {.target_bps = before_bps});
  const Instant fell = kBegin + 10s;
  for (Instant now = fell; now < fell + 40s; now += 100ms) {
    plan.update(now, {.target_bps = after_bps, .is_calm = is_calm});
    if (const auto probe = plan.take()) {
      EXPECT_EQ(probe->bps, 2 * after_bps);
      seconds.push_back(static_cast<int>((now - fell) / 1s));
      plan.on_result(now, after_bps);
    }
  }
  return seconds;
}

TEST(ProbePlan, AfterADropAsksAgainEverLaterUntilThatIsLongAgo) {
  ProbePlan plan = started();
  EXPECT_EQ(seconds_of_probes(plan, 2'000'000, 500'000, true), (std::vector<int>{0, 2, 6}));
}

TEST(ProbePlan, AfterADropWaitsUntilQueuesAreShort) {
  ProbePlan plan = started();
  EXPECT_EQ(seconds_of_probes(plan, 2'000'000, 500'000, false), std::vector<int>{});
}

TEST(ProbePlan, AsksNothingAfterASmallDrop) {
  ProbePlan plan = started();
  EXPECT_EQ(seconds_of_probes(plan, 2'000'000, 1'600'000, true), std::vector<int>{});
}

// Plays a probe through a token bucket that is full; what it says in the end.
uint64_t measure(const ProbeCluster& probe, uint64_t way_bps, size_t burst) {
  ProbeRate rates;
  rates.begin(probe);
  constexpr size_t kSize = 300;
  double free_us = -static_cast<double>(burst) * 8e6 / static_cast<double>(way_bps);
  std::optional<uint64_t> said;
  for (size_t sent = 0; sent < probe.min_bytes; sent += kSize) {
    const double at_us = static_cast<double>(sent) * 8e6 / static_cast<double>(probe.bps);
    free_us = std::max(free_us, at_us - static_cast<double>(burst) * 8e6 / static_cast<double>(way_bps)) +
              kSize * 8e6 / static_cast<double>(way_bps);
    const Duration at{static_cast<int64_t>(at_us)};
    if (const auto bps =
            rates.add(probe.id, kBegin + at, Duration{static_cast<int64_t>(std::max(at_us, free_us))} + 30ms, kSize)) {
      said = bps;
    }
  }
  return said.value_or(0);
}

TEST(ProbeRate, OfALongProbeSeesThroughTheBurstOfATokenBucket) {
  const ProbeCluster longer{1, 2'000'000, 5, 24'000};
  EXPECT_NEAR(static_cast<double>(measure(longer, 10'000'000, 0)), 2e6, 1e5);
  EXPECT_NEAR(static_cast<double>(measure(longer, 500'000, 0)), 5e5, 5e4);
  EXPECT_NEAR(static_cast<double>(measure(longer, 500'000, 8'000)), 5e5, 5e4);
  EXPECT_GT(measure({1, 2'000'000, 5, 3'750}, 500'000, 3'000), 1'000'000u) << "a short one does not";
}

}  // namespace
}  // namespace atm::bwe
