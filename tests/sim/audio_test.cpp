// What is heard of a call over lossy ways.
#include <gtest/gtest.h>

#include <cstdio>

#include "world.h"

namespace atm::sim {
namespace {

struct Talk {
  Talk(uint64_t seed, double loss, size_t copies, bool has_inband_fec, bool viewer_has_red = true)
      : world(seed, link_of(loss)) {
    ClientConfig config;
    config.sends_video = false;
    config.video_receivers = 0;
    config.peer = "speaker";
    config.audio_receivers = 0;
    config.audio_copies = copies;
    config.has_inband_fec = has_inband_fec;
    speaker = &world.add_client(config);
    config.peer = "viewer";
    config.sends_audio = false;
    config.audio_receivers = 1;
    config.takes_red = viewer_has_red;
    viewer = &world.add_client(config);
  }
  static LinkConfig link_of(double loss) {
    LinkConfig link;
    link.loss = loss;
    return link;
  }
  void run(Duration length) {
    ASSERT_TRUE(world.connect(*speaker) && world.connect(*viewer));
    ASSERT_TRUE(world.run_until([&] { return speaker->is_ready() && viewer->is_ready(); }, 20s));
    ASSERT_TRUE(world.run_until([&] { return viewer->streams().size() == 1; }, 10s));
    world.view(*viewer, "audio_0", "speaker", "audio_main");
    world.run_for(length);
  }
  World world;
  Client* speaker;
  Client* viewer;
};

TEST(Audio, RedReachesViewersThatHaveItAndOpusTheOthers) {
  for (const bool has_red : {true, false}) {
    Talk talk(3, 0, 1, false, has_red);
    talk.run(5s);
    const Listener& listener = talk.viewer->audio(0);
    EXPECT_GT(listener.packets(), 200u);
    EXPECT_EQ(listener.red_packets() > 0, has_red);
    EXPECT_EQ(listener.unread(), 0u);
    EXPECT_EQ(listener.gaps_over_60_ms(), 0u);
    EXPECT_EQ(listener.frames_heard(), listener.packets()) << "without loss a copy brings nothing new";
  }
}

TEST(Audio, AViewerThatLosesGetsCopiesOfAPublisherThatSendsNone) {
  Talk talk(4, 0.1, 0, false);
  talk.run(20s);
  EXPECT_GT(talk.viewer->audio(0).red_packets(), 600u);
  EXPECT_EQ(talk.viewer->audio(0).unread(), 0u);
}

TEST(Audio, GoesOnAtTwentyPercentLossOnEachWay) {
  constexpr uint64_t kSeconds = 1'000;
  const auto gaps = [&](size_t copies, bool has_inband_fec) {
    Talk talk(5, 0.2, copies, has_inband_fec);
    talk.run(std::chrono::seconds(kSeconds));
    EXPECT_EQ(talk.viewer->audio(0).unread(), 0u);
    return talk.viewer->audio(0).gaps_over_60_ms();
  };
  const uint64_t plain = gaps(0, false), red_and_fec = gaps(1, true), two_copies = gaps(2, false);
  std::printf(
      "20 %% loss on each way, gaps over 60 ms in %d s: plain Opus %d, RED and in-band FEC %d, RED with two copies "
      "%d\n",
      static_cast<int>(kSeconds), static_cast<int>(plain), static_cast<int>(red_and_fec), static_cast<int>(two_copies));
  EXPECT_LE(red_and_fec, kSeconds / 200);
  EXPECT_LE(two_copies, kSeconds / 200);
  EXPECT_GT(plain, kSeconds / 50) << "the same without either is far from it";
}

}  // namespace
}  // namespace atm::sim
