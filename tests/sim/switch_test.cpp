// How long it takes from receiver.switch to the first frame that a decoder could show, against what the way costs at
// least: the request to the server and the picture back (the viewer's leg), the key frame's request to the publisher
// and the key frame back (the publisher's leg), the wait for the publisher's next frame, and the key frame's
// transmission.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "seeds.h"
#include "world.h"

namespace atm::sim {
namespace {

constexpr size_t kSwitches = 200;
constexpr uint64_t kRateBps = 2'500'000;
constexpr LinkConfig kLink{.delay = 25ms, .jitter = 0ms, .rate_bps = kRateBps};
constexpr Duration kFrameInterval = 33'333us;
// With what RTP, SRTP, UDP and IP add to the 900 bytes of a packet of client.cpp.
constexpr size_t kKeyFrameBits = kPacketsPerFrame * 980 * 8;
constexpr Duration kTransmission{kKeyFrameBits * 1'000'000 / kRateBps};
// Over the publisher's uplink, then over the viewer's downlink, on which a frame of the old source may be before it.
constexpr Duration kBound = 2 * kLink.delay + 2 * kLink.delay + kFrameInterval + 2 * kTransmission;

double ms(Duration d) {
  return static_cast<double>(d.count()) / 1000;
}

TEST(Switches, ReachTheFirstDecodableFrameWithinTwoRoundTripsAFrameAndAKeyFrame) {
  for (const size_t workers : {1, 2}) {
    std::vector<Duration> took;
    for (const uint64_t seed : seeds(1, 4)) {
      World world(seed, kLink, workers);
      ClientConfig config;
      config.sends_audio = false;
      config.audio_receivers = config.video_receivers = 0;
      std::vector<Client*> publishers;
      for (const char* name : {"anna", "bela"}) {
        config.peer = name;
        publishers.push_back(&world.add_client(config));
        ASSERT_TRUE(world.connect(*publishers.back()));
      }
      config.peer = "viewer";
      config.sends_video = false;
      config.video_receivers = 1;
      Client& viewer = world.add_client(config);
      ASSERT_TRUE(world.connect(viewer));
      ASSERT_TRUE(world.run_until([&] { return viewer.streams().size() == 2; }, 10s));
      SeededRng waits(seed);
      for (size_t i = 0; i < kSwitches / 4; ++i) {
        // At any phase of the publisher's frames, and less often than a publisher is asked for a key frame at most.
        world.run_for(600ms + std::chrono::milliseconds(waits.below(1'000)));
        const Client& to = *publishers[i % 2];
        const Instant asked = world.now().mono;
        world.view(viewer, "video_0", to.config().peer, "video_main");
        ASSERT_TRUE(world.run_until([&] { return viewer.video(0).shown_publisher() == to.number(); }, 5s)) << i;
        took.push_back(world.now().mono - asked);
      }
      EXPECT_EQ(viewer.video(0).contradictions(), 0u);
    }
    std::sort(took.begin(), took.end());
    const auto at = [&](double share) {
      return took[static_cast<size_t>(static_cast<double>(took.size() - 1) * share)];
    };
    std::printf(
        "%zu switches, 50 ms RTT on both legs, %zu worker(s): p50 %.1f ms, p95 %.1f ms, most %.1f ms; bound %.1f ms\n",
        took.size(), workers, ms(at(0.5)), ms(at(0.95)), ms(at(1.0)), ms(kBound));
    EXPECT_LE(at(0.5), kBound - kFrameInterval / 2) << "half of a frame's interval on average";
    EXPECT_LE(at(0.95), kBound);
  }
}

}  // namespace
}  // namespace atm::sim
