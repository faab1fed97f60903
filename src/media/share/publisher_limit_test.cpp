#include "media/share/publisher_limit.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <vector>

namespace atm::share {
namespace {

using contract::BitrateControlMode;

constexpr uint64_t kMaxBps = 2'500'000;

Instant at(int64_t ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

PublishedStream stream_of(uint64_t max_bitrate_bps, std::vector<uint64_t> viewers, uint32_t highest_layer = 2) {
  PublishedStream out{.max_bitrate_bps = max_bitrate_bps, .demand = {}};
  for (const uint64_t bps : viewers) out.demand.add_viewer(bps, layers_up_to(highest_layer));
  return out;
}

struct Case {
  const char* name;
  BitrateControlMode mode;
  std::vector<PublishedStream> streams;
  uint64_t sum_bps;
  std::vector<uint64_t> stream_bps;
  std::vector<uint64_t> tias_bps;
};

TEST(PublisherLimit, TableOfModes) {
  constexpr auto kSum = BitrateControlMode::kSumBitrateWithClientSide;
  constexpr auto kOnly = BitrateControlMode::kSumBitrateOnly;
  constexpr auto kPer = BitrateControlMode::kPerStream;
  const Case cases[] = {
      {"nothing is published", kSum, {}, kIdleBps, {}, {}},
      {"nobody views", kSum, {stream_of(0, {}), stream_of(0, {})}, kIdleBps, {kIdleBps, kIdleBps}, {0, 0}},
      {"one viewer", kSum, {stream_of(0, {800'000})}, 800'000, {0}, {0}},
      {"the fastest viewer counts", kSum, {stream_of(0, {150'000, 1'200'000, 300'000})}, 1'200'000, {0}, {0}},
      {"a viewer that can use nothing", kSum, {stream_of(0, {0})}, kIdleBps, {0}, {0}},
      {"the session's maximum", kSum, {stream_of(0, {2'000'000}), stream_of(0, {2'000'000})}, kMaxBps, {0, 0}, {0, 0}},
      {"a sender's maximum", kSum, {stream_of(300'000, {2'000'000})}, 300'000, {300'000}, {300'000}},
      {"idle ones share a trickle",
       kSum,
       {stream_of(0, {1'000'000}), stream_of(0, {}), stream_of(50'000, {})},
       1'100'000,
       {0, kIdleBps, 50'000},
       {0, 0, 50'000}},
      {"only the maximum, viewed or not", kOnly, {stream_of(0, {}), stream_of(300'000, {})}, kMaxBps, {0, 0}, {0, 0}},
      {"each on its own",
       kPer,
       {stream_of(700'000, {900'000}), stream_of(0, {400'000}), stream_of(0, {})},
       1'200'000,
       {700'000, 400'000, kIdleBps},
       {700'000, kMaxBps, kMaxBps}},
      {"each within the session's",
       kPer,
       {stream_of(0, {9'000'000}), stream_of(0, {1'000'000})},
       kMaxBps,
       {kMaxBps, 1'000'000},
       {kMaxBps, kMaxBps}},
  };
  for (const Case& c : cases) {
    PublisherLimit limit(c.mode, kMaxBps);
    auto streams = c.streams;
    limit.update(at(0), streams);
    EXPECT_EQ(limit.sum_bps(), c.sum_bps) << c.name;
    for (size_t i = 0; i < streams.size(); ++i) {
      EXPECT_EQ(streams[i].limit.max_bitrate_bps, c.stream_bps[i]) << c.name << ", stream " << i;
      EXPECT_EQ(limit.tias_bps(streams[i].max_bitrate_bps), c.tias_bps[i]) << c.name << ", stream " << i;
      EXPECT_EQ(streams[i].limit.is_idle, c.streams[i].demand.viewers == 0) << c.name << ", stream " << i;
      EXPECT_TRUE(streams[i].changed) << c.name;
    }
    EXPECT_EQ(limit.next_timeout(), kNever) << c.name;
  }
}

TEST(PublisherLimit, ASlowViewerTakesNothingFromAnother) {
  for (const auto mode : {BitrateControlMode::kSumBitrateWithClientSide, BitrateControlMode::kPerStream}) {
    PublisherLimit limit(mode, kMaxBps);
    std::array streams{stream_of(0, {1'500'000})};
    limit.update(at(0), streams);
    streams[0].demand.add_viewer(20'000, layers_up_to(0));
    for (int64_t ms = 100; ms < 10'000; ms += 100) limit.update(at(ms), streams);
    EXPECT_EQ(limit.sum_bps(), 1'500'000u);
    EXPECT_EQ(streams[0].limit.layers, 0b111);
  }
}

TEST(PublisherLimit, RisesAtOnceAndFallsAfterAHold) {
  PublisherLimit limit(BitrateControlMode::kPerStream, kMaxBps);
  std::array streams{stream_of(0, {})};
  limit.update(at(0), streams);
  EXPECT_EQ(streams[0].limit, (StreamLimit{.max_bitrate_bps = kIdleBps, .layers = 0, .is_idle = true}));
  streams[0].demand = {};
  streams[0].demand.add_viewer(1'000'000, layers_up_to(1));
  limit.update(at(10), streams);
  EXPECT_EQ(streams[0].limit, (StreamLimit{.max_bitrate_bps = 1'000'000, .layers = 0b11, .is_idle = false}));
  streams[0].demand = {};
  limit.update(at(1'000), streams);
  EXPECT_FALSE(streams[0].changed);
  EXPECT_EQ(limit.next_timeout(), at(3'000));
  limit.update(at(2'999), streams);
  EXPECT_EQ(limit.sum_bps(), 1'000'000u);
  limit.update(at(3'000), streams);
  EXPECT_TRUE(streams[0].changed);
  EXPECT_TRUE(streams[0].limit.is_idle);
  EXPECT_EQ(limit.sum_bps(), kIdleBps);
  EXPECT_EQ(limit.next_timeout(), kNever);
}

TEST(PublisherLimit, ARiseWaitsForThePictureOfTheFirstViewerAndNotForLong) {
  const auto is_idle_at = [](int64_t ms, bool rises_after_picture, std::optional<int64_t> key_frame_ms) {
    PublisherLimit limit(BitrateControlMode::kSumBitrateWithClientSide, kMaxBps);
    std::array streams{stream_of(0, {})};
    streams[0].rises_after_picture = rises_after_picture;
    streams[0].key_frame_at = at(5);  // one of before
    limit.update(at(9), streams);
    streams[0].demand.add_viewer(1'000'000, layers_up_to(1));
    limit.update(at(10), streams);
    EXPECT_EQ(limit.next_timeout(), rises_after_picture ? at(510) : kNever);
    if (key_frame_ms && *key_frame_ms <= ms) streams[0].key_frame_at = at(*key_frame_ms);
    limit.update(at(ms), streams);
    EXPECT_EQ(limit.sum_bps(), streams[0].limit.is_idle ? kIdleBps : 1'000'000);
    return streams[0].limit.is_idle;
  };
  EXPECT_FALSE(is_idle_at(10, false, {}));
  EXPECT_TRUE(is_idle_at(109, true, 110));
  EXPECT_FALSE(is_idle_at(110, true, 110));
  EXPECT_TRUE(is_idle_at(509, true, {}));
  EXPECT_FALSE(is_idle_at(510, true, {}));
}

TEST(PublisherLimit, AViewerThatComesBackWithinTheHoldIsNotNoticed) {
  PublisherLimit limit(BitrateControlMode::kPerStream, kMaxBps);
  std::array streams{stream_of(0, {1'000'000})};
  limit.update(at(0), streams);
  const Demand viewed = streams[0].demand;
  int told = 0;
  for (int64_t ms = 100; ms < 20'000; ms += 100) {
    streams[0].demand = ms / 1'000 % 2 == 0 ? viewed : Demand{};
    limit.update(at(ms), streams);
    told += streams[0].changed;
  }
  EXPECT_EQ(told, 0);
}

TEST(PublisherLimit, AFallGoesToTheMostOfItsHold) {
  PublisherLimit limit(BitrateControlMode::kPerStream, kMaxBps);
  std::array streams{stream_of(0, {2'000'000})};
  limit.update(at(0), streams);
  for (int64_t ms = 100; ms <= 2'100; ms += 100) {
    streams[0].demand = {};
    streams[0].demand.add_viewer(ms == 1'000 ? 900'000 : 500'000, 1);
    limit.update(at(ms), streams);
  }
  EXPECT_EQ(streams[0].limit.max_bitrate_bps, 900'000u);
  EXPECT_EQ(limit.next_timeout(), at(4'100));
  limit.update(at(4'100), streams);
  EXPECT_EQ(streams[0].limit.max_bitrate_bps, 500'000u);
}

TEST(PublisherLimit, IdlesOneHoldAfterTheLastViewerWhateverFellBefore) {
  PublisherLimit limit(BitrateControlMode::kSumBitrateWithClientSide, kMaxBps);
  std::array streams{stream_of(0, {2'000'000})};
  limit.update(at(0), streams);
  streams[0].demand = stream_of(0, {1'500'000}).demand;  // as an estimate that varies makes it
  limit.update(at(100), streams);
  streams[0].demand = {};
  limit.update(at(1'900), streams);
  limit.update(at(3'800), streams);
  EXPECT_FALSE(streams[0].limit.is_idle);
  limit.update(at(3'900), streams);
  EXPECT_TRUE(streams[0].limit.is_idle);
  EXPECT_EQ(limit.sum_bps(), kIdleBps);
}

TEST(PublisherLimit, LayersThatNobodyWantsMayBeTurnedOff) {
  PublisherLimit limit(BitrateControlMode::kSumBitrateWithClientSide, kMaxBps);
  std::array streams{stream_of(0, {1'000'000})};
  streams[0].demand.layers = 0b101;  // one viewer of the lowest, one of the highest
  limit.update(at(0), streams);
  EXPECT_EQ(streams[0].limit.layers, 0b101);
  streams[0].demand.layers = 0b011;
  limit.update(at(100), streams);
  EXPECT_EQ(streams[0].limit.layers, 0b111);
  EXPECT_TRUE(streams[0].changed);
  limit.update(at(2'100), streams);
  EXPECT_EQ(streams[0].limit.layers, 0b011);
}

TEST(PublisherLimit, SmallChangesAreNotTold) {
  PublisherLimit limit(BitrateControlMode::kPerStream, kMaxBps);
  std::array streams{stream_of(0, {1'000'000})};
  limit.update(at(0), streams);
  streams[0].demand.most_bps = 1'049'000;
  limit.update(at(100), streams);
  EXPECT_FALSE(streams[0].changed);
  EXPECT_EQ(limit.sum_bps(), 1'000'000u);
  streams[0].demand.most_bps = 1'051'000;  // small ones add up
  limit.update(at(200), streams);
  EXPECT_TRUE(streams[0].changed);
  EXPECT_EQ(limit.sum_bps(), 1'051'000u);
}

TEST(PublisherLimit, ALowerMaximumHoldsAtOnce) {
  PublisherLimit limit(BitrateControlMode::kSumBitrateOnly, kMaxBps);
  std::array streams{stream_of(0, {})};
  limit.update(at(0), streams);
  limit.set_max(kMaxBps - 1'000);
  limit.update(at(1), streams);
  EXPECT_EQ(limit.sum_bps(), kMaxBps - 1'000);
  PublisherLimit without(BitrateControlMode::kPerStream, 0);
  std::array wide{stream_of(0, {50'000'000})};
  without.update(at(0), wide);
  EXPECT_EQ(without.sum_bps(), 50'000'000u);
}

TEST(PublisherLimit, BesideTheLimitsOfStreamsASumHoldsOnlyWhileSomebodyViews) {
  PublisherLimit limit(BitrateControlMode::kSumBitrateWithClientSide, kMaxBps);
  std::array streams{stream_of(0, {}), stream_of(0, {})};
  EXPECT_EQ(limit.sum_beside_limits_bps(), kMaxBps) << "before the first update";
  limit.update(at(0), streams);
  EXPECT_EQ(limit.sum_bps(), kIdleBps);
  EXPECT_EQ(limit.sum_beside_limits_bps(), kMaxBps);
  streams[0].demand.add_viewer(600'000, 1);
  limit.update(at(10), streams);
  EXPECT_EQ(limit.sum_bps(), 700'000u);
  EXPECT_EQ(limit.sum_beside_limits_bps(), 700'000u);
  streams[0].demand = {};
  limit.update(at(1'000), streams);
  EXPECT_EQ(limit.sum_beside_limits_bps(), 700'000u) << "a fall is held back";
  limit.update(at(3'000), streams);
  EXPECT_EQ(limit.sum_beside_limits_bps(), kMaxBps);
}

TEST(PublisherLimit, LayersUpToTheHighest) {
  EXPECT_EQ(layers_up_to(0), 0b0001);
  EXPECT_EQ(layers_up_to(2), 0b0111);
  EXPECT_EQ(layers_up_to(3), kAllLayers);
  EXPECT_EQ(layers_up_to(9), kAllLayers);
}

}  // namespace
}  // namespace atm::share
