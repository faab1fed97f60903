#include "media/sender/key_frame_ask.h"

#include <gtest/gtest.h>

namespace atm::sender {
namespace {

Instant at(int ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

TEST(KeyFrameAsk, AHundredViewersCostOneRequest) {
  KeyFrameAsk ask;
  int requests = 0;
  for (int viewer = 0; viewer < 100; ++viewer) {
    ask.want(at(viewer));
    requests += ask.take_due(at(viewer));
  }
  EXPECT_EQ(requests, 1);
}

TEST(KeyFrameAsk, IsRepeatedUntilAKeyFrameComes) {
  KeyFrameAsk ask;
  ask.want(at(0));
  EXPECT_TRUE(ask.take_due(at(0)));
  EXPECT_FALSE(ask.take_due(at(499)));
  EXPECT_EQ(ask.next_timeout(), at(500));
  EXPECT_TRUE(ask.take_due(at(500)));
  ask.on_key_frame();
  EXPECT_EQ(ask.next_timeout(), kNever);
  EXPECT_FALSE(ask.take_due(at(5'000)));
}

TEST(KeyFrameAsk, ALateViewerWaitsForTheThrottleOnly) {
  KeyFrameAsk ask;
  ask.want(at(0));
  EXPECT_TRUE(ask.take_due(at(0)));
  ask.on_key_frame();
  ask.want(at(100));
  EXPECT_FALSE(ask.take_due(at(100)));
  EXPECT_EQ(ask.next_timeout(), at(500));
  EXPECT_TRUE(ask.take_due(at(500)));
}

}  // namespace
}  // namespace atm::sender
