// Against flows that fill the queue until it overflows (TCP): when that is noticed, for how long it is believed, and
// what a loss does then.
#include <gtest/gtest.h>

#include "core/bwe/loss_bound.h"
#include "core/bwe/queue_delay.h"
#include "core/bwe/rate_control.h"

namespace atm::bwe {
namespace {

constexpr Instant kBegin{100s};
constexpr Duration kWay = 50ms;

// The queue goes up from `low` to `high` every second, as TCP's does, for that long; a feedback each 50 ms.
Instant play(QueueDelay& queue, Instant from, Duration length, Duration low, Duration high) {
  for (Duration at{}; at < length; at += 50ms)
    queue.add(from + at, kWay + low + (high - low) * (at % 1s).count() / 1'000'000);
  return from + length;
}

TEST(QueueDelay, IsOthersWhenItNeverGoes) {
  QueueDelay queue;
  Instant now = play(queue, kBegin, 1s, 0ms, 5ms);
  now = play(queue, now, 5s, 100ms, 250ms);
  EXPECT_FALSE(queue.competes());
  play(queue, now, 3s, 100ms, 250ms);
  EXPECT_TRUE(queue.competes());
}

TEST(QueueDelay, IsStillOthersWhenItIsEmptyForAMoment) {
  QueueDelay queue;
  Instant now = play(queue, kBegin, 1s, 0ms, 5ms);
  now = play(queue, now, 8s, 100ms, 250ms);
  now = play(queue, now, 400ms, 0ms, 5ms);
  EXPECT_TRUE(queue.competes());
  now = play(queue, now, 1s, 40ms, 250ms);
  EXPECT_TRUE(queue.competes());
  play(queue, now, 600ms, 0ms, 5ms);
  EXPECT_FALSE(queue.competes()) << "nobody fills it any more";
}

TEST(QueueDelay, IsStillOthersWhenItIsOnlyShorterThanEverBefore) {
  QueueDelay queue;
  Instant now = play(queue, kBegin, 1s, 100ms, 105ms);  // it was full from the start
  now = play(queue, now, 8s, 200ms, 350ms);
  ASSERT_TRUE(queue.competes());
  for (const Duration delay : {100ms, 90ms, 80ms, 70ms, 60ms, 50ms, 40ms, 30ms, 20ms, 10ms}) {
    now = play(queue, now, 100ms, delay, delay);
    EXPECT_TRUE(queue.competes()) << delay.count();
  }
  play(queue, now, 600ms, 10ms, 12ms);
  EXPECT_FALSE(queue.competes());
}

TEST(RateControl, OfALossEpisodeIsCutOnceWhileItCompetes) {
  RateControl rate(1'000'000, 30'000, 10'000'000);
  Instant now = kBegin;
  const auto step = [&](Instant lost) {
    now += 100ms;
    rate.compete(now, lost, 300ms, 5'000'000);
    return rate.bps();
  };
  step({});
  const uint64_t before = step({});
  const Instant sent = now;
  const uint64_t cut = step(sent);
  EXPECT_LT(cut, before * 8 / 10);
  // Told later, but sent before the cut.
  for (int i = 0; i < 10; ++i) EXPECT_GE(step(sent + 50ms), cut) << i;
  EXPECT_LT(step(now), cut) << "what was sent since is lost as well";
}

TEST(LossBound, OfAFullQueueIsGoneWithIt) {
  LossBound bound;
  Instant now = kBegin;
  const auto window = [&](int64_t lost, std::optional<uint64_t> carried) {
    for (int i = 0; i < 10; ++i) bound.add(now += 60ms, i == 0 ? lost : 0, 10, 2'000'000, 50ms, carried);
  };
  window(0, std::nullopt);
  window(5, 600'000);
  ASSERT_TRUE(bound.bps());
  EXPECT_EQ(*bound.bps(), 510'000u);
  window(0, 600'000);
  EXPECT_TRUE(bound.bps()) << "it still stands";
  window(0, std::nullopt);
  EXPECT_FALSE(bound.bps());
}

}  // namespace
}  // namespace atm::bwe
