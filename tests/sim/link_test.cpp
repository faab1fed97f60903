// What links do to datagrams, by their figures; and that each feature draws only when it is used.
#include "link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace atm::sim {
namespace {

constexpr Instant kStart{10s};
constexpr LinkConfig kClean{20ms, 0ms, 0, 0};

// The fate of `count` datagrams of 1,000 bytes, one each `interval`.
std::vector<std::optional<Instant>> carry(Link& link, int count, Duration interval, Instant from = kStart) {
  std::vector<std::optional<Instant>> fates;
  for (int i = 0; i < count; ++i) fates.push_back(link.carry(from + i * interval, 1'000));
  return fates;
}

TEST(Link, WithoutAnyTroubleIsTheDelayAlone) {
  Link link(kClean, 1);
  for (const auto& arrival : carry(link, 1, 1ms)) EXPECT_EQ(arrival, kStart + 20ms);
}

TEST(Link, AFeatureThatIsNotUsedChangesNoFate) {
  LinkConfig plain;
  plain.loss = 0.1;
  LinkConfig more = plain;
  more.rate_bps = 1'000'000'000'000;  // draws nothing, and takes 8 ns a datagram
  Link a(plain, 7), b(more, 7);
  const auto fates = carry(a, 10'000, 1ms), others = carry(b, 10'000, 1ms);
  for (size_t i = 0; i < fates.size(); ++i) {
    ASSERT_EQ(fates[i].has_value(), others[i].has_value()) << i;
    if (fates[i]) {
      ASSERT_LT(*others[i] - *fates[i], 1us) << i;
    }
  }
}

TEST(Link, BurstsHaveTheLengthAndTheShareThatTheyAreGiven) {
  LinkConfig config = kClean;
  config.burst_begin = 0.01;
  config.burst_end = 0.2;
  Link link(config, 3);
  int bursts = 0, lost = 0;
  bool was_lost = false;
  for (const auto& arrival : carry(link, 200'000, 1ms)) {
    lost += !arrival;
    bursts += !arrival && !was_lost;
    was_lost = !arrival;
  }
  EXPECT_NEAR(lost / 200'000.0, 0.01 / (0.01 + 0.2), 0.003) << "the stationary share of the bad state";
  EXPECT_NEAR(static_cast<double>(lost) / bursts, 5.0, 0.3) << "1 / burst_end";
}

TEST(Link, HoldsBackTheShareThatIsToBeOvertaken) {
  LinkConfig config = kClean;
  config.reordering = 0.05;
  Link link(config, 4);
  int overtaken = 0;
  const auto fates = carry(link, 20'000, 5ms);
  for (size_t i = 1; i < fates.size(); ++i) overtaken += *fates[i] < *fates[i - 1];
  EXPECT_NEAR(overtaken / 20'000.0, 0.05, 0.01);
}

TEST(Link, ABottleneckDelaysUpToItsQueueAndDropsTheRest) {
  LinkConfig config = kClean;
  config.rate_bps = 1'000'000;
  config.queue = 100ms;
  Link link(config, 5);
  // 1,028 bytes each millisecond: 8.2 Mbit/s into 1 Mbit/s.
  const auto fates = carry(link, 1'000, 1ms);
  int arrived = 0;
  Duration longest = 0ms;
  for (size_t i = 0; i < fates.size(); ++i) {
    if (!fates[i]) continue;
    ++arrived;
    longest = std::max(longest, *fates[i] - (kStart + static_cast<int>(i) * 1ms) - 20ms);
  }
  EXPECT_NEAR(arrived, 1'000'000 * 1.1 / (1'028 * 8), 2) << "a second of the rate, and what is left in the queue";
  EXPECT_LE(longest, 100ms + 9ms) << "the queue and the datagram itself";
  EXPECT_GE(longest, 95ms);
  EXPECT_EQ(link.lost_in_queue(), 1'000u - static_cast<unsigned>(arrived));
}

TEST(Link, ARateMayChangeOnTheWay) {
  LinkConfig config = kClean;
  config.rate_bps = 500'000;
  Link link(config, 6);
  carry(link, 200, 1ms);
  EXPECT_GT(link.waiting(kStart + 200ms), 80ms);
  config.rate_bps = 100'000'000;
  link.set_config(config);
  const Instant later = kStart + 1s;
  for (const auto& arrival : carry(link, 100, 1ms, later)) EXPECT_TRUE(arrival.has_value());
  EXPECT_LT(link.waiting(later + 100ms), 1ms);
}

}  // namespace
}  // namespace atm::sim
