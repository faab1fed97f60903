#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <vector>

#include "base/rng.h"
#include "media/quality/audio_mos.h"
#include "media/quality/gate.h"
#include "media/quality/video_mos.h"

namespace atm::quality {
namespace {

Instant at(int64_t ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

// --- the E-model
// -------------------------------------------------------------------------------------------------------

TEST(EModel, MosOfRatingIsThePublishedTable) {
  // G.107 Annex B, table B.1: lower limits of R and the MOS beside them.
  const struct {
    double r;
    double mos;
  } table[] = {{90, 4.34}, {80, 4.03}, {70, 3.60}, {60, 3.10}, {50, 2.58}};
  for (const auto& row : table) EXPECT_NEAR(mos_of_rating(row.r), row.mos * 1'000, 10) << row.r;
  EXPECT_NEAR(mos_of_rating(93.2), 4'410, 5);  // G.107 clause 7.7: all defaults
  EXPECT_EQ(mos_of_rating(100), 4'500u);
  EXPECT_EQ(mos_of_rating(200), 4'500u);
  EXPECT_EQ(mos_of_rating(0), 1'000u);
  EXPECT_EQ(mos_of_rating(-5), 1'000u);
}

TEST(EModel, LossIsCalculatedByHand) {
  // G.711 with concealment: Ie 0, Bpl 25.1, 5 % at random: 95 * 5 / 30.1.
  EXPECT_NEAR(effective_impairment(0, 5, 1, 25.1), 15.781, 0.001);
  // G.729A with VAD: Ie 11, Bpl 19, 2 %: 11 + 84 * 2 / 21.
  EXPECT_NEAR(effective_impairment(11, 2, 1, 19), 19.0, 0.001);
  // Bursts twice as long as random ones: 95 * 5 / (2.5 + 25.1).
  EXPECT_NEAR(effective_impairment(0, 5, 2, 25.1), 17.210, 0.001);
  EXPECT_EQ(effective_impairment(11, 0, 1, 19), 11.0);
}

TEST(EModel, DelayIsCalculatedByHand) {
  EXPECT_EQ(delay_impairment(0ms), 0.0);
  EXPECT_EQ(delay_impairment(100ms), 0.0);
  // X = 1: 25 * (2^(1/6) - 3 * (1 + 3^-6)^(1/6) + 2)
  EXPECT_NEAR(delay_impairment(200ms), 3.0444, 0.001);
  // X = 2: 25 * (65^(1/6) - 3 * (1 + (2/3)^6)^(1/6) + 2)
  EXPECT_NEAR(delay_impairment(400ms), 24.0701, 0.001);
}

TEST(EModel, BurstsAgainstThoseOfRandomLoss) {
  EXPECT_NEAR(burst_ratio(1 / 0.9, 0.1), 1, 1e-9);
  EXPECT_NEAR(burst_ratio(4, 0.1), 3.6, 1e-9);
  EXPECT_EQ(burst_ratio(1, 0.5), 1.0);
}

TEST(AudioMos, ACallWithoutTroubleIsAsGoodAsItGets) {
  EXPECT_NEAR(audio_mos({.round_trip = 60ms, .jitter_buffer = 20ms, .bitrate_bps = 32'000}), 4'410, 5);
}

TEST(AudioMos, TableOfCalls) {
  const struct {
    const char* name;
    AudioInput input;
    uint32_t least, most;
  } cases[] = {
      {"good", {.loss = 0.005, .round_trip = 80ms, .jitter_buffer = 30ms, .bitrate_bps = 32'000}, 4'200, 4'410},
      {"low bitrate", {.bitrate_bps = 6'000}, 3'900, 4'100},
      {"5 % with FEC", {.loss = 0.05, .bitrate_bps = 32'000, .has_fec = true}, 3'700, 3'900},
      {"5 % without", {.loss = 0.05, .bitrate_bps = 32'000}, 3'100, 3'300},
      {"5 % in bursts", {.loss = 0.05, .mean_burst = 4, .bitrate_bps = 32'000}, 2'500, 2'800},
      {"a satellite", {.round_trip = 600ms, .jitter_buffer = 60ms, .bitrate_bps = 32'000}, 3'000, 3'700},
      {"30 %", {.loss = 0.3, .bitrate_bps = 32'000}, 1'000, 1'500},
      {"nothing arrives", {.loss = 1, .mean_burst = 1'000, .bitrate_bps = 32'000}, 1'000, 1'050},
  };
  for (const auto& c : cases) {
    const uint32_t mos = audio_mos(c.input);
    EXPECT_GE(mos, c.least) << c.name;
    EXPECT_LE(mos, c.most) << c.name;
  }
}

AudioInput random_audio(Rng& rng) {
  return {.loss = rng.below(1'001) / 1'000.0,
          .mean_burst = 1 + rng.below(100) / 10.0,
          .round_trip = std::chrono::milliseconds(rng.below(2'000)),
          .jitter_buffer = std::chrono::milliseconds(rng.below(500)),
          .bitrate_bps = rng.below(64'000),
          .has_fec = rng.below(2) == 0};
}

TEST(AudioMos, NeverBetterWithMoreTrouble) {
  SeededRng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    const AudioInput input = random_audio(rng);
    const uint32_t mos = audio_mos(input);
    ASSERT_GE(mos, 1'000u);
    ASSERT_LE(mos, 4'500u);
    AudioInput worse = input;
    switch (rng.below(4)) {
      case 0:
        worse.mean_burst += 1;
        break;
      case 1:
        worse.round_trip += 50ms;
        break;
      case 2:
        worse.jitter_buffer += 50ms;
        break;
      default:
        worse.has_fec = false;
    }
    EXPECT_LE(audio_mos(worse), mos);
    // Loss with bursts as long as before against random ones of that loss.
    AudioInput lossy = input;
    lossy.mean_burst = 1;
    const uint32_t before = audio_mos(lossy);
    lossy.loss = std::min(1.0, lossy.loss + 0.01);
    EXPECT_LE(audio_mos(lossy), before);
  }
}

// --- video -----------------------------------------------------------------------------------------------------------

VideoInput camera(uint32_t width, uint32_t height, uint32_t kbps, double frame_rate = 30) {
  return {.codec = Codec::kH264,
          .bitrate_bps = kbps * 1'000,
          .width = width,
          .height = height,
          .shown_pixels = 1'280 * 720,
          .frame_rate = frame_rate};
}

TEST(VideoMos, TableOfStreams) {
  VideoInput frozen = camera(1'280, 720, 2'500);
  frozen.frozen = 1s;
  frozen.freezes = 1;
  VideoInput screen = camera(1'920, 1'080, 200, 2);
  screen.is_screen = true;
  screen.shown_pixels = 1'920 * 1'080;
  const struct {
    const char* name;
    VideoInput input;
    uint32_t least, most;
  } cases[] = {
      {"720p as browsers send it", camera(1'280, 720, 2'500), 4'300, 4'800},
      {"720p starved", camera(1'280, 720, 300), 2'500, 3'500},
      {"the middle layer", camera(640, 360, 500), 3'400, 4'000},
      {"the lowest layer", camera(320, 180, 150), 2'500, 3'200},
      {"the lowest layer at 7.5 frames", camera(320, 180, 60, 7.5), 1'500, 2'300},
      {"frozen", frozen, 1'000, 1'400},
      {"nothing", camera(1'280, 720, 0, 0), 1'000, 1'000},
      {"a screen", screen, 3'900, 5'000},
  };
  for (const auto& c : cases) {
    const uint32_t mos = video_mos(c.input);
    EXPECT_GE(mos, c.least) << c.name;
    EXPECT_LE(mos, c.most) << c.name;
  }
}

TEST(VideoMos, HigherLayersAreBetter) {
  const uint32_t low = video_mos(camera(320, 180, 150));
  const uint32_t middle = video_mos(camera(640, 360, 500));
  const uint32_t high = video_mos(camera(1'280, 720, 1'500));
  EXPECT_LT(low + 300, middle);
  EXPECT_LT(middle + 300, high);
}

TEST(VideoMos, BetterCodecsNeedFewerBits) {
  VideoInput input = camera(640, 360, 300);
  uint32_t last = 0;
  for (const Codec codec : {Codec::kVp8, Codec::kH264, Codec::kVp9, Codec::kAv1}) {
    input.codec = codec;
    EXPECT_GT(video_mos(input), last);
    last = video_mos(input);
  }
}

TEST(VideoMos, NeverBetterWithMoreTrouble) {
  SeededRng rng(2);
  for (int i = 0; i < 20'000; ++i) {
    VideoInput input = camera(rng.below(4'000), rng.below(4'000), rng.below(8'000), rng.below(61));
    input.shown_pixels = rng.below(10'000'000);
    input.frozen = std::chrono::milliseconds(rng.below(1'200));
    input.freezes = rng.below(5);
    const uint32_t mos = video_mos(input);
    ASSERT_GE(mos, 1'000u);
    ASSERT_LE(mos, 5'000u);
    VideoInput worse = input;
    switch (rng.below(4)) {
      case 0:
        worse.bitrate_bps /= 2;
        break;
      case 1:
        worse.shown_pixels *= 2;
        break;
      case 2:
        worse.frozen += 100ms;
        break;
      default:
        ++worse.freezes;
    }
    EXPECT_LE(video_mos(worse), mos + (input.shown_pixels == 0 ? 4'000 : 0));
  }
}

// --- when to tell ----------------------------------------------------------------------------------------------------

TEST(QualityGate, TellsChangesAtMostOnceASecond) {
  QualityGate gate;
  EXPECT_TRUE(gate.on_mos(at(0), 4'400));
  EXPECT_FALSE(gate.on_mos(at(1'000), 4'310));
  EXPECT_FALSE(gate.on_mos(at(2'000), 4'490));
  EXPECT_TRUE(gate.on_mos(at(3'000), 4'300));
  EXPECT_FALSE(gate.on_mos(at(3'999), 1'000));
  EXPECT_TRUE(gate.on_mos(at(4'000), 1'000));
  EXPECT_EQ(gate.told(), 1'000u);
  gate.reset();
  EXPECT_TRUE(gate.on_mos(at(4'001), 1'000));
}

TEST(Level, IsThatOfG109) {
  EXPECT_EQ(level_of(mos_of_rating(93.2)), Level::kExcellent);
  EXPECT_EQ(level_of(mos_of_rating(90)), Level::kExcellent);
  EXPECT_EQ(level_of(mos_of_rating(89.9)), Level::kGood);
  EXPECT_EQ(level_of(mos_of_rating(80)), Level::kGood);
  EXPECT_EQ(level_of(mos_of_rating(70)), Level::kFair);
  EXPECT_EQ(level_of(mos_of_rating(60)), Level::kPoor);
  EXPECT_EQ(level_of(mos_of_rating(59.9)), Level::kBad);
  EXPECT_EQ(level_of(1'000), Level::kBad);
}

// What it costs, told beside the result; nothing is asserted of a machine.
TEST(Cost, OfOneReceiverASecond) {
  SeededRng rng(3);
  constexpr int kRounds = 200'000;
  std::vector<AudioInput> audio;
  for (int i = 0; i < 1'000; ++i) audio.push_back(random_audio(rng));
  uint64_t sum = 0;
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) sum += audio_mos(audio[i % 1'000]);
  const auto audio_ns = (std::chrono::steady_clock::now() - start).count() / kRounds;
  VideoInput video = camera(640, 360, 500);
  start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) {
    video.bitrate_bps = 100'000 + i;
    sum += video_mos(video);
  }
  const auto video_ns = (std::chrono::steady_clock::now() - start).count() / kRounds;
  RecordProperty("audio_ns", static_cast<int>(audio_ns));
  RecordProperty("video_ns", static_cast<int>(video_ns));
  EXPECT_GT(sum, 0u);
}

}  // namespace
}  // namespace atm::quality
