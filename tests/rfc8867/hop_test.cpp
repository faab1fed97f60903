#include "hop.h"

#include <gtest/gtest.h>

#include "path.h"

namespace atm::rfc8867 {
namespace {

HopConfig plain(Capacity capacity, Duration queue = 300ms) {
  HopConfig config;
  config.capacity = std::move(capacity);
  config.queue = queue;
  return config;
}

Packet packet_of(size_t size, Duration delay = 0ms) {
  Packet packet;
  packet.size = size;
  packet.delay = delay;
  return packet;
}

std::vector<Packet> all_that_come(Hop& hop, Instant by) {
  std::vector<Packet> out;
  hop.take(by, out);
  return out;
}

TEST(HopTest, APacketTakesItsTurnItsTransmissionAndThePathsDelay) {
  Hop hop(plain(1'000'000), Instant{}, 1);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(hop.put(Instant{}, packet_of(1'250, 50ms)));  // 10 ms each
  EXPECT_EQ(hop.next_event(), Instant{60ms});
  EXPECT_TRUE(all_that_come(hop, Instant{59ms}).empty());
  EXPECT_EQ(all_that_come(hop, Instant{60ms}).at(0).waited, 0ms);
  EXPECT_EQ(all_that_come(hop, Instant{70ms}).at(0).waited, 10ms);
  EXPECT_EQ(hop.next_event(), kNever);
}

TEST(HopTest, WhatWouldWaitLongerThanTheQueueIsDropped) {
  Hop hop(plain(1'000'000, 300ms), Instant{}, 1);
  for (int i = 0; i < 31; ++i) EXPECT_TRUE(hop.put(Instant{}, packet_of(1'250))) << i;
  EXPECT_FALSE(hop.put(Instant{}, packet_of(1'250)));
  EXPECT_FALSE(hop.put(Instant{9ms}, packet_of(1'250)));
  EXPECT_TRUE(hop.put(Instant{10ms}, packet_of(1'250)));
}

TEST(HopTest, APacketThatIsUnderWayWhenTheCapacityChangesIsSentAtBothRates) {
  // 10,000 bits: 5,000 in 5 ms at 1 Mbit/s, the rest in 10 ms at half of it.
  Hop hop(plain(Capacity({{0s, 1'000'000}, {5ms, 500'000}})), Instant{}, 1);
  ASSERT_TRUE(hop.put(Instant{}, packet_of(1'250)));
  EXPECT_EQ(hop.next_event(), Instant{15ms});
}

TEST(HopTest, JitterDelaysByThreeDeviationsAtMostAndChangesNoOrder) {
  HopConfig config = plain(1'000'000'000);
  config.jitter_sd = 5ms;
  Hop hop(config, Instant{}, 7);
  Duration most{};
  for (int64_t i = 0; i < 5'000; ++i) {
    const Instant sent = Instant{} + i * 1ms;
    Packet packet = packet_of(100);
    packet.number = i;
    packet.sent = sent;
    ASSERT_TRUE(hop.put(sent, std::move(packet)));
  }
  int64_t next = 0;
  while (hop.next_event() != kNever) {
    const Instant at = hop.next_event();
    for (const Packet& packet : all_that_come(hop, at)) {
      EXPECT_EQ(packet.number, next++);
      most = std::max(most, at - packet.sent);
    }
  }
  EXPECT_EQ(next, 5'000);
  EXPECT_GT(most, 12ms);
  EXPECT_LE(most, 16ms);
}

TEST(PathTest, MediaGoesForwardAndFeedbackBackAndTheMeterSeesMediaOnly) {
  Scenario scenario;
  scenario.length = 1s;
  scenario.forward = {plain(1'000'000, 20ms)};
  scenario.backward = {plain(1'000'000)};
  scenario.media = {{.delay = 10ms}};
  Meter meter(scenario);
  Path path(scenario, Instant{}, 1, meter);
  const Bytes rtp(1'222, uint8_t{0x80});                          // 10 ms with its headers
  for (int i = 0; i < 4; ++i) path.put(Instant{}, 0, true, rtp);  // the queue holds three
  path.put(Instant{}, 0, false, Bytes{0x80, 205, 0, 0});
  std::vector<Packet> there;
  path.carry(Instant{100ms}, true, there);
  ASSERT_EQ(there.size(), 3u);
  EXPECT_TRUE(Path::came_from_sender(there[0]));
  std::vector<Packet> back;
  path.carry(Instant{100ms}, false, back);
  ASSERT_EQ(back.size(), 1u);
  EXPECT_FALSE(Path::came_from_sender(back[0]));
  meter.tick(Meter::kTick);
  EXPECT_DOUBLE_EQ(meter.close().loss, 25);
}

}  // namespace
}  // namespace atm::rfc8867
