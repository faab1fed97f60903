#include "core/bwe/controller.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>

#include "core/bwe/bottleneck_test.h"

namespace atm::bwe {
namespace {

// What a flow got of the way, in percent, over `length`; printed with the queueing delay of that time.
double share_of(Bottleneck& way, Flow& flow, Duration length, const char* name) {
  flow.mark(length);
  way.clear_delays();
  way.run(length);
  const double bps = flow.mark(length);
  const double percent = 100 * bps / static_cast<double>(way.link.bps);
  const Counters& c = flow.controller.counters();
  std::printf("%-24s %8.0f kbit/s, %5.1f %%, p95 queue %5.1f ms, target %llu, overuses %llu, probes %llu/%llu\n", name,
              bps / 1'000, percent, way.p95_queue_ms(), static_cast<unsigned long long>(flow.controller.target_bps()),
              static_cast<unsigned long long>(c.overuses), static_cast<unsigned long long>(c.probe_results),
              static_cast<unsigned long long>(c.probes));
  return percent;
}

class AloneTest : public testing::TestWithParam<uint64_t> {};

TEST_P(AloneTest, alone_the_way_is_used_and_the_queue_stays_short) {
  Bottleneck way({.bps = GetParam()});
  Flow& flow = way.add();
  share_of(way, flow, 10s, "alone, first 10 s");
  const double percent = share_of(way, flow, 60s, "alone");
  EXPECT_GE(percent, 85);
  EXPECT_LT(way.p95_queue_ms(), 100);
}
INSTANTIATE_TEST_SUITE_P(Rates, AloneTest, testing::Values(1'000'000, 4'000'000, 20'000'000));

// RFC 8867 5.1: 1, 2.5, 0.6, 1 Mbit/s.
TEST(Controller, follows_a_capacity_that_changes) {
  Bottleneck way({.bps = 1'000'000});
  Flow& flow = way.add({.start_bps = 300'000});
  way.run(30s);
  EXPECT_GE(share_of(way, flow, 10s, "RFC 8867 5.1 at 1 M"), 80);
  way.link.bps = 2'500'000;
  way.run(20s);
  EXPECT_GE(share_of(way, flow, 20s, "at 2.5 M"), 70);
  way.link.bps = 600'000;
  Duration settled{};
  for (; settled < 10s && flow.controller.target_bps() > 660'000; settled += 50ms) way.run(50ms);
  std::printf("drop followed after %lld ms\n", static_cast<long long>(to_ms(settled)));
  EXPECT_LE(settled, 5s);
  way.run(5s);
  EXPECT_GE(share_of(way, flow, 15s, "at 0.6 M"), 80);
  EXPECT_LT(way.p95_queue_ms(), 150);
  way.link.bps = 1'000'000;
  way.run(20s);
  EXPECT_GE(share_of(way, flow, 20s, "at 1 M again"), 75);
}

// RFC 8867 5.3: the way of feedback is congested.
TEST(Controller, lives_with_a_congested_way_of_feedback) {
  Bottleneck way({.bps = 2'000'000, .feedback_bps = 12'000});
  Flow& flow = way.add();
  way.run(20s);
  EXPECT_GE(share_of(way, flow, 40s, "feedback at 12 kbit/s"), 60);
  EXPECT_LT(way.p95_queue_ms(), 250);
}

// A source of 30 frames a second, so that what pacing lets through together is seen in the queue.
TEST(Controller, frames_do_not_fill_the_queue) {
  Bottleneck way({.bps = 1'500'000});
  Flow& flow = way.add();
  flow.frame_every = 33ms;
  way.run(10s);
  EXPECT_GE(share_of(way, flow, 60s, "frames at 30 Hz"), 80);
  EXPECT_LT(way.p95_queue_ms(), 100);
}

// How long after a deep drop of capacity the target is near it.
Duration follows_after(bool goes_in_bursts, bool tells_turns) {
  Duration sum{};
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Bottleneck way({.bps = 4'000'000}, seed);
    Flow& flow = way.add();
    flow.frame_every = 33'333us;
    flow.most_bps = 1'700'000;
    flow.controller.set_demand(2'500'000);
    flow.goes_in_bursts = goes_in_bursts;
    flow.tells_turns = tells_turns;
    way.run(10s + static_cast<int64_t>(seed) * 7ms);
    way.link.bps = 800'000;
    const Instant dropped = way.now;
    while (flow.controller.target_bps() > 1'000'000 && way.now < dropped + 10s) way.run(5ms);
    sum += (way.now - dropped) / 5;
  }
  return sum;
}

TEST(Controller, frames_that_go_at_once_tell_of_a_drop_as_soon_as_an_even_stream) {
  const Duration even = follows_after(false, false);
  const Duration in_bursts = follows_after(true, false);
  const Duration with_turns = follows_after(true, true);
  std::printf("a drop is followed after %lld ms evenly, %lld ms by frames at once, %lld ms with turns\n",
              static_cast<long long>(even / 1ms), static_cast<long long>(in_bursts / 1ms),
              static_cast<long long>(with_turns / 1ms));
  EXPECT_LT(with_turns, in_bursts);
  EXPECT_LE(with_turns, even + 50ms);
}

TEST(Controller, two_flows_share) {
  Bottleneck way({.bps = 4'000'000});
  Flow& first = way.add();
  Flow& second = way.add();
  second.starts = kBegin + 10s;
  way.run(150s);
  first.mark(30s);
  second.mark(30s);
  way.clear_delays();
  way.run(30s);
  const double a = first.mark(30s);
  const double b = second.mark(30s);
  const double jain = (a + b) * (a + b) / (2 * (a * a + b * b));
  std::printf("two flows %.0f and %.0f kbit/s, Jain %.3f, p95 queue %.1f ms\n", a / 1e3, b / 1e3, jain,
              way.p95_queue_ms());
  EXPECT_GE(jain, 0.9);
  EXPECT_GE(a + b, 0.8 * 4e6);
}

TEST(Controller, random_loss_is_not_taken_for_congestion) {
  for (const unsigned per_mille : {20u, 50u}) {
    Bottleneck way({.bps = 4'000'000, .lost_per_mille = per_mille});
    Flow& flow = way.add();
    way.run(10s);
    EXPECT_GE(share_of(way, flow, 60s, per_mille == 20 ? "2 % loss" : "5 % loss"), 75);
  }
}

TEST(Controller, loss_without_delay_is_followed) {
  Bottleneck way({.bps = 1'000'000, .longest_queue = 10ms});  // as good as a policer
  Flow& flow = way.add({.start_bps = 3'000'000});
  way.run(20s);
  share_of(way, flow, 20s, "queue of 10 ms");
  EXPECT_LT(flow.controller.target_bps(), 1'400'000u);
  EXPECT_LT(flow.controller.loss(), 0.2);
}

TEST(Controller, an_app_limited_sender_ramps_by_probes) {
  Bottleneck way({.bps = 8'000'000});
  Flow& flow = way.add({.start_bps = 300'000});
  flow.most_bps = 250'000;
  flow.controller.set_demand(300'000);
  way.run(20s);
  EXPECT_LT(flow.controller.target_bps(), 600'000u);
  EXPECT_EQ(flow.controller.counters().probes, 0u);
  flow.controller.set_demand(6'000'000);
  Duration ramp{};
  for (; ramp < 20s && flow.controller.target_bps() < 5'000'000; ramp += 50ms) way.run(50ms);
  std::printf("app-limited at 250 kbit/s: 5 Mbit/s known after %lld ms, %llu probes\n",
              static_cast<long long>(to_ms(ramp)), static_cast<unsigned long long>(flow.controller.counters().probes));
  EXPECT_LT(ramp, 5s);
}

TEST(Controller, silence_cuts_back_but_not_to_nothing) {
  Bottleneck way({.bps = 4'000'000});
  Flow& flow = way.add();
  way.run(10s);
  const uint64_t before = flow.controller.target_bps();
  way.link.feedback_bps = 1;  // one more and then none
  way.run(5s);
  EXPECT_LT(flow.controller.target_bps(), before / 2);
  way.run(15s);
  EXPECT_GE(flow.controller.target_bps(), before / 5);
  EXPECT_GT(flow.controller.counters().silences, 2u);
}

class OutageTest : public testing::TestWithParam<Duration> {
 protected:
  // Until the target is that; from the first feedback after an outage that begins now.
  Duration pass(Bottleneck& way, Flow& flow, Duration limit, const std::function<bool()>& until) {
    way.link.is_dark = true;
    way.run(GetParam());
    way.link.is_dark = false;
    const uint64_t feedbacks = flow.controller.counters().feedbacks;
    for (Duration waited{}; waited < 1s && flow.controller.counters().feedbacks == feedbacks; waited += kStep) {
      way.run(kStep);
    }
    Duration took{};
    for (; took < limit && !until(); took += 10ms) way.run(10ms);
    return took;
  }
};

TEST_P(OutageTest, after_it_all_is_soon_as_before) {
  for (const bool has_padding : {true, false}) {
    Bottleneck way({.bps = 5'000'000});
    Flow& flow = way.add();
    flow.frame_every = 33ms;
    flow.plays_probes = has_padding;
    way.run(has_padding ? 20s : 60s);
    const uint64_t before = flow.controller.target_bps();
    const Duration took = pass(way, flow, 10s, [&] { return flow.controller.target_bps() >= before / 10 * 8; });
    std::printf("outage of %lld ms, %s: target of %llu kbit/s again after %lld ms\n",
                static_cast<long long>(to_ms(GetParam())), has_padding ? "probes" : "no probes",
                static_cast<unsigned long long>(before / 1'000), static_cast<long long>(to_ms(took)));
    EXPECT_LE(took, 3s);
    way.clear_delays();
    flow.mark(10s);
    way.run(10s);
    EXPECT_GE(flow.mark(10s), 0.7 * 5e6) << "and it stays";
    EXPECT_LT(way.p95_queue_ms(), 150);
  }
}

TEST_P(OutageTest, a_way_that_is_slower_afterwards_is_not_flooded) {
  Bottleneck way({.bps = 5'000'000});
  Flow& flow = way.add();
  flow.frame_every = 33ms;
  way.run(20s);
  way.link.bps = 1'000'000;
  way.clear_delays();
  Instant settled = way.now;
  pass(way, flow, 10s, [&] {
    if (flow.controller.target_bps() > 1'200'000) settled = way.now;
    return false;
  });
  std::printf("outage of %lld ms, then a fifth: p95 queue %.1f ms in 10 s, target %llu kbit/s\n",
              static_cast<long long>(to_ms(GetParam())), way.p95_queue_ms(),
              static_cast<unsigned long long>(flow.controller.target_bps() / 1'000));
  EXPECT_GE(way.now - settled, 5s);
  EXPECT_GE(flow.controller.target_bps(), 600'000u);
}
INSTANTIATE_TEST_SUITE_P(Lengths, OutageTest, testing::Values(400ms, 1s, 2s, 3s, 5s, 10s));

TEST(Controller, without_transport_feedback_remb_and_reports_rule) {
  Controller controller({});
  Instant at = kBegin;
  const auto time = [&] { return Now{at, WallTime{}}; };
  controller.on_remb(time(), 2'500'000);
  EXPECT_EQ(controller.target_bps(), 2'500'000u);
  controller.on_remb(time(), 600'000);
  EXPECT_EQ(controller.target_bps(), 600'000u);
  at += Controller::kRembLife;
  EXPECT_EQ(controller.next_timeout(), at);
  controller.on_timeout(time());
  EXPECT_EQ(controller.target_bps(), 2'500'000u);
  at += 1s;
  controller.on_loss_report(time(), 128);
  EXPECT_LT(controller.target_bps(), 2'000'000u);
  EXPECT_FALSE(controller.has_feedback());
}

TEST(Controller, senseless_feedback_is_counted_and_changes_nothing) {
  Controller controller({});
  SeededRng rng(3);
  for (int i = 0; i < 20'000; ++i) {
    Bytes body(rng.below(60));
    rng.fill(body);
    controller.on_sent({kBegin + i * 1ms, {}}, controller.next_sequence(), 1'200, std::nullopt);
    controller.on_feedback({kBegin + i * 1ms, {}}, {1, 2, body});
    controller.on_timeout({kBegin + i * 1ms, {}});
    EXPECT_GE(controller.target_bps(), Config{}.min_bps);
    EXPECT_LE(controller.target_bps(), Config{}.max_bps);
  }
  EXPECT_GT(controller.counters().malformed, 0u);
}

}  // namespace
}  // namespace atm::bwe
