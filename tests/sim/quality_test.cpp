// What viewers are told of how good their streams are.
#include <gtest/gtest.h>

#include <cstdio>

#include "world.h"

namespace atm::sim {
namespace {

struct Show {
  explicit Show(uint64_t seed, size_t copies = 0, bool viewer_has_red = true) : world(seed) {
    ClientConfig config;
    config.peer = "publisher";
    config.audio_receivers = config.video_receivers = 0;
    config.audio_copies = copies;
    publisher = &world.add_client(config);
    config.peer = "viewer";
    config.sends_audio = config.sends_video = false;
    config.audio_receivers = config.video_receivers = 1;
    config.takes_red = viewer_has_red;
    viewer = &world.add_client(config);
  }
  void begin() {
    ASSERT_TRUE(world.connect(*publisher) && world.connect(*viewer));
    ASSERT_TRUE(world.run_until([&] { return viewer->streams().size() == 2; }, 20s));
    world.view(*viewer, "audio_0", "publisher", "audio_main");
    world.view(*viewer, "video_0", "publisher", "video_main");
  }
  static LinkConfig lossy(double loss) {
    LinkConfig link;
    link.loss = loss;
    return link;
  }
  std::vector<contract::QualityEvent> told(const std::string& receiver) const {
    std::vector<contract::QualityEvent> out;
    for (const contract::Event& event : viewer->events()) {
      const auto* quality = std::get_if<contract::QualityEvent>(&event);
      if (quality != nullptr && quality->id == receiver) out.push_back(*quality);
    }
    return out;
  }
  // The newest value; 0: none yet.
  uint32_t mos(const std::string& receiver) const {
    const auto all = told(receiver);
    return all.empty() ? 0 : all.back().mos;
  }
  World world;
  Client* publisher;
  Client* viewer;
};

TEST(Quality, ACallWithoutTroubleIsToldOnceAndIsGood) {
  Show show(1);
  show.begin();
  ASSERT_TRUE(show.world.run_until([&] { return show.mos("audio_0") != 0 && show.mos("video_0") != 0; }, 4s));
  EXPECT_GE(show.mos("audio_0"), 4'000u);
  EXPECT_GE(show.mos("video_0"), 3'500u);
  EXPECT_EQ(show.told("audio_0").front().remote.stream, "audio_main");
  EXPECT_EQ(show.told("video_0").front().remote.stream, "video_main");
  show.world.run_for(10s);
  const size_t audio = show.told("audio_0").size(), video = show.told("video_0").size();
  show.world.run_for(20s);
  EXPECT_EQ(show.told("audio_0").size(), audio) << "nothing has changed";
  EXPECT_EQ(show.told("video_0").size(), video);
}

// Either way of a stream may lose. The viewer has no RED: its copies would mend that.
void falls_and_recovers(bool is_viewers_way) {
  Show show(is_viewers_way ? 2 : 3, 0, false);
  show.begin();
  show.world.run_for(8s);
  const uint32_t good = show.mos("audio_0");
  ASSERT_GE(good, 4'000u);
  const size_t told = show.told("audio_0").size();
  Link& link = is_viewers_way ? show.world.downlink(*show.viewer) : show.world.uplink(*show.publisher);
  link.set_config(Show::lossy(0.2));
  EXPECT_TRUE(show.world.run_until([&] { return show.mos("audio_0") + 300 < good; }, 3s)) << "not worse within 3 s";
  show.world.run_for(10s);
  std::printf("%s loses 20 %%: MOS of audio %u, before %u\n", is_viewers_way ? "the viewer" : "the publisher",
              show.mos("audio_0"), good);
  EXPECT_LE(show.told("audio_0").size() - told, 14u) << "at most once a second";
  link.set_config(Show::lossy(0));
  EXPECT_TRUE(show.world.run_until([&] { return show.mos("audio_0") + 100 >= good; }, 15s)) << "not back again";
}

TEST(Quality, OfAudioFallsWithLossOnTheViewersWayAndRecovers) {
  falls_and_recovers(true);
}

TEST(Quality, OfAudioFallsWithLossOnThePublishersWayAndRecovers) {
  falls_and_recovers(false);
}

// Copies on both ways: of the publisher, and made anew for the viewer.
TEST(Quality, OfAudioThatCopiesMendHardlyFalls) {
  for (const bool has_copies : {false, true}) {
    Show show(4, has_copies ? 2 : 0, has_copies);
    show.begin();
    show.world.uplink(*show.publisher).set_config(Show::lossy(0.15));
    show.world.downlink(*show.viewer).set_config(Show::lossy(0.15));
    show.world.run_for(20s);
    std::printf("15 %% loss on each way, %s: MOS of audio %u\n", has_copies ? "two copies" : "plain",
                show.mos("audio_0"));
    if (has_copies) {
      EXPECT_GE(show.mos("audio_0"), 3'800u);
    } else {
      EXPECT_LE(show.mos("audio_0"), 2'000u);
    }
  }
}

TEST(Quality, OfVideoFallsWhileItStandsStillAndRecovers) {
  Show show(5);
  show.begin();
  show.world.run_for(8s);
  const uint32_t good = show.mos("video_0");
  ASSERT_GE(good, 3'500u);
  const size_t told = show.told("video_0").size();
  show.publisher->set_silent(true);
  EXPECT_TRUE(show.world.run_until([&] { return show.mos("video_0") != 0 && show.mos("video_0") < 1'500; }, 3s));
  EXPECT_TRUE(show.world.run_until([&] { return show.mos("audio_0") < 1'500; }, 3s)) << "nothing is heard either";
  show.publisher->set_silent(false);
  EXPECT_TRUE(show.world.run_until([&] { return show.mos("video_0") + 100 >= good; }, 10s));
  EXPECT_LE(show.told("video_0").size() - told, 16u);
}

TEST(Quality, IsToldOfTheStreamThatIsShownNow) {
  Show show(6);
  show.begin();
  show.world.run_for(4s);
  const size_t told = show.told("video_0").size();
  ASSERT_GE(told, 1u);
  show.world.request(*show.viewer, contract::ReceiverDisconnect{"video_0"});
  show.world.run_for(5s);
  EXPECT_LE(show.told("video_0").size(), told + 1);
  const size_t before = show.told("video_0").size();
  show.world.view(*show.viewer, "video_0", "publisher", "video_main");
  show.world.run_for(4s);
  EXPECT_GT(show.told("video_0").size(), before) << "a new view is told anew";
}

// A viewer with a latency mode is told to hold back what it gets, and only that viewer.
TEST(LatencyMode, ReachesTheViewerThatHasIt) {
  World world(7);
  ClientConfig config;
  config.peer = "publisher";
  config.audio_receivers = config.video_receivers = 0;
  Client& publisher = world.add_client(config);
  ASSERT_TRUE(world.connect(publisher));
  config.sends_audio = config.sends_video = false;
  config.video_receivers = 1;
  std::map<std::string, Client*> viewers;
  const std::map<std::string, std::optional<Duration>> modes = {
      {"default", std::nullopt}, {"ultra-low", 0ms}, {"smooth-500", 500ms}};
  for (const auto& [name, delay] : modes) {
    config.peer = name;
    config.playout_delay = delay;
    viewers[name] = &world.add_client(config);
    ASSERT_TRUE(world.connect(*viewers[name]));
    ASSERT_TRUE(world.run_until([&] { return viewers[name]->streams().size() == 2; }, 20s));
    world.view(*viewers[name], "video_0", "publisher", "video_main");
  }
  world.run_for(5s);
  for (const auto& [name, delay] : modes) {
    const auto& told = viewers[name]->playout_delay();
    EXPECT_EQ(told.has_value(), delay.has_value()) << name;
    if (told && delay) {
      EXPECT_EQ(*told, (payload::PlayoutDelay{*delay, *delay})) << name;
    }
    EXPECT_GT(viewers[name]->video(0).decodable_frames(), 60u) << name;
  }
}

}  // namespace
}  // namespace atm::sim
