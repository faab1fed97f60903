#include "core/pace/pacer.h"

#include <gtest/gtest.h>

#include <vector>

namespace atm::pace {
namespace {

const Instant kStart{10s};

struct Sent {
  int packet;
  Class kind;
  std::optional<uint32_t> cluster;
  Instant at;
};

class PacerTest : public testing::Test {
 protected:
  void add(Class kind, int packet, size_t bytes = 1'200) { pacer_.enqueue(now_, kind, bytes, int{packet}); }
  void release() {
    pacer_.release(now_, [&](int&& packet, Class kind, size_t, std::optional<uint32_t> cluster) {
      sent_.push_back({packet, kind, cluster, now_});
    });
  }
  // Runs on the pacer's own deadlines until then.
  void run(Duration length) {
    const Instant end = now_ + length;
    release();
    while (pacer_.next_timeout() <= end) {
      now_ = std::max(now_, pacer_.next_timeout());
      release();
      ASSERT_LT(++steps_, 100'000);
    }
    now_ = end;
  }

  Instant now_ = kStart;
  Pacer<int> pacer_{1'000'000};
  std::vector<Sent> sent_;
  int steps_ = 0;
};

TEST_F(PacerTest, video_leaves_at_the_rate_in_bursts_of_a_few_packets) {
  for (int i = 0; i < 100; ++i) add(Class::kVideo, i);
  release();
  EXPECT_EQ(sent_.size(), 3u);  // kLeastBurstBytes
  run(500ms);
  EXPECT_NEAR(static_cast<double>(sent_.size()), 52 + 3, 3);  // 62.5 kB
  for (size_t i = 0; i < sent_.size(); ++i) EXPECT_EQ(sent_[i].packet, static_cast<int>(i));
}

TEST_F(PacerTest, at_a_high_rate_a_burst_is_five_milliseconds) {
  pacer_.set_pacing_rate(50'000'000);
  for (int i = 0; i < 200; ++i) add(Class::kVideo, i);
  release();
  EXPECT_EQ(sent_.size(), 27u);  // 31,250 bytes and the packet that crosses it
}

TEST_F(PacerTest, where_there_is_room_a_frame_passes_unqueued_and_says_how_early_each_packet_is) {
  pacer_.set_pacing_rate(4'000'000, true);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(pacer_.pass(now_, Class::kVideo, 1'200), i * 2'400us) << i;
  now_ += 10ms;
  EXPECT_EQ(pacer_.pass(now_, Class::kVideo, 1'200), 4'400us) << "10 of 14.4 ms are made up for";
  now_ += 10ms;
  EXPECT_EQ(pacer_.pass(now_, Class::kVideo, 1'200), 0us);
  EXPECT_EQ(pacer_.counters().sent, 8u);
}

TEST_F(PacerTest, what_is_more_than_a_burst_waits_until_that_is_made_up_for) {
  pacer_.set_pacing_rate(4'000'000, true);
  size_t passed = 0;
  while (pacer_.pass(now_, Class::kVideo, 1'200)) ++passed;
  EXPECT_EQ(passed, 7u);  // 15 ms are 7,500 bytes, and the packet that crosses them
  add(Class::kVideo, 0);
  release();
  EXPECT_EQ(sent_.size(), 0u);
  EXPECT_EQ(pacer_.next_timeout() - kStart, 7 * 2'400us + 1us);
  now_ += 15ms;
  EXPECT_FALSE(pacer_.pass(now_, Class::kVideo, 1'200)) << "something waits";
  run(10ms);
  EXPECT_EQ(sent_.size(), 1u);
  EXPECT_TRUE(pacer_.pass(now_, Class::kVideo, 1'200));
}

TEST_F(PacerTest, a_burst_is_bounded_whatever_the_rate) {
  pacer_.set_pacing_rate(20'000'000, true);
  size_t passed = 0;
  while (pacer_.pass(now_, Class::kVideo, 1'000)) ++passed;
  EXPECT_EQ(passed, 16u);
  pacer_.set_pacing_rate(1'500'000, true);
  now_ += 10s;
  EXPECT_FALSE(pacer_.pass(now_, Class::kVideo, 1'200)) << "15 ms are no burst there";
}

TEST_F(PacerTest, no_video_passes_where_there_is_no_room) {
  pacer_.set_pacing_rate(4'000'000, false);
  EXPECT_FALSE(pacer_.pass(now_, Class::kVideo, 1'200));
  EXPECT_TRUE(pacer_.pass(now_, Class::kAudio, 100));
}

TEST_F(PacerTest, only_what_is_as_urgent_holds_audio_and_repair_up) {
  for (int i = 0; i < 10; ++i) add(Class::kVideo, i);
  release();
  EXPECT_EQ(pacer_.pass(now_, Class::kAudio, 100), 0us) << "it is never early, for it never waits";
  EXPECT_EQ(pacer_.pass(now_, Class::kRetransmission, 1'200), 0us);
  add(Class::kRetransmission, 11);
  EXPECT_TRUE(pacer_.pass(now_, Class::kAudio, 100));
  EXPECT_FALSE(pacer_.pass(now_, Class::kRetransmission, 1'200));
}

TEST_F(PacerTest, nothing_but_audio_and_repair_passes_a_probe) {
  pacer_.set_pacing_rate(4'000'000, true);
  ASSERT_TRUE(pacer_.play_probe(now_, {7, 6'000'000, 5, 11'250}));
  EXPECT_FALSE(pacer_.pass(now_, Class::kVideo, 1'200));
  EXPECT_TRUE(pacer_.pass(now_, Class::kAudio, 100));
}

TEST_F(PacerTest, audio_passes_at_once_and_is_charged) {
  for (int i = 0; i < 10; ++i) add(Class::kVideo, i);
  release();
  const size_t before = sent_.size();
  add(Class::kAudio, 99);
  release();
  ASSERT_EQ(sent_.size(), before + 1);
  EXPECT_EQ(sent_.back().packet, 99);
  now_ += 29ms;  // what the three packets alone took
  release();
  EXPECT_EQ(sent_.size(), before + 1);
  now_ += 10ms;
  release();
  EXPECT_GT(sent_.size(), before + 1);
}

TEST_F(PacerTest, retransmissions_go_at_once_and_padding_last) {
  add(Class::kPadding, 3);
  add(Class::kVideo, 2);
  add(Class::kRetransmission, 1);
  release();
  ASSERT_EQ(sent_.size(), 1u);
  run(50ms);
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[0].packet, 1);
  EXPECT_EQ(sent_[1].packet, 2);
  EXPECT_EQ(sent_[2].packet, 3);
}

TEST_F(PacerTest, a_queue_of_more_than_two_seconds_goes_faster) {
  for (int i = 0; i < 1'000; ++i) add(Class::kVideo, i);  // 9.6 s at the rate
  run(2'100ms);
  EXPECT_EQ(sent_.size(), 1'000u);
  EXPECT_EQ(pacer_.queued_bytes(), 0u);
}

TEST_F(PacerTest, a_full_queue_drops_the_oldest_video) {
  for (int i = 0; i < 4'096; ++i) add(Class::kVideo, i);
  add(Class::kRetransmission, 9'999);
  EXPECT_EQ(pacer_.queued_packets(), 4'096u);
  EXPECT_EQ(pacer_.counters().dropped_video, 1u);
  run(50ms);
  EXPECT_EQ(sent_[0].packet, 9'999);
  EXPECT_EQ(sent_[1].packet, 1);
}

TEST_F(PacerTest, video_that_comes_late_goes_before_what_follows_it_in_its_stream) {
  add(Class::kVideo, 0);
  release();
  for (const int packet : {10, 110, 12, 13, 113}) add(Class::kVideo, packet);
  pacer_.enqueue_before(now_, 1'200, 11, [](int waiting) { return waiting > 11 && waiting < 100; });
  run(1s);
  ASSERT_EQ(sent_.size(), 7u);
  const std::array expected{0, 10, 110, 11, 12, 13, 113};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(sent_[i].packet, expected[i]);
}

TEST_F(PacerTest, a_probe_is_played_at_its_rate_with_media_and_padding) {
  ASSERT_TRUE(pacer_.play_probe(now_, {7, 6'000'000, 5, 11'250}));
  EXPECT_EQ(pacer_.padding_wanted(), 11'250u);
  add(Class::kVideo, 1);
  EXPECT_EQ(pacer_.padding_wanted(), 11'250u - 1'200);
  for (int i = 0; i < 9; ++i) add(Class::kPadding, 100 + i);
  run(30ms);
  ASSERT_EQ(sent_.size(), 10u);
  for (const Sent& sent : sent_) EXPECT_EQ(sent.cluster, 7u);
  EXPECT_NEAR(static_cast<double>((sent_.back().at - sent_.front().at).count()), 9 * 1'600, 50);
  EXPECT_FALSE(pacer_.is_probing());
  EXPECT_EQ(pacer_.counters().probes_played, 1u);
}

TEST_F(PacerTest, a_probe_without_packets_is_given_up) {
  ASSERT_TRUE(pacer_.play_probe(now_, {7, 6'000'000, 5, 11'250}));
  EXPECT_FALSE(pacer_.play_probe(now_, {8, 6'000'000, 5, 11'250}));
  run(2s);
  EXPECT_FALSE(pacer_.is_probing());
  EXPECT_EQ(pacer_.counters().probes_given_up, 1u);
  EXPECT_EQ(pacer_.next_timeout(), kNever);
}

}  // namespace
}  // namespace atm::pace
