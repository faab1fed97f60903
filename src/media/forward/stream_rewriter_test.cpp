#include "media/forward/stream_rewriter.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace atm::forward {
namespace {

Instant at(int ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

struct StreamRewriterTest : testing::Test {
  SeededRng rng{1};
  StreamRewriter rewriter{90'000, 0x2000, rng};
  int64_t sent(int64_t sequence) {
    const auto out = rewriter.rewrite(at(0), sequence, 0);
    return out ? out->sequence - 0x2000 : -1;
  }
  int64_t dropped(int64_t from, int64_t sequence) {
    const auto out = rewriter.drop(from, sequence, 0);
    return out ? out->sequence - 0x2000 : -1;
  }
};

TEST_F(StreamRewriterTest, WhatIsLeftOutLeavesNoGap) {
  EXPECT_EQ(sent(100), 0);
  EXPECT_EQ(dropped(101, 101), -1);
  EXPECT_EQ(dropped(102, 102), -1);
  EXPECT_EQ(sent(103), 1);
}

TEST_F(StreamRewriterTest, WhatIsMissingIsAGapUntilItComes) {
  EXPECT_EQ(sent(100), 0);
  EXPECT_EQ(dropped(102, 102), -1);
  EXPECT_EQ(sent(104), 3);
  EXPECT_EQ(sent(101), 1);
  EXPECT_EQ(sent(103), 2);
  EXPECT_EQ(sent(103), -1) << "a second time";
  EXPECT_EQ(sent(102), -1) << "its place is closed";
}

TEST_F(StreamRewriterTest, AGapForAPacketThatTurnsOutToBeLeftOutIsFilled) {
  EXPECT_EQ(sent(100), 0);
  EXPECT_EQ(sent(102), 2);
  EXPECT_EQ(dropped(101, 101), 1);
  EXPECT_EQ(dropped(101, 101), -1) << "once";
  EXPECT_EQ(sent(101), -1);
}

TEST_F(StreamRewriterTest, BeforeAnythingIsSentBehindItAPlaceCanStillBeClosed) {
  EXPECT_EQ(sent(100), 0);
  EXPECT_EQ(dropped(103, 103), -1) << "101 and 102 are missing";
  EXPECT_EQ(dropped(102, 102), -1);
  EXPECT_EQ(sent(104), 2);
  EXPECT_EQ(sent(101), 1);
}

TEST_F(StreamRewriterTest, AWholeRunIsClosedAtOnce) {
  EXPECT_EQ(sent(100), 0);
  EXPECT_EQ(dropped(101, 101), -1);
  EXPECT_EQ(dropped(102, 105), -1);
  EXPECT_EQ(sent(106), 1);
}

TEST_F(StreamRewriterTest, GoesOnAcrossASwitchAndNeverTwice) {
  sent(100);
  sent(105);
  rewriter.restart();
  EXPECT_EQ(sent(7), 6);
  EXPECT_EQ(sent(6), -1) << "from before the switch point";
  EXPECT_EQ(sent(8), 7);
}

TEST_F(StreamRewriterTest, TimestampsGoOnByTheClockOrExactly) {
  const uint32_t first = rewriter.rewrite(at(0), 1, 5'000)->timestamp;
  rewriter.restart();
  EXPECT_EQ(rewriter.rewrite(at(100), 1, 70'000)->timestamp, first + 9'000);
  rewriter.restart(-70'000 + 3'000 - 2'000);  // what was 79,000 here is 10,000 there, behind 70,000 by 3,000 and more
  EXPECT_EQ(rewriter.rewrite(at(140), 1, 143'000)->timestamp, first + 9'000 + 4'000);
  rewriter.restart(500'000'000);
  EXPECT_EQ(rewriter.rewrite(at(150), 1, 1)->timestamp, first + 13'000 + 900) << "not believed";
}

// Against a list of all places: random orders, losses and drops of packets, with switches.
TEST_F(StreamRewriterTest, KeepsItsOrderAndNeverGivesANumberTwice) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRng random(seed);
    StreamRewriter tested(90'000, 0, random);
    std::set<int64_t> used;
    int64_t base = 1'000;
    for (int part = 0; part < 3; ++part, base += 50'000) {
      if (part > 0) tested.restart();
      std::map<int64_t, int64_t> places;  // by source number
      const int64_t before = used.empty() ? 0 : *used.rbegin();
      for (int i = 0; i < 2'000; ++i) {
        int64_t source = base + i;
        if (random.below(4) == 0) source -= random.below(1'500);
        if (random.below(50) == 0) base += random.below(300);
        const auto out = i > 0 && source % 3 == 0 ? tested.drop(source, source, 0) : tested.rewrite(at(i), source, 0);
        if (!out) continue;
        EXPECT_TRUE(used.insert(out->sequence).second);
        EXPECT_GT(out->sequence, before);
        EXPECT_TRUE(places.emplace(source, out->sequence).second);
      }
      int64_t last = 0;
      for (const auto& [source, place] : places) {
        EXPECT_GT(place, last);
        last = place;
      }
    }
  }
}

TEST(StreamRewriterStart, NeverRepeatsATimestampWhenSwitchingFast) {
  SeededRng rng(3);
  StreamRewriter fast(48'000, 0, rng);
  const Instant now{1s};
  uint32_t previous = fast.rewrite(now, 1, 0)->timestamp;
  int64_t sequence = fast.rewrite(now, 2, 0)->sequence;
  for (int i = 0; i < 10; ++i) {
    fast.restart();
    const auto out = fast.rewrite(now, 1'000 * i, 7u * static_cast<uint32_t>(i));
    EXPECT_EQ(out->sequence, ++sequence);
    EXPECT_GE(out->timestamp - previous, 480u);
    previous = out->timestamp;
  }
}

TEST(StreamRewriterStart, StartsInTheLowerHalfOfTheCircle) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SeededRng rng(seed);
    StreamRewriter starting(90'000, 0, rng);
    const int64_t sequence = starting.rewrite(Instant{1s}, 65'535, 0)->sequence;
    EXPECT_GE(sequence, 0x1000);
    EXPECT_LT(sequence, 0x8000);
  }
}

}  // namespace
}  // namespace atm::forward
