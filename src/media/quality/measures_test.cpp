// What the models are given: frames, losses, freezes.
#include <gtest/gtest.h>

#include "media/quality/frame_watch.h"
#include "media/quality/heard.h"
#include "media/quality/reported_loss.h"

namespace atm::quality {
namespace {

constexpr Instant kStart{100s};

// --- frames ----------------------------------------------------------------------------------------------------------

struct FrameWatchTest : testing::Test {
  FrameWatch watch;
  Instant now = kStart;
  void play(int frames, Duration interval = 33ms) {
    for (int i = 0; i < frames; ++i) {
      watch.on_frame(now);
      now += interval;
    }
  }
};

TEST_F(FrameWatchTest, CountsFramesAndSeesNoFreezeInThem) {
  play(30);
  const auto window = watch.take(now);
  EXPECT_EQ(window.frames, 30u);
  EXPECT_EQ(window.length, 990ms);
  EXPECT_EQ(window.freezes, 0u);
  EXPECT_EQ(window.frozen, 0ms);
  EXPECT_EQ(watch.take(now + 10ms).frames, 0u);
}

TEST_F(FrameWatchTest, AStandstillCountsOnceWithTheTimeThatItTook) {
  play(30);
  watch.take(now);
  now += 500ms;
  play(5);
  auto window = watch.take(now);
  EXPECT_EQ(window.freezes, 1u);
  EXPECT_EQ(window.frozen, 500ms) << "of this window; the last frame came before it";
  play(30);
  EXPECT_EQ(watch.take(now).freezes, 0u);
}

TEST_F(FrameWatchTest, OneThatGoesOnOverWindowsIsOne) {
  play(30);
  watch.take(now);
  EXPECT_EQ(watch.take(now += 1s).freezes, 1u);
  const auto second = watch.take(now += 1s);
  EXPECT_EQ(second.freezes, 0u);
  EXPECT_EQ(second.frozen, 1s);
  now += 200ms;
  play(20);
  const auto third = watch.take(now);
  EXPECT_EQ(third.freezes, 0u);
  EXPECT_EQ(third.frozen, 200ms);
}

TEST_F(FrameWatchTest, FewerFramesAreNoFreeze) {
  play(30);
  play(10, 133ms);  // the lowest of three temporal layers
  EXPECT_EQ(watch.take(now).freezes, 0u);
  play(20, 300ms);
  EXPECT_LE(watch.take(now).freezes, 2u) << "at once far fewer: that is learnt";
}

TEST_F(FrameWatchTest, ALostPictureIsOneUntilAKeyFrame) {
  watch.on_key_frame(now);
  play(30);
  watch.take(now);
  watch.on_picture_lost(now, 50ms);
  watch.on_picture_lost(now + 10ms, 50ms);
  play(10);
  watch.on_key_frame(now);
  play(20);
  const auto window = watch.take(now);
  EXPECT_EQ(window.freezes, 1u);
  EXPECT_EQ(window.frozen, 330ms);
  EXPECT_EQ(window.frames, 30u);
}

TEST_F(FrameWatchTest, ARequestThatAKeyFrameHasCrossedIsNone) {
  watch.on_picture_lost(now, 50ms);
  watch.on_key_frame(now);
  play(4);
  watch.on_picture_lost(now, 50ms);
  play(30);
  EXPECT_EQ(watch.take(now).freezes, 0u);
}

// --- frames of audio -------------------------------------------------------------------------------------------------

TEST(Heard, CountsGapsAndWhatFillsThem) {
  Heard heard;
  for (const int64_t sequence : {10, 11, 14, 15, 17}) heard.on_frame(kStart, 1, 0, sequence, 80, sequence == 10);
  EXPECT_EQ(heard.totals().expected, 8u);
  EXPECT_EQ(heard.totals().received, 5u);
  EXPECT_EQ(heard.totals().gaps, 2u);
  EXPECT_EQ(heard.totals().bytes, 400u);
  EXPECT_EQ(heard.totals().with_fec, 1u);
  EXPECT_DOUBLE_EQ(heard.totals().loss(), 3 / 8.0);
  const Heard::Totals before = heard.totals();
  heard.on_frame(kStart, 1, 0, 16, 80, false);
  heard.on_frame(kStart, 1, 0, 18, 80, false);
  EXPECT_EQ((heard.totals() - before).expected, 1u);
  EXPECT_EQ((heard.totals() - before).loss(), 0.0) << "one that came late fills a hole of before";
}

TEST(Heard, AnotherNumberingIsNoLoss) {
  Heard heard;
  heard.on_frame(kStart, 1, 0, 10, 80, false);
  heard.on_frame(kStart, 2, 0, 5'000, 80, false);
  heard.on_frame(kStart, 2, 1, 7, 80, false);
  heard.on_frame(kStart, 2, 1, 7 + 600, 80, false);
  heard.pause();
  heard.on_frame(kStart, 2, 1, 900, 80, false);
  EXPECT_EQ(heard.totals().expected, 5u);
  EXPECT_EQ(heard.totals().gaps, 0u);
}

// --- reports ---------------------------------------------------------------------------------------------------------

TEST(ReportedLoss, IsThatBetweenTwoReports) {
  ReportedLoss loss;
  EXPECT_FALSE(loss.loss());
  EXPECT_TRUE(loss.on_report(1'000, 100, 64));
  EXPECT_EQ(loss.loss(), 0.25) << "the first says its own interval";
  EXPECT_FALSE(loss.on_report(1'000, 100, 64));
  EXPECT_TRUE(loss.on_report(1'200, 110, 0));
  EXPECT_DOUBLE_EQ(*loss.loss(), 0.05) << "over all reports that came between";
  EXPECT_TRUE(loss.on_report(1'300, 105, 0));
  EXPECT_EQ(loss.loss(), 0.0) << "duplicates make the count go back (RFC 3550 A.3)";
  EXPECT_TRUE(loss.on_report(200, 0, 128));
  EXPECT_EQ(loss.loss(), 0.5) << "it began anew";
}

}  // namespace
}  // namespace atm::quality
