#include "media/share/layer_rates.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/rng.h"

namespace atm::share {
namespace {

Instant at(int64_t ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

// A camera at 30 frames a second with three temporal layers (0 2 1 2), the same bytes in each frame.
void run(LayerRates& rates, int64_t from_ms, int64_t to_ms, size_t spatial, size_t frame_bytes,
         size_t first_frame_bytes = 0) {
  for (int64_t frame = 0;; ++frame) {
    const int64_t ms = from_ms + frame * 1'000 / 30;
    if (ms >= to_ms) return;
    const size_t temporal = frame % 4 == 0 ? 0 : frame % 4 == 2 ? 1 : 2;
    rates.on_packet(at(ms), spatial, temporal, frame == 0 && first_frame_bytes > 0 ? first_frame_bytes : frame_bytes);
  }
}

void expect_near_percent(uint64_t bps, uint64_t expected, uint64_t percent) {
  EXPECT_NEAR(static_cast<double>(bps), static_cast<double>(expected), static_cast<double>(expected * percent) / 100);
}

TEST(LayerRates, TemporalLayersAddUp) {
  LayerRates rates;
  run(rates, 0, 4'000, 0, 2'000);  // 480 kbit/s
  const RateTable table = rates.table(at(4'000), Scaling::kIndependent);
  expect_near_percent(table.bps[0][0], 120'000, 15);
  expect_near_percent(table.bps[0][1], 240'000, 10);
  expect_near_percent(table.bps[0][2], 480'000, 5);
  EXPECT_EQ(table.bps[0][3], 0u);
  EXPECT_EQ(table.bps[1][0], 0u);
}

TEST(LayerRates, SimulcastIsOneLayerSvcAllUnderIt) {
  LayerRates rates;
  for (int64_t ms = 0; ms < 4'000; ms += 20) {
    rates.on_packet(at(ms), 0, 0, 250);    // 100 kbit/s
    rates.on_packet(at(ms), 1, 0, 750);    // 300
    rates.on_packet(at(ms), 2, 0, 2'000);  // 800
    rates.on_packet(at(ms), 2, 1, 500);    // 200
  }
  const Instant now = at(4'000);
  const RateTable own = rates.table(now, Scaling::kIndependent);
  expect_near_percent(own.bps[2][0], 800'000, 3);
  expect_near_percent(own.bps[2][1], 1'000'000, 3);
  EXPECT_EQ(rates.table(now, Scaling::kKeySvc), own);
  const RateTable svc = rates.table(now, Scaling::kFullSvc);
  expect_near_percent(svc.bps[0][0], 100'000, 3);
  expect_near_percent(svc.bps[1][0], 400'000, 3);
  expect_near_percent(svc.bps[2][0], 1'200'000, 3);
  expect_near_percent(svc.bps[2][1], 1'400'000, 3);
  EXPECT_EQ(svc.bps[1][1], 0u);  // it has no such layer
}

TEST(LayerRates, AKeyFrameIsNoRate) {
  LayerRates rates;
  run(rates, 0, 4'000, 0, 2'000);
  const uint64_t before = rates.table(at(4'000), Scaling::kIndependent).bps[0][2];
  uint64_t highest = 0;
  for (int64_t ms = 4'000; ms < 8'000; ms += 100) {
    // Twenty times a frame, and then as before: without care that is two thirds more.
    run(rates, ms, ms + 100, 0, 2'000, ms == 4'000 ? 40'000 : 0);
    highest = std::max(highest, rates.table(at(ms + 100), Scaling::kIndependent).bps[0][2]);
  }
  EXPECT_LT(highest, before * 115 / 100);
}

TEST(LayerRates, AStreamBeginsWithAKeyFrameAndIsNotTakenForAnotherKind) {
  LayerRates rates;
  run(rates, 0, 100, 0, 2'000, 20'000);
  EXPECT_LT(rates.table(at(100), Scaling::kIndependent).bps[0][2], 480'000u);
  run(rates, 100, 1'000, 0, 2'000);
  EXPECT_LT(rates.table(at(1'000), Scaling::kIndependent).bps[0][2], 700'000u);
}

TEST(LayerRates, FollowsAChangeWithinASecondAndAHalf) {
  LayerRates rates;
  run(rates, 0, 4'000, 0, 1'000);
  run(rates, 4'000, 6'000, 0, 4'000);
  expect_near_percent(rates.table(at(6'000), Scaling::kIndependent).bps[0][2], 960'000, 10);
  run(rates, 6'000, 8'000, 0, 1'000);
  expect_near_percent(rates.table(at(8'000), Scaling::kIndependent).bps[0][2], 240'000, 15);
}

TEST(LayerRates, ALayerThatStopsFadesAndIsGone) {
  LayerRates rates;
  run(rates, 0, 4'000, 1, 2'000);
  EXPECT_EQ(rates.alive_since(at(4'000), {1, 0}), at(0));
  const uint64_t before = rates.own_bps(at(4'000), {1, 0});
  EXPECT_LT(rates.own_bps(at(5'500), {1, 0}), before / 2);
  EXPECT_GT(rates.table(at(5'500), Scaling::kIndependent).bps[1][2], 0u);
  EXPECT_EQ(rates.table(at(6'100), Scaling::kIndependent), RateTable{});
  EXPECT_EQ(rates.alive_since(at(6'100), {1, 0}), std::nullopt);
  // And begins anew.
  run(rates, 60'000, 61'000, 1, 1'000);
  EXPECT_EQ(rates.alive_since(at(61'000), {1, 0}), at(60'000));
  expect_near_percent(rates.table(at(61'000), Scaling::kIndependent).bps[1][2], 240'000, 15);
}

TEST(LayerRates, AStillScreenStaysThere) {
  LayerRates rates;
  for (int64_t ms = 0; ms < 20'000; ms += 1'000) rates.on_packet(at(ms), 0, 0, 500);
  EXPECT_EQ(rates.alive_since(at(20'000), {0, 0}), at(0));
  EXPECT_GT(rates.table(at(20'000), Scaling::kIndependent).bps[0][0], 0u);
}

TEST(LayerRates, WhatThePublisherAimsAtHelpsAtTheStartOnly) {
  LayerRates rates;
  RateTable targets;
  targets.bps[0][0] = 150'000;
  targets.bps[1][0] = 500'000;
  rates.set_targets(targets);
  EXPECT_EQ(rates.table(at(0), Scaling::kIndependent), RateTable{});  // nothing came yet
  rates.on_packet(at(0), 0, 0, 100);
  RateTable table = rates.table(at(10), Scaling::kIndependent);
  EXPECT_EQ(table.bps[0][0], 150'000u);
  EXPECT_EQ(table.bps[1][0], 0u);  // and of this one nothing yet
  for (int64_t ms = 20; ms < 3'000; ms += 20) rates.on_packet(at(ms), 0, 0, 100);
  expect_near_percent(rates.table(at(3'000), Scaling::kIndependent).bps[0][0], 40'000, 5);
}

TEST(LayerRates, ALayerOfUnknownCostIsNotOfferedBeforeItsFirstSlotIsOver) {
  LayerRates rates;
  rates.on_packet(at(0), 0, 0, 1'000);
  EXPECT_EQ(rates.table(at(50), Scaling::kIndependent).bps[0][0], 0u);
  EXPECT_GT(rates.table(at(100), Scaling::kIndependent).bps[0][0], 0u);
}

TEST(LayerRates, LayersOverTheHighestCountAsTheHighest) {
  LayerRates rates;
  for (int64_t ms = 0; ms < 2'000; ms += 20) rates.on_packet(at(ms), 7, 9, 1'000);
  EXPECT_GT(rates.own_bps(at(2'000), {kSpatialLayers - 1, kTemporalLayers - 1}), 0u);
}

TEST(LayerRates, AnythingInAnyTimeKeepsOrder) {
  SeededRng rng(1);
  LayerRates rates;
  int64_t ms = 0;
  for (int i = 0; i < 20'000; ++i) {
    ms += rng.below(200) == 0 ? rng.below(5'000) : rng.below(10);
    rates.on_packet(at(ms), rng.below(4), rng.below(4), rng.below(1'500));
    if (i % 50 != 0) continue;
    const RateTable svc = rates.table(at(ms), Scaling::kFullSvc);
    const RateTable own = rates.table(at(ms), Scaling::kIndependent);
    for (size_t s = 0; s < kSpatialLayers; ++s) {
      uint64_t last = 0;
      for (size_t t = 0; t < kTemporalLayers; ++t) {
        EXPECT_LE(own.bps[s][t], svc.bps[s][t]);
        EXPECT_LE(svc.bps[s][t], 20'000'000u);
        if (own.bps[s][t] == 0) continue;
        EXPECT_GE(own.bps[s][t], last);
        last = own.bps[s][t];
      }
    }
  }
}

// What it costs, told beside the result; nothing is asserted of a machine.
TEST(LayerRates, CostOfAPacket) {
  LayerRates rates;
  constexpr int kPackets = 1'000'000;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kPackets; ++i) rates.on_packet(Instant{} + 2ms * i, i % 3, i % 2, 1'200);
  const auto spent = std::chrono::steady_clock::now() - start;
  RecordProperty("packet_ns", static_cast<int>(spent.count() / kPackets));
  EXPECT_GT(rates.own_bps(Instant{} + 2ms * kPackets, {0, 0}), 0u);
}

}  // namespace
}  // namespace atm::share
