// Probes: how long they are after what has happened, and what their packets say of ways that let bursts pass.
#include <gtest/gtest.h>

#include "core/bwe/probe_plan.h"

namespace atm0s::bwe {
namespace {

constexpr Instant kBegin{100s};
constexpr uint64_t kDemand = 4'000'000;

// The probe of a sender that has had little to send since `since`, at an estimate of 1 Mbit/s.
std::optional<ProbeCluster> probe_at(ProbePlan& plan, Instant now, Instant since = kBegin) {
  plan.update(now, 1'000'000, true, since);
  return plan.take();
}

ProbePlan started() {
  ProbePlan plan(kDemand);
  plan.start(kBegin, 1'000'000);
  while (plan.take()) continue;
  return plan;
}

TEST(ProbePlan, IsShortUntilTheWayHasBecomeNarrow) {
  ProbePlan plan = started();
  auto probe = probe_at(plan, kBegin + 5s);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->min_bytes, 2'000'000u * 15 / 8'000);
  EXPECT_FALSE(plan.on_cut(kBegin + 6s, 850'000, false)) << "as all the time near the capacity";
  EXPECT_EQ(probe_at(plan, kBegin + 9s)->min_bytes, probe->min_bytes);
  EXPECT_FALSE(plan.on_cut(kBegin + 10s, 400'000, true));
  EXPECT_EQ(probe_at(plan, kBegin + 13s)->min_bytes, 12'000u);
}

TEST(ProbePlan, AfterOneThatMisledIsLongerAndRarerUntilThereHasBeenNoneForAMinute) {
  ProbePlan plan = started();
  plan.on_result(kBegin + 2s, 3'000'000);
  EXPECT_TRUE(plan.on_cut(kBegin + 3s, 500'000, true));
  plan.on_result(kBegin + 4s, 3'000'000);
  EXPECT_TRUE(plan.on_cut(kBegin + 5s, 500'000, true));
  EXPECT_FALSE(plan.on_cut(kBegin + 11s, 500'000, true)) << "long after the probe";
  ASSERT_TRUE(probe_at(plan, kBegin + 12s));
  EXPECT_FALSE(probe_at(plan, kBegin + 15s));
  const auto probe = probe_at(plan, kBegin + 16s);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->min_bytes, 24'000u);
  plan.update(kBegin + 80s, 1'000'000, false, kBegin);
  EXPECT_EQ(probe_at(plan, kBegin + 90s)->min_bytes, 12'000u);
  plan.update(kBegin + 150s, 1'000'000, false, kBegin);
  EXPECT_LT(probe_at(plan, kBegin + 160s)->min_bytes, 12'000u);
}

TEST(ProbePlan, OfASlowWayMakesNoLongQueue) {
  ProbePlan plan(kDemand);
  plan.start(kBegin, 50'000);
  while (plan.take()) continue;
  plan.on_cut(kBegin + 1s, 20'000, true);
  plan.update(kBegin + 5s, 50'000, true, kBegin);
  const auto probe = plan.take();
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->bps, 100'000u);
  EXPECT_EQ(probe->min_bytes, 100'000u * 200 / 8'000);
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
}  // namespace atm0s::bwe
