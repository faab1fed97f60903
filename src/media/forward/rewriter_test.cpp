#include "media/forward/rewriter.h"

#include <gtest/gtest.h>

namespace atm0s::forward {
namespace {

Instant at(int ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

TEST(Rewriter, KeepsGapsSoThatLostPacketsCanBeAskedFor) {
  SeededRng rng(1);
  Rewriter rewriter(90'000, 0, rng);
  const auto first = rewriter.rewrite(at(0), 70'000, 1'000);
  const auto third = rewriter.rewrite(at(33), 70'002, 4'000);
  const auto second = rewriter.rewrite(at(40), 70'001, 1'000);  // recovered later
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(third->sequence, first->sequence + 2);
  EXPECT_EQ(second->sequence, first->sequence + 1);
  EXPECT_EQ(third->timestamp, first->timestamp + 3'000);
  EXPECT_EQ(second->timestamp, first->timestamp);
}

TEST(Rewriter, GoesOnAcrossASwitchOfSource) {
  SeededRng rng(2);
  Rewriter rewriter(90'000, 0, rng);
  rewriter.rewrite(at(0), 500, 10'000);
  const auto last = rewriter.rewrite(at(100), 503, 19'000);
  rewriter.restart();
  const auto switched = rewriter.rewrite(at(300), 9, 4'000'000'000u);
  ASSERT_TRUE(last && switched);
  EXPECT_EQ(switched->sequence, last->sequence + 1);
  EXPECT_EQ(switched->timestamp - last->timestamp, 90'000u * 200 / 1000)
      << "the time that passed, in the clock's units";
  EXPECT_FALSE(rewriter.rewrite(at(301), 8, 3'999'999'000u)) << "from before the switch point";
}

TEST(Rewriter, NeverRepeatsATimestampWhenSwitchingFast) {
  SeededRng rng(3);
  Rewriter rewriter(48'000, 0, rng);
  uint32_t previous = rewriter.rewrite(at(0), 1, 0)->timestamp;
  int64_t sequence = rewriter.rewrite(at(0), 2, 0)->sequence;
  for (int i = 0; i < 10; ++i) {
    rewriter.restart();
    const auto out = rewriter.rewrite(at(0), 1'000 * i, 7u * static_cast<uint32_t>(i));
    EXPECT_EQ(out->sequence, ++sequence);
    EXPECT_GE(out->timestamp - previous, 480u);
    previous = out->timestamp;
  }
}

TEST(Rewriter, StartsInTheLowerHalfOfTheCircle) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SeededRng rng(seed);
    Rewriter rewriter(90'000, 0, rng);
    const int64_t sequence = rewriter.rewrite(at(0), 65'535, 0)->sequence;
    EXPECT_GE(sequence, 0x1000);
    EXPECT_LT(sequence, 0x8000);
  }
}

}  // namespace
}  // namespace atm0s::forward
