#include "media/session/sharing.h"

#include <gtest/gtest.h>

#include "core/peer/call_test.h"

namespace atm::session {
namespace {

using negotiation::Direction;
using peer::Call;
using receiver::Receiver;

// Two viewers' receivers of one session, each of a simulcast source of 100, 400 and 1,600 kbit/s.
struct SharingTest : testing::Test {
  void SetUp() override {
    ASSERT_TRUE(viewer.connect({Call::line(MediaKind::kVideo, Direction::kRecvOnly, "v")}));
    for (size_t i = 0; i < 2; ++i) {
      receivers.push_back(std::make_unique<Receiver>("video_" + std::to_string(i), MediaKind::kVideo,
                                                     sender::SessionId{1}, *viewer.server.peer, 1, world.rng));
      sources[i].key = {"p", std::to_string(i)};
      sources[i].kind = MediaKind::kVideo;
      sources[i].simulcast_layers = 3;
      receivers[i]->bind(sources[i].key);
      receivers[i]->attach(&sources[i]);
    }
    now = world.now;
  }
  // A second of packets, and what is due in it.
  void run(std::optional<uint64_t> estimate, Duration length = 1s) {
    for (const Instant end = now.mono + length; now.mono < end; now.mono += 20ms) {
      for (auto& source : sources) {
        for (size_t layer = 0; layer < 3; ++layer) source.rates.on_packet(now.mono, layer, 0, 250u << 2 * layer);
      }
      if (sharing.is_due(now.mono, estimate)) share(estimate);
    }
  }
  void share(std::optional<uint64_t> estimate) {
    ++shared;
    viewed.clear();
    for (size_t i = 0; i < 2; ++i) viewed.push_back({receivers[i].get(), &claims[i]});
    sharing.share(now, estimate, 0, viewed);
  }
  const forward::Target& target(size_t i) const { return receivers[i]->target(); }

  peer::CallWorld world{1};
  Call viewer{world};
  std::vector<std::unique_ptr<Receiver>> receivers;
  sender::Source sources[2];
  share::Claim claims[2];
  std::vector<Sharing::Viewed> viewed;
  Sharing sharing;
  Now now;
  int shared = 0;
};

TEST_F(SharingTest, WithoutAnEstimateEverybodyGetsItsLimitAndNoTimerRuns) {
  contract::ReceiverLimit limit;
  limit.max_spatial = 1;
  receivers[0]->set_limit(limit);
  share(std::nullopt);
  EXPECT_EQ(target(0).layer, (forward::Layer{1, 2}));
  EXPECT_EQ(target(1).layer, (forward::Layer{2, 2}));
  EXPECT_TRUE(viewed[0].has_changed);
  EXPECT_EQ(sharing.next_timeout(), kNever);
  share(std::nullopt);
  EXPECT_FALSE(viewed[0].has_changed);
  run(std::nullopt);
  EXPECT_EQ(shared, 2);
}

TEST_F(SharingTest, AnEstimateIsSharedAndAFallCountsAtOnce) {
  run(10'000'000, 4s);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(target(i).layer.spatial, 2);
  EXPECT_NEAR(static_cast<double>(sharing.demand_bps()), 4'800'000, 600'000);
  const int before = shared;
  run(10'000'000, 1s);
  EXPECT_LE(shared - before, 3) << "by the clock";
  share(1'000'000);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(target(i).layer.spatial, 1);
    EXPECT_FALSE(target(i).is_paused);
  }
  EXPECT_TRUE(sharing.is_due(now.mono, 999'999));
  EXPECT_FALSE(sharing.is_due(now.mono, 1'000'001));
  share(150'000);
  EXPECT_EQ(target(0).layer.spatial, 0);
  EXPECT_TRUE(target(1).is_paused) << "there is no room for both";
  EXPECT_EQ(receivers[1]->state(), contract::ReceiverState::kPaused);
  run(10'000'000, 5s);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(target(i).layer.spatial, 2);
  share(std::nullopt);
  EXPECT_EQ(target(1).layer, (forward::Layer{2, 2}));
}

TEST_F(SharingTest, MotionKeepsItsFrameRateAndEverythingElseItsPixels) {
  sources[0].content_hint = contract::ContentHint::kMotion;
  viewed = {{receivers[0].get(), &claims[0]}, {receivers[1].get(), &claims[1]}};
  for (int frame = 0; frame < 200; ++frame, now.mono += 20ms) {
    for (auto& source : sources) {
      const size_t temporal = std::array<size_t, 4>{0, 2, 1, 2}[frame % 4];
      for (size_t layer = 0; layer < 3; ++layer) source.rates.on_packet(now.mono, layer, temporal, 250u << 2 * layer);
    }
    if (sharing.is_due(now.mono, 10'000'000)) sharing.share(now, 10'000'000, 0, viewed);
  }
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(target(i).layer, (forward::Layer{2, 2}));
  sharing.share(now, 1'700'000, 0, viewed);
  EXPECT_EQ(target(0).layer, (forward::Layer{1, 2})) << "400 kbit/s";
  EXPECT_EQ(target(1).layer, (forward::Layer{2, 1})) << "800 kbit/s";
}

TEST_F(SharingTest, ANewStreamBeginsWithItsLowestLayerAndIsLookedAtSoon) {
  share(10'000'000);
  EXPECT_EQ(target(0).layer, (forward::Layer{0, 0})) << "nobody knows what it costs";
  EXPECT_FALSE(target(0).is_paused);
  EXPECT_EQ(sharing.next_timeout(), now.mono + kFirstLook);
  run(10'000'000, 600ms);
  EXPECT_EQ(target(0).layer.spatial, 2);
}

TEST_F(SharingTest, NoTimerRunsForWhoViewsNothing) {
  for (auto& receiver : receivers) receiver->unbind();
  share(10'000'000);
  EXPECT_EQ(sharing.next_timeout(), kNever);
}

}  // namespace
}  // namespace atm::session
