#include "core/playout/video_playout.h"

#include <gtest/gtest.h>

#include "core/playout/streams_test.h"

namespace atm::playout {
namespace {

size_t late(const std::vector<Shown>& shown, Instant from = kBegin) {
  size_t count = 0;
  for (const Shown& s : shown) count += s.is_late && s.at >= from;
  return count;
}

void expect_in_order(const std::vector<Shown>& shown) {
  for (size_t i = 1; i < shown.size(); ++i) {
    ASSERT_GE(shown[i].at, shown[i - 1].at);
    ASSERT_GE(shown[i].sent.captured, shown[i - 1].sent.captured);
  }
}

// What a large frame or a jittery network adds must not be seen: the intervals of frames as they were captured.
double worst_interval_ms(const std::vector<Shown>& shown, Instant from) {
  double worst = 0;
  for (size_t i = 1; i < shown.size(); ++i) {
    if (shown[i - 1].at < from) continue;
    const Duration off = (shown[i].at - shown[i - 1].at) - (shown[i].sent.captured - shown[i - 1].sent.captured);
    worst = std::max(worst, std::fabs(static_cast<double>(off.count()) / 1e3));
  }
  return worst;
}

TEST(VideoPlayout, CleanLinkShowsAlmostAtOnce) {
  VideoPlayout playout;
  const auto shown = show(playout, send(20s, clean(30ms)));
  EXPECT_EQ(shown.size(), 601u);
  expect_in_order(shown);
  EXPECT_LE(quantile(delays_ms(shown, kBegin), 1), 36);
  EXPECT_EQ(late(shown), 0u);
  EXPECT_LT(worst_interval_ms(shown, kBegin), 1);
}

TEST(VideoPlayout, UltraLowShowsAtOnceWhateverTheJitter) {
  VideoPlayout playout({.delays = {0ms, 0ms}, .lead = 10ms});
  const auto sent = send(20s, jittery(30ms, 10ms, 3));
  const auto shown = show(playout, sent);
  for (const Shown& s : shown) ASSERT_EQ(s.at, s.sent.arrives);
  EXPECT_EQ(late(shown), 0u);
  EXPECT_EQ(playout.stats().late_frames, 0u);

  VideoPlayout other({.delays = {0ms, 0ms}, .lead = 10ms});
  const auto delays = delays_ms(show(other, send(20s, clean(30ms))), kBegin);
  EXPECT_LT(quantile(delays, 1), 60);
}

TEST(VideoPlayout, SmoothHoldsItsDelayWithin20Percent) {
  for (const int n : {200, 500, 800, 1'000, 2'000}) {
    const Duration delay(n * 1'000);
    VideoPlayout playout({.delays = {delay, delay}, .lead = 10ms});
    const auto shown = show(playout, send(60s, jittery(20ms, 15ms, 4)));
    expect_in_order(shown);
    const auto delays = delays_ms(shown, kBegin + 3s);
    EXPECT_GT(quantile(delays, 0), n * 0.8 + 20);
    EXPECT_LT(quantile(delays, 1), n * 1.2 + 20);
    EXPECT_EQ(late(shown, kBegin + 3s), 0u);
    EXPECT_LT(worst_interval_ms(shown, kBegin + 3s), 5);
    const auto stats = playout.stats();
    EXPECT_EQ(stats.jitter_buffer_emitted_count, shown.size());
    EXPECT_EQ(stats.jitter_buffer_target_delay, delay * static_cast<int64_t>(shown.size()));
  }
}

TEST(VideoPlayout, DefaultFollowsTheJitter) {
  for (const int mean : {5, 20, 50}) {
    VideoPlayout playout;
    const auto shown = show(playout, send(120s, jittery(20ms, mean * 1ms, 5)));
    expect_in_order(shown);
    const auto delays = delays_ms(shown, kBegin + 5s);
    // 95 % of an exponential distribution are below three times its mean; a frame also waits for the one before.
    EXPECT_LT(quantile(delays, 0.5), 20 + 4 * mean + 10);
    EXPECT_LT(late(shown, kBegin + 5s), delays.size() / 12);
  }
}

TEST(VideoPlayout, LargeFramesComeOutEvenly) {
  VideoPlayout playout;
  int frame = 0;
  const auto shown = show(playout, send(60s, [&](Duration) { return 20ms + (frame++ % 10 == 0 ? 60ms : 5ms); }));
  EXPECT_EQ(late(shown, kBegin + 5s), 0u);
  EXPECT_LT(worst_interval_ms(shown, kBegin + 10s), 5);
}

// As Wi-Fi and some modems: nothing for 100 ms, then all of it.
TEST(VideoPlayout, BurstsComeOutEvenly) {
  VideoPlayout playout;
  const auto shown = show(playout, send(60s, [](Duration since) { return 120ms - since % 100ms; }));
  EXPECT_EQ(late(shown, kBegin + 5s), 0u);
  EXPECT_LT(worst_interval_ms(shown, kBegin + 5s), 5);
  EXPECT_LT(quantile(delays_ms(shown, kBegin + 5s), 1), 130);
}

TEST(VideoPlayout, RetransmissionsOf80MsAreWaitedForAtFivePercentLoss) {
  VideoPlayout playout;
  SeededRng rng(6);
  const auto shown = show(playout, send(120s, [&](Duration) { return rng.below(100) < 15 ? 100ms : 20ms; }));
  EXPECT_LT(late(shown, kBegin + 5s), shown.size() / 50);
  EXPECT_LT(quantile(delays_ms(shown, kBegin + 5s), 1), 135);
}

TEST(VideoPlayout, FollowsADriftOf200PpmForTenMinutes) {
  for (const double ppm : {200.0, -200.0}) {
    VideoPlayout playout({.delays = {200ms, 200ms}, .lead = 10ms});
    SourceSettings source;
    source.ppm = ppm;
    const auto shown = show(playout, send(600s, jittery(20ms, 5ms, 7), source));
    expect_in_order(shown);
    const auto delays = delays_ms(shown, kBegin + 5s);
    EXPECT_GT(quantile(delays, 0), 212);
    EXPECT_LT(quantile(delays, 1), 228);
    EXPECT_EQ(playout.stats().jumps, 0u);
  }
}

TEST(VideoPlayout, ABurstAfterAnOutageComesOutAtOnceAndLeavesNoDelay) {
  for (const bool is_queued : {true, false}) {
    VideoPlayout playout;
    const Network network = [&](Duration since) -> std::optional<Duration> {
      if (since < 20s || since >= 23s) return 30ms;
      if (!is_queued) return std::nullopt;
      return 23s - since + 30ms;
    };
    const auto shown = show(playout, send(40s, network));
    expect_in_order(shown);
    EXPECT_EQ(late(shown) > 0, is_queued);
    EXPECT_LT(quantile(delays_ms(shown, kBegin + 24s), 1), 45);
    EXPECT_EQ(playout.stats().render.freeze_count, 1u);
    EXPECT_NEAR(to_ms(playout.stats().render.total_freezes_duration), 3'000, 50);
    EXPECT_EQ(playout.stats().frames_dropped, 0u);
    EXPECT_EQ(playout.stats().jumps, 0u);
  }
}

TEST(VideoPlayout, ASlowerRouteIsFollowedWithoutAnExtraDelay) {
  VideoPlayout playout;
  const auto shown = show(playout, send(60s, [](Duration since) { return since < 20s ? 30ms : 130ms; }));
  expect_in_order(shown);
  EXPECT_LT(quantile(delays_ms(shown, kBegin + 20s), 1), 140);
  EXPECT_LT(quantile(delays_ms(shown, kBegin + 35s), 1), 137);
}

TEST(VideoPlayout, TimestampsWrapWithoutBeingSeen) {
  VideoPlayout playout({.delays = {200ms, 200ms}});
  SourceSettings source;
  source.first_timestamp = 0xFFFFFFFF - 5 * 90'000;
  const auto shown = show(playout, send(20s, clean(20ms), source));
  EXPECT_EQ(playout.stats().jumps, 0u);
  EXPECT_NEAR(quantile(delays_ms(shown, kBegin), 0), 220, 1);
  EXPECT_NEAR(quantile(delays_ms(shown, kBegin), 1), 220, 1);
}

// What comes later has its own timestamps.
std::vector<Sent> then(std::vector<Sent> sent, Duration length, Network network, Instant begin, uint32_t timestamp) {
  SourceSettings source;
  source.first_timestamp = timestamp;
  const auto more = send(length, std::move(network), source, begin);
  sent.insert(sent.end(), more.begin(), more.end());
  return sent;
}

TEST(VideoPlayout, AJumpOfTimestampsBeginsAnewInOrder) {
  for (const int64_t jump :
       {int64_t{90'000} * 3'600, int64_t{-90'000} * 3, int64_t{90'000} * 2, int64_t{-90'000} * 60}) {
    VideoPlayout playout({.delays = {500ms, 500ms}});
    const auto first = send(10s, clean(30ms));
    const auto continued = static_cast<uint32_t>(SourceSettings{}.first_timestamp + 900'000 + jump);
    const auto shown = show(playout, then(first, 10s, clean(30ms), kBegin + 10s, continued));
    EXPECT_EQ(shown.size(), 602u);
    expect_in_order(shown);
    EXPECT_EQ(playout.stats().jumps, 1u) << jump;
    EXPECT_EQ(playout.stats().frames_dropped, 0u);
    EXPECT_NEAR(quantile(delays_ms(shown, kBegin), 0), 530, 2) << jump;
    EXPECT_NEAR(quantile(delays_ms(shown, kBegin), 1), 530, 2) << jump;
  }
}

TEST(VideoPlayout, ASwitchToASourceOfAnotherDelayNeedsNoReset) {
  for (const Duration other : {Duration(90ms), Duration(10ms)}) {
    VideoPlayout playout;
    const auto continued = SourceSettings{}.first_timestamp + 900'000;
    const auto shown = show(playout, then(send(10s, clean(40ms)), 30s, clean(other), kBegin + 10s, continued));
    expect_in_order(shown);
    EXPECT_EQ(playout.stats().jumps, 0u);
    EXPECT_NEAR(quantile(delays_ms(shown, kBegin + 25s), 0.5), static_cast<double>(to_ms(other)) + 5, 3);
  }
}

TEST(VideoPlayout, WaitsAtLeastAsLongAsLipSyncAsks) {
  VideoPlayout playout;
  const auto sent = send(20s, clean(30ms));
  auto shown = show(playout, sent, kBegin + 5s);
  playout.set_sync_delay(150ms);
  shown = show(playout, sent, kNever, come_before(sent, kBegin + 5s));
  expect_in_order(shown);
  EXPECT_LT(worst_interval_ms(shown, kBegin), 4);  // a tenth of an interval, and not at once
  EXPECT_NEAR(quantile(delays_ms(shown, kBegin + 8s), 0), 180, 1);
  EXPECT_LT(to_ms(playout.stats().jitter_buffer_minimum_delay) / static_cast<int64_t>(sent.size()), 10);
}

TEST(VideoPlayout, NewBoundsHoldAtOnce) {
  VideoPlayout playout;
  const auto sent = send(20s, clean(30ms));
  show(playout, sent, kBegin + 5s);
  playout.set_delays({500ms, 500ms}, kBegin + 5s);
  const auto shown = show(playout, sent, kNever, come_before(sent, kBegin + 5s));
  EXPECT_NEAR(quantile(delays_ms(shown, kBegin), 0), 530, 1);
  EXPECT_NEAR(quantile(delays_ms(shown, kBegin), 1), 530, 1);
}

TEST(VideoPlayout, ATimestampBeforeTheLastIsNotShownBeforeIt) {
  VideoPlayout playout({.delays = {200ms, 200ms}, .lead = 190ms});
  std::vector<DueFrame> due;
  playout.push({90'000, kBegin, kBegin, true, 0, {}});
  playout.take_due(kBegin + 10ms, due);
  playout.push({87'000, kBegin, kBegin + 10ms, false, 1, {}});
  playout.take_due(kBegin + 20ms, due);
  ASSERT_EQ(due.size(), 2u);
  EXPECT_EQ(due[1].render_at, kBegin + 200ms);
}

TEST(VideoPlayout, UltraLowStaysSoWhenTheWayGetsFaster) {
  VideoPlayout playout({.delays = {0ms, 0ms}});
  const auto shown = show(playout, send(10s, [](Duration since) { return since < 5s ? 80ms : 30ms; }));
  for (const Shown& s : shown) ASSERT_EQ(s.at, s.sent.arrives);
}

TEST(VideoPlayout, TheLargestDelayHoldsWhateverTheJitter) {
  VideoPlayout playout({.delays = {std::nullopt, 40ms}});
  show(playout, send(20s, jittery(20ms, 50ms, 5)));
  EXPECT_GT(playout.jitter(), Duration(60ms));
  EXPECT_EQ(playout.target_delay(), Duration(40ms));
}

TEST(VideoPlayout, HandsOutTheLeadBeforeTheTime) {
  VideoPlayout playout({.delays = {200ms, 200ms}, .lead = 30ms});
  playout.push({1'000, kBegin, kBegin, true, 7, {1, 2}});
  EXPECT_EQ(playout.next_timeout(), kBegin + 170ms);
  std::vector<DueFrame> due;
  playout.take_due(kBegin + 169ms, due);
  EXPECT_TRUE(due.empty());
  playout.take_due(kBegin + 170ms, due);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].render_at, kBegin + 200ms);
  EXPECT_EQ(due[0].frame.tag, 7u);
  EXPECT_EQ(due[0].frame.payload, (Bytes{1, 2}));
  EXPECT_EQ(playout.stats().jitter_buffer_delay, Duration(170ms));
  EXPECT_EQ(playout.next_timeout(), kNever);
}

TEST(VideoPlayout, AFullQueueGoesUpToAKeyFrame) {
  VideoPlayout playout;
  std::vector<DueFrame> due;
  for (uint32_t i = 0; i < kMaxFrames; ++i) playout.push({i * 3'000, kBegin, kBegin + i * 33ms, i == 400, i, {}});
  EXPECT_EQ(playout.waiting(), kMaxFrames);
  playout.push({kMaxFrames * 3'000, kBegin, kBegin + 17s, false, kMaxFrames, {}});
  EXPECT_EQ(playout.stats().frames_dropped, 400u);
  EXPECT_FALSE(playout.wants_key_frame());
  playout.take_due(kBegin + 18s, due);
  EXPECT_EQ(due.front().frame.tag, 400u);
  EXPECT_EQ(due.back().frame.tag, kMaxFrames);
}

TEST(VideoPlayout, AFullQueueWithoutAKeyFrameWaitsForOne) {
  VideoPlayout playout;
  std::vector<DueFrame> due;
  for (uint32_t i = 0; i <= kMaxFrames; ++i) playout.push({i * 3'000, kBegin, kBegin + i * 33ms, i == 0, i, {}});
  EXPECT_TRUE(playout.wants_key_frame());
  EXPECT_EQ(playout.waiting(), 0u);
  playout.push({600 * 3'000, kBegin, kBegin + 20s, false, 600, {}});
  EXPECT_EQ(playout.waiting(), 0u);
  playout.push({601 * 3'000, kBegin, kBegin + 20s, true, 601, {}});
  EXPECT_FALSE(playout.wants_key_frame());
  EXPECT_EQ(playout.waiting(), 1u);
  EXPECT_EQ(playout.stats().frames_dropped, kMaxFrames + 2);
}

TEST(VideoPlayout, TheBytesThatWaitAreBounded) {
  VideoPlayout playout({.delays = {2s, 2s}});
  for (uint32_t i = 0; i < 5; ++i) {
    playout.push({i * 3'000, kBegin, kBegin + i * 33ms, i == 0, i, Bytes(kMaxFrameBytes / 4)});
  }
  EXPECT_TRUE(playout.wants_key_frame());
  EXPECT_EQ(playout.waiting(), 0u);
  playout.push({30'000, kBegin, kBegin + 1s, true, 9, Bytes(kMaxFrameBytes + 1)});
  EXPECT_EQ(playout.waiting(), 0u);
}

TEST(RenderStatistics, CountsAsWebrtcStatsDefinesThem) {
  RenderStatistics statistics;
  Instant at = kBegin;
  statistics.on_rendered(at);
  for (int i = 0; i < 30; ++i) statistics.on_rendered(at += 40ms);
  EXPECT_EQ(statistics.stats().total_inter_frame_delay, Duration(1'200ms));
  EXPECT_NEAR(statistics.stats().total_squared_inter_frame_delay, 30 * 0.0016, 1e-9);
  statistics.on_rendered(at += 189ms);  // below the average of 40 ms + 150 ms
  EXPECT_EQ(statistics.stats().freeze_count, 0u);
  statistics.on_rendered(at += 200ms);
  EXPECT_EQ(statistics.stats().freeze_count, 1u);
  EXPECT_EQ(statistics.stats().total_freezes_duration, Duration(200ms));
  statistics.on_rendered(at += 5s);
  EXPECT_EQ(statistics.stats().pause_count, 0u);
  EXPECT_EQ(statistics.stats().freeze_count, 2u);
  statistics.on_rendered(at += 5'001ms);
  EXPECT_EQ(statistics.stats().pause_count, 1u);
  EXPECT_EQ(statistics.stats().total_pauses_duration, Duration(5'001ms));
  EXPECT_EQ(statistics.stats().freeze_count, 2u);
  EXPECT_EQ(statistics.stats().frames_rendered, 35u);
}

TEST(RenderStatistics, NothingIsAFreezeBeforeThereIsAnAverage) {
  RenderStatistics statistics;
  Instant at = kBegin;
  for (int i = 0; i < 5; ++i) statistics.on_rendered(at += 40ms);
  statistics.on_rendered(at += 900ms);
  EXPECT_EQ(statistics.stats().freeze_count, 0u);
}

TEST(RenderStatistics, OfSlowVideoAFreezeIsThreeIntervals) {
  RenderStatistics statistics;
  Instant at = kBegin;
  for (int i = 0; i < 31; ++i) statistics.on_rendered(at += 200ms);
  statistics.on_rendered(at += 590ms);
  EXPECT_EQ(statistics.stats().freeze_count, 0u);
  statistics.on_rendered(at += 640ms);
  EXPECT_EQ(statistics.stats().freeze_count, 1u);
}

}  // namespace
}  // namespace atm::playout
