#include "core/sctp/congestion_window.h"

#include <gtest/gtest.h>

#include "core/sctp/retransmission_timeout.h"

namespace atm::sctp {
namespace {

constexpr size_t kPacket = kMaxPacketSize - 28;

// As if the window were sent in full and acknowledged packet by packet, `packets` times.
void acknowledge(CongestionWindow& window, size_t packets) {
  for (size_t i = 0; i < packets; ++i) window.on_ack(kPacket, true, window.bytes(), false);
}

TEST(CongestionWindow, BeginsWithWhatTheStandardAllows) {
  EXPECT_EQ(CongestionWindow().bytes(), 4'404u);
}

TEST(CongestionWindow, DoublesPerRoundTripInSlowStartWhenUsedInFull) {
  CongestionWindow window;
  acknowledge(window, 4);
  EXPECT_EQ(window.bytes(), 4'404 + 4 * kPacket);
  window.on_ack(kPacket, true, 100, false);  // was hardly used
  EXPECT_EQ(window.bytes(), 4'404 + 4 * kPacket);
  window.on_ack(kPacket, false, window.bytes(), false);  // the cumulative TSN stood still
  EXPECT_EQ(window.bytes(), 4'404 + 4 * kPacket);
}

TEST(CongestionWindow, HalvesOnceForAllLossesOfAWindowThenGrowsByAPacketPerRoundTrip) {
  CongestionWindow window;
  acknowledge(window, 100);
  const size_t before = window.bytes();
  EXPECT_TRUE(window.on_fast_retransmit(500));
  EXPECT_EQ(window.bytes(), before / 2);
  EXPECT_FALSE(window.on_fast_retransmit(501));
  EXPECT_EQ(window.bytes(), before / 2);
  acknowledge(window, 10);  // not before the recovery has ended
  EXPECT_EQ(window.bytes(), before / 2);
  window.on_cumulative_tsn(499);
  EXPECT_TRUE(window.in_fast_recovery());
  window.on_cumulative_tsn(500);
  EXPECT_FALSE(window.in_fast_recovery());
  window.on_ack(kPacket, true, window.bytes(), true);  // slow start's last step, at the threshold
  const size_t start = window.bytes();
  acknowledge(window, start / kPacket + 1);
  EXPECT_EQ(window.bytes(), start + kPacket);
}

TEST(CongestionWindow, FallsToOnePacketOnATimeoutAndSlowStartsToHalf) {
  CongestionWindow window;
  acknowledge(window, 100);
  const size_t before = window.bytes();
  window.on_timeout();
  EXPECT_EQ(window.bytes(), kPacket);
  acknowledge(window, 20);
  EXPECT_EQ(window.bytes(), 21 * kPacket);
  acknowledge(window, 1'000);
  EXPECT_LT(window.bytes(), before);
}

TEST(CongestionWindow, NeverHalvesBelowFourPackets) {
  CongestionWindow window;
  window.on_fast_retransmit(1);
  EXPECT_EQ(window.bytes(), 4 * kPacket);
}

TEST(CongestionWindow, ForgetsWhatItDidNotUseForLong) {
  CongestionWindow window;
  acknowledge(window, 100);
  const size_t before = window.bytes();
  window.on_idle(100ms, 200ms);
  EXPECT_EQ(window.bytes(), before);
  window.on_idle(250ms, 200ms);
  EXPECT_EQ(window.bytes(), before / 2);
  window.on_idle(3600s, 200ms);
  EXPECT_EQ(window.bytes(), 4 * kPacket);
}

TEST(RetransmissionTimeout, FollowsTheMeasurements) {
  RetransmissionTimeout rto;
  EXPECT_EQ(rto.value(), kRtoInitial);
  rto.on_round_trip(100ms);
  EXPECT_EQ(rto.value(), 300ms);  // 100 + 4 * 50
  rto.on_round_trip(100ms);
  EXPECT_EQ(rto.value(), 250ms);  // 100 + 4 * 37.5
  rto.on_round_trip(180ms);
  EXPECT_EQ(rto.value(), 110ms + 4 * Duration(48'125));
  for (int i = 0; i < 100; ++i) rto.on_round_trip(1ms);
  EXPECT_EQ(rto.value(), kRtoMin);
  for (int i = 0; i < 100; ++i) rto.on_round_trip(10s);
  EXPECT_EQ(rto.value(), kRtoMax);
}

TEST(RetransmissionTimeout, DoublesWithEachSilenceUntilSomethingComesThrough) {
  RetransmissionTimeout rto;
  rto.on_round_trip(100ms);
  rto.on_timeout();
  EXPECT_EQ(rto.value(), 600ms);
  rto.on_timeout();
  EXPECT_EQ(rto.value(), 1'200ms);
  rto.on_timeout();
  rto.on_timeout();
  EXPECT_EQ(rto.value(), kRtoMax);
  rto.on_progress();
  EXPECT_EQ(rto.value(), 300ms);
}

}  // namespace
}  // namespace atm::sctp
