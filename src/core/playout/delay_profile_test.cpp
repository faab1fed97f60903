#include "core/playout/delay_profile.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace atm::playout {
namespace {

TEST(DelayProfile, CleanLinkHasOneStepOfSpread) {
  DelayProfile profile;
  for (int i = 0; i < 100; ++i) profile.add(Instant{} + i * 20ms, 40ms);
  EXPECT_EQ(profile.base(), Duration(40ms));
  EXPECT_EQ(profile.spread(), Duration(5ms));
}

TEST(DelayProfile, TellsTheDelayThat95PercentKeep) {
  DelayProfile profile;
  SeededRng rng(1);
  double sum = 0;
  for (int i = 0; i < 5'000; ++i) {
    profile.add(Instant{} + i * 20ms, 40ms + Duration(rng.below(100'000)));
    if (i >= 1'000) sum += static_cast<double>(profile.spread().count()) / 4'000;
  }
  EXPECT_NEAR(sum, 95'000, 5'000);
}

TEST(DelayProfile, ForgetsJitterInFiveSeconds) {
  DelayProfile profile;
  SeededRng rng(1);
  int i = 0;
  for (; i < 500; ++i) profile.add(Instant{} + i * 20ms, 40ms + Duration(rng.below(100'000)));
  EXPECT_GT(profile.spread(), Duration(70ms));
  for (; i < 750; ++i) profile.add(Instant{} + i * 20ms, 40ms);
  EXPECT_LE(profile.spread(), Duration(10ms));
}

TEST(DelayProfile, FasterRouteIsFollowedAtOnceWithoutLosingWhatIsKnown) {
  DelayProfile profile;
  int i = 0;
  for (; i < 500; ++i) profile.add(Instant{} + i * 20ms, 200ms + (i % 2) * 30ms);
  const Duration late = profile.base() + profile.spread();
  profile.add(Instant{} + i * 20ms, 100ms);
  EXPECT_EQ(profile.base(), Duration(100ms));
  EXPECT_NEAR(to_ms(profile.base() + profile.spread()), to_ms(late), 6);
}

TEST(DelayProfile, SlowerRouteIsTheNewBaseAfterTheWindowAndNotCountedTwice) {
  DelayProfile profile;
  int i = 0;
  for (; i < 500; ++i) profile.add(Instant{} + i * 20ms, 40ms);
  Duration most{};
  for (; i < 1'200; ++i) {
    profile.add(Instant{} + i * 20ms, 140ms);
    most = std::max(most, profile.base() + profile.spread());
  }
  EXPECT_EQ(profile.base(), Duration(140ms));
  EXPECT_EQ(profile.spread(), Duration(5ms));
  EXPECT_LE(most, Duration(150ms));
}

TEST(DelayProfile, MuchSlowerRouteIsTheNewBaseAfterTwoSeconds) {
  DelayProfile profile;
  int i = 0;
  for (; i < 500; ++i) profile.add(Instant{} + i * 20ms, 40ms);
  for (; i < 700; ++i) profile.add(Instant{} + i * 20ms, 840ms);
  EXPECT_EQ(profile.base(), Duration(840ms));
}

TEST(DelayProfile, FollowsADriftOf200Ppm) {
  for (const double ppm : {200e-6, -200e-6}) {
    DelayProfile profile;
    for (int i = 0; i < 30'000; ++i) {
      const Duration drifted(static_cast<int64_t>(i * 20'000 * ppm));
      profile.add(Instant{} + i * 20ms, 40ms + drifted);
      ASSERT_NEAR(static_cast<double>((profile.base() - 40ms - drifted).count()), 0, 2'100) << i;
      ASSERT_LE(profile.spread(), Duration(10ms));
    }
  }
}

TEST(DelayProfile, DoesNotLearnFromTheBurstAfterAnOutage) {
  DelayProfile profile;
  int i = 0;
  for (; i < 500; ++i) profile.add(Instant{} + i * 20ms, 40ms);
  const Instant back = Instant{} + i * 20ms + 3s + 20ms;
  for (; i < 650; ++i) profile.add(back, back.time_since_epoch() - i * 20ms);
  EXPECT_EQ(profile.spread(), Duration(5ms));
  for (; i < 700; ++i) profile.add(Instant{} + i * 20ms + 40ms, 40ms);
  EXPECT_EQ(profile.spread(), Duration(5ms));
  EXPECT_EQ(profile.base(), Duration(40ms));
}

TEST(DelayProfile, APauseDoesNotMakeItForget) {
  DelayProfile profile;
  for (int i = 0; i < 500; ++i) profile.add(Instant{} + i * 20ms, 40ms);
  profile.add(Instant{} + 100s, 90ms);
  EXPECT_EQ(profile.base(), Duration(40ms));
}

}  // namespace
}  // namespace atm::playout
