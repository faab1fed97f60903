#include "core/bwe/arrivals.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"
#include "wire/rtcp/packet.h"

namespace atm::bwe {
namespace {

const Instant kBegin{100s};

class ArrivalsTest : public testing::Test {
 protected:
  void packet(Duration at, uint16_t sequence, size_t bytes = 1'200) {
    builder_.on_packet(kBegin + at, sequence, bytes);
  }
  // All that is told then: number to arrival since kBegin; Duration::min() for a packet that is missing.
  std::map<uint16_t, Duration> told(Duration at) {
    std::map<uint16_t, Duration> out;
    for (bool more = true; more;) {
      Bytes bytes(1'180);
      rtcp::CompoundWriter writer(bytes);
      more = builder_.write(kBegin + at, 1, 2, writer);
      if (writer.empty()) break;
      ++messages_;
      rtcp::for_each_packet(writer.written(), [&](const rtcp::Packet& packet) {
        rtcp::PacketArrivals read;
        ASSERT_TRUE(rtcp::parse_transport_feedback(std::get<rtcp::TransportFeedback>(packet).body, read));
        EXPECT_EQ(read.feedback_count, static_cast<uint8_t>(messages_ - 1));
        uint16_t sequence = read.base_sequence;
        for (const Duration since : read.since_base) {
          const bool came = since != rtcp::PacketArrivals::kNotReceived;
          out[sequence++] = came ? read.reference_time * 64ms + since - kBegin.time_since_epoch() : Duration::min();
        }
      });
    }
    return out;
  }

  TransportFeedbackBuilder builder_;
  int messages_ = 0;
};

TEST_F(ArrivalsTest, tells_what_came_and_what_is_missing_across_the_wrap) {
  EXPECT_EQ(builder_.next_timeout(), kNever);
  packet(0ms, 65'534);
  packet(10ms, 0);
  packet(12ms, 1);
  const std::map<uint16_t, Duration> expected = {{65'534, 0ms}, {65'535, Duration::min()}, {0, 10ms}, {1, 12ms}};
  EXPECT_EQ(told(50ms), expected);
  EXPECT_EQ(builder_.next_timeout(), kNever);
  EXPECT_TRUE(told(60ms).empty());
}

TEST_F(ArrivalsTest, a_loss_between_two_feedbacks_is_told) {
  packet(0ms, 1);
  told(50ms);
  packet(60ms, 3);
  const std::map<uint16_t, Duration> expected = {{2, Duration::min()}, {3, 60ms}};
  EXPECT_EQ(told(100ms), expected);
}

TEST_F(ArrivalsTest, a_packet_behind_what_was_told_is_told_after_all) {
  packet(0ms, 1);
  packet(1ms, 3);
  told(50ms);
  packet(60ms, 2);
  packet(61ms, 3);  // a repeat keeps its time
  const std::map<uint16_t, Duration> expected = {{2, 60ms}, {3, 1ms}};
  EXPECT_EQ(told(100ms), expected);
}

TEST_F(ArrivalsTest, older_than_the_window_is_ignored_and_a_jump_leaves_the_old_behind) {
  packet(0ms, 1);
  packet(1ms, 10'000);
  const std::map<uint16_t, Duration> expected = {{10'000, 1ms}};
  EXPECT_EQ(told(50ms), expected);
  packet(60ms, 2);
  EXPECT_EQ(builder_.next_timeout(), kNever);
}

TEST_F(ArrivalsTest, is_due_more_often_the_more_comes_and_at_once_when_much_has_gathered) {
  packet(0ms, 0);
  told(0ms);
  for (int i = 1; i <= 50; ++i) packet(i * 1ms, static_cast<uint16_t>(i));  // 9.6 Mbit/s
  told(50ms);
  packet(51ms, 51);
  EXPECT_EQ(builder_.next_timeout(), kBegin + 100ms);
  told(1'050ms);
  packet(1'051ms, 52, 200);
  told(2'050ms);  // 1.6 kbit/s
  packet(2'051ms, 53);
  EXPECT_EQ(builder_.next_timeout(), kBegin + 2'150ms);
  for (int i = 0; i < 500; ++i) packet(2'052ms, static_cast<uint16_t>(54 + i));
  EXPECT_TRUE(builder_.is_due(kBegin + 2'052ms));
  const int before = messages_;
  EXPECT_EQ(told(2'052ms).size(), 501u);
  EXPECT_EQ(messages_, before + 1);
}

TEST_F(ArrivalsTest, every_arrival_is_told_whatever_comes) {
  SeededRng rng(5);
  std::map<uint16_t, Duration> all;
  int came = 0;
  Duration at{};
  for (int i = 0; i < 60'000; ++i) {
    at += Duration(rng.below(3'000));
    const uint16_t late = rng.below(50) == 0 ? static_cast<uint16_t>(rng.below(30)) : 0;
    if (rng.below(10) > 0) packet(at, static_cast<uint16_t>(i - late));
    if (builder_.is_due(kBegin + at)) {
      for (const auto& [sequence, time] : told(at)) came += time != Duration::min() && !all.contains(sequence);
      for (const auto& [sequence, time] : told(at)) all[sequence] = time;
    }
  }
  EXPECT_GT(came, 50'000);
}

}  // namespace
}  // namespace atm::bwe
