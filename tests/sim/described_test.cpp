// Temporal layers that the dependency descriptor alone tells of, chosen for each viewer, over lossy links, with RTX,
// over a switch of source, and from worker to worker (ATM0S_SIM_WORKERS).
#include <gtest/gtest.h>

#include "world.h"

namespace atm::sim {
namespace {

struct Described : testing::Test {
  void start(const LinkConfig& link, const std::vector<const char*>& names) {
    world = std::make_unique<World>(1, link);
    for (const char* name : names) {
      ClientConfig config;
      config.peer = name;
      config.sends_audio = false;
      config.describes_video = true;
      config.video_receivers = config.audio_receivers = 0;
      publishers.push_back(&world->join(config));
    }
    for (const char* name : {"bela", "carl"}) {
      ClientConfig viewer;
      viewer.peer = name;
      viewer.sends_audio = viewer.sends_video = false;
      viewers.push_back(&world->join(viewer));
    }
    ASSERT_TRUE(world->run_until([&] { return viewers.back()->streams().size() == names.size(); }, 10s));
  }
  void limit(Client& viewer, uint32_t max_temporal) {
    contract::ReceiverLimit wanted;
    wanted.max_temporal = max_temporal;
    world->request(viewer, contract::ReceiverSetLimit{"video_0", wanted});
  }
  // Of what comes within five seconds, 150 frames.
  DescribedVerdict see(Client& viewer) {
    viewer.described(0).judge();
    world->run_for(5s);
    return viewer.described(0).judge();
  }
  static void expect_sound(const DescribedVerdict& seen, double frames) {
    EXPECT_EQ(seen.unreadable + seen.wrong + seen.jumps, 0u)
        << seen.unreadable << " unreadable, " << seen.wrong << " wrong, " << seen.jumps << " jumps";
    EXPECT_NEAR(static_cast<double>(seen.frames), frames, 5);
    EXPECT_LE(seen.incomplete, 2u) << "on their way at the end";
  }

  std::unique_ptr<World> world;
  std::vector<Client*> viewers, publishers;
};

TEST_F(Described, EachViewerGetsItsTemporalLayersAndIsToldWhich) {
  start({20ms, 0ms, 0, 0}, {"anna"});
  for (Client* viewer : viewers) world->view(*viewer, "video_0", "anna", "video_main");
  limit(*viewers[0], 1);
  world->run_for(1s);
  viewers[1]->described(0).judge();
  const DescribedVerdict half = see(*viewers[0]);
  expect_sound(half, 75);
  EXPECT_EQ(half.active_targets, 0b011u);
  const DescribedVerdict full = viewers[1]->described(0).judge();
  expect_sound(full, 150);
  EXPECT_FALSE(full.active_targets) << "known since the key frame";
  EXPECT_LE(publishers[0]->key_frames_wanted(), 2u);
  limit(*viewers[0], 0);
  world->run_for(1s);
  const DescribedVerdict least = see(*viewers[0]);
  expect_sound(least, 38);
  EXPECT_EQ(least.active_targets, 0b001u);
  limit(*viewers[0], 2);
  const DescribedVerdict again = see(*viewers[0]);
  expect_sound(again, 150);
  EXPECT_EQ(again.active_targets, 0b111u) << "said for some pictures";
  EXPECT_EQ(viewers[0]->peer().counters().nacks_sent, 0u) << "what is left out on purpose leaves no gap";
}

TEST_F(Described, FrameNumbersGoOnOverASwitchOfSource) {
  start({20ms, 0ms, 0, 0}, {"anna", "dora"});
  Client& viewer = *viewers[0];
  world->view(viewer, "video_0", "anna", "video_main");
  world->run_for(2s);
  for (const char* name : {"dora", "anna", "dora"}) {
    world->view(viewer, "video_0", name, "video_main");
    world->run_for(1'700ms);
  }
  const DescribedVerdict seen = viewer.described(0).judge();
  EXPECT_EQ(seen.unreadable + seen.wrong + seen.jumps, 0u)
      << seen.unreadable << " unreadable, " << seen.wrong << " wrong, " << seen.jumps << " jumps";
  EXPECT_GT(seen.frames, 190u);
}

TEST_F(Described, WhatIsSentAgainSaysTheSame) {
  start({20ms, 5ms, 0.05, 0}, {"anna"});
  Client& viewer = *viewers[0];
  world->view(viewer, "video_0", "anna", "video_main");
  limit(viewer, 1);
  world->run_for(6s);
  const DescribedVerdict seen = viewer.described(0).judge();
  expect_sound(seen, 90);
  EXPECT_GT(viewer.peer().counters().rtx_received, 5u);
}

}  // namespace
}  // namespace atm::sim
