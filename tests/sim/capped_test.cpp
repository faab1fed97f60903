// A viewer behind a token bucket that carries the middle layer and not the top one: it comes down in time, goes on
// without a freeze, and does not try the top again and again, though the bucket lets short bursts of any rate pass.
// With as many workers as ATM0S_SIM_WORKERS says.
#include <gtest/gtest.h>

#include <cstdio>

#include "seeds.h"
#include "world.h"

namespace atm::sim {
namespace {

constexpr LinkConfig kOpen{25ms, 2ms};
constexpr uint64_t kCap = 680'000;  // the middle layer of a client takes 560 kbit/s with all headers, the top 910

LinkConfig capped(size_t burst) {
  LinkConfig link = kOpen;
  link.rate_bps = kCap;
  link.queue = 300ms;
  link.burst = burst;
  return link;
}

struct Capped : testing::Test {
  void start(uint64_t seed) {
    world.emplace(seed, kOpen);
    ClientConfig config;
    config.peer = "anna";
    config.sends_audio = false;
    config.sends_simulcast = true;
    config.video_receivers = config.audio_receivers = 0;
    publisher = &world->join(config);
    config = {};
    config.peer = "bela";
    config.sends_audio = config.sends_video = false;
    viewer = &world->join(config);
    ASSERT_TRUE(world->run_until([&] { return viewer->streams().size() == 1; }, 10s));
    viewer->video(0).on_decodable = [this](uint32_t shown, uint32_t) {
      const Instant now = world->now().mono;
      if (last) longest = std::max(longest, now - *last);
      last = now;
      if (shown == Client::layer_publisher(publisher->number(), 2)) top_at = now;
    };
  }
  void view() { world->view(*viewer, "video_0", "anna", "video_main"); }

  std::optional<World> world;
  Client* publisher = nullptr;
  Client* viewer = nullptr;
  std::optional<Instant> last, top_at;
  Duration longest{};
};

// Of the bucket, in bytes.
constexpr size_t kBursts[] = {0, 3'000, 10'000};

double s(Duration d) {
  return static_cast<double>(d.count()) / 1e6;
}

TEST_F(Capped, SettlesWithinFiveSecondsWithoutAFreezeAndIsBackWithinTen) {
  for (const size_t burst : kBursts) {
    for (const uint64_t seed : seeds(1, 3)) {
      start(seed);
      view();
      world->run_for(8s);
      ASSERT_TRUE(top_at);
      const Instant cap_at = world->now().mono;
      world->downlink(*viewer).set_config(capped(burst));
      longest = {};
      world->run_for(60s);
      const Duration settled = *top_at - cap_at;
      const Duration gap = longest;
      world->downlink(*viewer).set_config(kOpen);
      const Instant lifted = world->now().mono;
      top_at.reset();
      EXPECT_TRUE(world->run_until([&] { return top_at.has_value(); }, 20s));
      const Duration back = top_at.value_or(Instant{}) - lifted;
      std::printf("burst %zu seed %llu: settled in %.2f s, longest gap %.2f s, back in %.2f s\n", burst,
                  static_cast<unsigned long long>(seed), s(settled), s(gap), s(back));
      EXPECT_LE(settled, 5s) << burst << " " << seed;
      EXPECT_LE(gap, 1s) << burst << " " << seed;
      EXPECT_LE(back, 10s) << burst << " " << seed;
      world.reset();
    }
  }
}

TEST_F(Capped, SoDoesAViewerThatComesOverIt) {
  for (const size_t burst : kBursts) {
    for (const uint64_t seed : seeds(1, 3)) {
      start(seed);
      world->downlink(*viewer).set_config(capped(burst));
      const Instant asked = world->now().mono;
      view();
      ASSERT_TRUE(world->run_until([&] { return last.has_value(); }, 5s));
      const Duration first = *last - asked;
      world->run_for(20s);
      const Duration settled = top_at.value_or(asked) - asked;
      std::printf("burst %zu seed %llu: first picture in %.2f s, longest gap %.2f s, settled in %.2f s\n", burst,
                  static_cast<unsigned long long>(seed), s(first), s(longest), s(settled));
      EXPECT_LE(first, 2s) << burst << " " << seed;
      EXPECT_LE(longest, 1s) << burst << " " << seed;
      EXPECT_LE(settled, 5s) << burst << " " << seed;
      world.reset();
      last.reset(), top_at.reset(), longest = {};
    }
  }
}

}  // namespace
}  // namespace atm::sim
