// A publisher of simulcast, and viewers that ask for different layers of it: each gets its own, continuous and
// decodable, whatever the others get. With as many workers as ATM0S_SIM_WORKERS says.
#include <gtest/gtest.h>

#include "world.h"

namespace atm::sim {
namespace {

constexpr LinkConfig kPerfect{20ms, 0ms, 0, 0};

struct Layers : testing::Test {
  void start() {
    ClientConfig config;
    config.peer = "anna";
    config.sends_audio = false;
    config.sends_simulcast = true;
    config.video_receivers = config.audio_receivers = 0;
    publisher = &world.join(config);
    for (const char* name : {"bela", "carl"}) {
      ClientConfig viewer;
      viewer.peer = name;
      viewer.sends_audio = viewer.sends_video = false;
      viewers.push_back(&world.join(viewer));
    }
    ASSERT_TRUE(world.run_until([&] { return viewers.back()->streams().size() == 1; }, 10s));
  }
  void limit(Client& viewer, uint32_t max_spatial) {
    contract::ReceiverLimit wanted;
    wanted.max_spatial = max_spatial;
    world.request(viewer, contract::ReceiverSetLimit{"video_0", wanted});
  }
  void view(Client& viewer) { world.view(viewer, "video_0", "anna", "video_main"); }
  static VideoViewer& video(Client& viewer) { return viewer.video(0); }
  // The layer whose frame could be shown last.
  int shown(Client& viewer) const {
    return static_cast<int>(video(viewer).shown_publisher()) -
           static_cast<int>(Client::layer_publisher(publisher->number(), 0));
  }
  // Frames that cannot be shown are those of a layer's start at most.
  void expect_sound(Client& viewer, uint64_t least) {
    EXPECT_EQ(video(viewer).contradictions(), 0u);
    EXPECT_EQ(video(viewer).picture_id_jumps(), 0u);
    EXPECT_EQ(video(viewer).decodable_frames(), video(viewer).complete_frames());
    EXPECT_GE(video(viewer).decodable_frames(), least);
    EXPECT_EQ(viewer.peer().counters().nacks_sent, 0u) << "what is left out on purpose leaves no gap";
  }

  World world{1, kPerfect};
  Client* publisher = nullptr;
  std::vector<Client*> viewers;
};

TEST_F(Layers, AreChosenByEachViewersLimit) {
  start();
  EXPECT_EQ(viewers[0]->streams().at("anna/video_main").scaling, contract::StreamScaling::kSimulcast);
  limit(*viewers[0], 0);
  for (Client* viewer : viewers) view(*viewer);
  world.run_for(5s);
  EXPECT_EQ(shown(*viewers[0]), 0);
  EXPECT_EQ(shown(*viewers[1]), 2);
  for (Client* viewer : viewers) expect_sound(*viewer, 130);
  EXPECT_EQ(video(*viewers[0]).key_frames(), 1u);
  EXPECT_EQ(publisher->layer_key_frames_asked(1), 0u) << "nobody wants the middle one";
  for (const uint8_t layer : {0, 2}) EXPECT_LE(publisher->layer_key_frames_asked(layer), 2u);
}

TEST_F(Layers, ChangeWithTheLimitInTheMiddleOfACall) {
  start();
  Client& viewer = *viewers[0];
  view(viewer);
  world.run_for(2s);
  uint64_t least = 40;
  for (const uint32_t wanted : {0u, 1u, 2u, 1u, 0u, 2u}) {
    limit(viewer, wanted);
    // The old layer is shown until the new one begins.
    EXPECT_TRUE(world.run_until([&] { return shown(viewer) == static_cast<int>(wanted); }, 500ms)) << wanted;
    world.run_for(2s);
    EXPECT_EQ(shown(viewer), static_cast<int>(wanted));
    least += 58;
    expect_sound(viewer, least);
  }
  EXPECT_EQ(viewer.receiver_states().at("video_0"), contract::ReceiverState::kLive);
  for (uint8_t layer = 0; layer < kSimulcastLayers; ++layer) {
    EXPECT_LE(publisher->layer_key_frames_asked(layer), 5u) << int{layer};
  }
}

TEST_F(Layers, ALayerThatThePublisherStopsIsReplacedAndNotAskedForOnAndOn) {
  start();
  Client& viewer = *viewers[0];
  view(viewer);
  world.run_for(2s);
  ASSERT_EQ(shown(viewer), 2);
  publisher->set_layer_muted(2, true);
  world.run_for(4s);
  EXPECT_EQ(shown(viewer), 1);
  const uint64_t asked = publisher->layer_key_frames_asked(2);
  world.run_for(5s);
  EXPECT_EQ(publisher->layer_key_frames_asked(2), asked);
  publisher->set_layer_muted(2, false);
  world.run_for(3s);
  EXPECT_EQ(shown(viewer), 2) << "and comes back";
  EXPECT_EQ(video(viewer).contradictions(), 0u);
  EXPECT_EQ(video(viewer).picture_id_jumps(), 0u);
}

}  // namespace
}  // namespace atm::sim
