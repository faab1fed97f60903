// Transport-wide feedback between two peers, and what a paced sender makes of it.
#include <gtest/gtest.h>

#include "core/peer/call_test.h"
#include "wire/rtcp/transport_feedback.h"

namespace atm::peer {
namespace {

using negotiation::Direction;

struct CongestionTest : testing::Test {
  CallWorld world{5};
  Call call{world, true};

  std::vector<negotiation::OfferMedia> lines() {
    return {Call::line(MediaKind::kAudio, Direction::kSendOnly, "0", 100),
            Call::line(MediaKind::kVideo, Direction::kRecvOnly, "1")};
  }
  // A frame of `packets` times 1,000 bytes every 33 ms from the server to the client.
  void show(Duration length, size_t packets) {
    const std::string payload(1'000, 'x');
    for (Duration at{}; at < length; at += 33ms) {
      for (size_t i = 0; i < packets; ++i) call.send(call.server, 2, sequence_++, payload, timestamp_);
      timestamp_ += 2'970;
      call.run(33ms);
    }
  }
  // To the client from now on: 600 kbit/s, and half a second of queue.
  void narrow_down() {
    free_at_ = world.now.mono;
    call.drop = [this](bool to_server, const Bytes& datagram) {
      if (to_server) return false;
      free_at_ = std::max(free_at_, world.now.mono);
      if (free_at_ - world.now.mono > 500ms) return true;
      free_at_ += Duration(static_cast<int64_t>(datagram.size()) * 8'000'000 / 600'000);
      call.link.emplace(free_at_ + Call::kOneWay, std::pair(false, datagram));
      return true;
    };
  }
  Instant free_at_{};
  int64_t sequence_ = 1'000;
  uint32_t timestamp_ = 0;
};

TEST_F(CongestionTest, FeedbackComesAndTheEstimateCoversWhatIsSent) {
  ASSERT_TRUE(call.connect(lines()));
  EXPECT_EQ(call.server.peer->estimate_bps(), bwe::Config{}.start_bps) << "a guess";
  show(5s, 6);  // 1.5 Mbit/s
  const Counters& server = call.server.peer->counters();
  EXPECT_GE(server.feedback_received, 40u);
  EXPECT_LE(server.feedback_received, 110u);
  EXPECT_LE(call.client.peer->counters().feedback_sent - server.feedback_received, 1u);  // on its way
  ASSERT_TRUE(call.server.peer->estimate_bps());
  EXPECT_GE(*call.server.peer->estimate_bps(), 1'500'000u);
  EXPECT_GT(server.probes_sent, 0u);
  EXPECT_EQ(server.drop_paced, 0u);
  // All of it arrived, probes are no media, and nothing was asked for again.
  EXPECT_EQ(call.client.got.size(), static_cast<size_t>(sequence_ - 1'000));
  EXPECT_EQ(server.nacks_received, 0u);
}

// A bottleneck of 600 kbit/s with half a second of queue in front of a stream of 1.5 Mbit/s.
TEST_F(CongestionTest, ASlowWayBringsTheEstimateDownToWhatItCarries) {
  ASSERT_TRUE(call.connect(lines()));
  show(3s, 6);
  narrow_down();
  for (int i = 0; i < 400; ++i) {  // a source that keeps to the estimate
    show(33ms, std::clamp<size_t>(*call.server.peer->estimate_bps() / 260'000, 1, 6));
  }
  ASSERT_TRUE(call.server.peer->estimate_bps());
  EXPECT_LE(*call.server.peer->estimate_bps(), 800'000u) << "two packets a frame, and half as much again";
  EXPECT_GE(*call.server.peer->estimate_bps(), 250'000u);
}

TEST_F(CongestionTest, WhereThereIsRoomAFrameGoesInOnePiece) {
  ASSERT_TRUE(call.connect(lines()));
  const auto passes = [&](size_t packets) {
    const std::string payload(1'000, 'x');
    for (size_t i = 0; i < packets; ++i) call.send(call.server, 2, sequence_++, payload, timestamp_);
    const bool waits = call.server.peer->has_queued_media();
    call.run(33ms);
    return !waits;
  };
  EXPECT_FALSE(passes(6)) << "nothing is known yet";
  show(5s, 6);
  EXPECT_TRUE(passes(6));
  narrow_down();
  show(2s, 6);
  EXPECT_FALSE(passes(6));
}

// Negotiated, but nobody tells anything: after a while packets go out as they come.
TEST_F(CongestionTest, ARemoteThatNeverAnswersIsNotEstimated) {
  ASSERT_TRUE(call.connect(lines()));
  call.drop = [](bool to_server, const Bytes&) { return to_server; };
  show(1s, 2);
  EXPECT_TRUE(call.server.peer->estimate_bps());
  show(1s, 2);
  EXPECT_FALSE(call.server.peer->estimate_bps());
  EXPECT_FALSE(call.server.peer->has_queued_media());
}

// All video is paused: a little padding goes out, so that there is something to tell of.
TEST_F(CongestionTest, WhereMoreIsWantedTheWayNeverGoesQuiet) {
  ASSERT_TRUE(call.connect(lines()));
  narrow_down();
  show(1s, 2);
  const uint64_t feedback = call.server.peer->counters().feedback_received;
  call.run(10s);
  EXPECT_GE(call.server.peer->counters().feedback_received, feedback + 30);
  EXPECT_EQ(call.client.got.size(), static_cast<size_t>(sequence_ - 1'000)) << "and it is no media";
}

TEST_F(CongestionTest, WithoutPacingNothingIsNumberedAndNothingIsTold) {
  Call plain{world};
  ASSERT_TRUE(plain.connect(lines()));
  for (int64_t i = 0; i < 100; ++i) {
    plain.send(plain.server, 2, 1'000 + i, "picture", static_cast<uint32_t>(i) * 3'000);
    plain.run(10ms);
  }
  EXPECT_EQ(plain.client.peer->counters().feedback_sent, 0u);
  EXPECT_FALSE(plain.server.peer->estimate_bps());
}

TEST_F(CongestionTest, AMaximumOfVideoIsToldWhenItChangesAndOnceASecond) {
  ASSERT_TRUE(call.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "0", 100)}));
  Peer& server = *call.server.peer;
  uint64_t told_at_once = 0;
  const auto limit = [&](uint64_t bps) {
    const uint64_t before = server.counters().rembs_sent;
    server.limit_incoming_video(bps, call.server.out);
    told_at_once = server.counters().rembs_sent - before;
    call.flush(call.server);
    call.run(2 * Call::kOneWay);
    return call.client.peer->remb_bps();
  };
  EXPECT_EQ(limit(800'000), std::nullopt) << "of what has sent nothing there is nothing to tell";
  for (int64_t i = 0; i < 60; ++i) {
    call.send(call.client, 1, 1'000 + i, "picture", static_cast<uint32_t>(i) * 3'000);
    call.run(33ms);
  }
  EXPECT_EQ(call.client.peer->remb_bps(), 800'000u);
  EXPECT_EQ(limit(100'000), 100'000u);
  EXPECT_EQ(told_at_once, 1u);
  EXPECT_EQ(limit(100'000), 100'000u);
  EXPECT_EQ(told_at_once, 0u) << "that is no change";
  EXPECT_EQ(limit(2'500'000), 2'500'000u / 16 * 16) << "18 bits and an exponent";
  EXPECT_EQ(told_at_once, 1u);
}

}  // namespace
}  // namespace atm::peer
