#include "wire/payload/layers_allocation.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "wire/payload/playout_delay.h"

namespace atm::payload {
namespace {

// Three simulcast streams of one spatial layer each, with two, two and three temporal layers.
const Bytes kSimulcast{0x61,           // stream 1 of 3, layer 0 in all
                       0b01'01'10'00,  // temporal layers less one
                       50,
                       100,  // kbit/s
                       0xac,
                       0x02,  // 300
                       0xf4,
                       0x03,  // 500
                       0xd8,
                       0x04,
                       0xb0,
                       0x09,
                       0xdc,
                       0x0b};  // 600, 1,200, 1,500

TEST(LayersAllocation, OfSimulcast) {
  const auto read = parse_layers_allocation(kSimulcast);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stream_index, 1);
  EXPECT_EQ(read->streams, 3);
  EXPECT_FALSE(read->has_resolutions);
  EXPECT_EQ(read->layers[0][0].kbps, (std::array<uint32_t, 4>{50, 100, 0, 0}));
  EXPECT_EQ(read->layers[1][0].kbps, (std::array<uint32_t, 4>{300, 500, 0, 0}));
  EXPECT_EQ(read->layers[2][0].temporal_layers, 3);
  EXPECT_EQ(read->layers[2][0].kbps, (std::array<uint32_t, 4>{600, 1'200, 1'500, 0}));
  EXPECT_EQ(read->layers[2][1].temporal_layers, 0);
  uint8_t out[64];
  const size_t size = write_layers_allocation(*read, out);
  EXPECT_EQ(Bytes(out, out + size), kSimulcast);
}

TEST(LayersAllocation, OfSvcWithResolutions) {
  const Bytes value{0x03,                                                   // one stream, spatial layers 0 and 1
                    0b00'00'00'00,                                          // one temporal layer each
                    100,           0xf4, 0x03, 0x01, 0x3f, 0x00, 0xb3, 15,  // 320x180 at 15
                    0x02,          0x7f, 0x01, 0x67, 30};                   // 640x360 at 30
  const auto read = parse_layers_allocation(value);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->has_resolutions);
  EXPECT_EQ(read->layers[0][0].width, 320u);
  EXPECT_EQ(read->layers[0][0].height, 180u);
  EXPECT_EQ(read->layers[0][0].max_frame_rate, 15);
  EXPECT_EQ(read->layers[0][1].kbps[0], 500u);
  EXPECT_EQ(read->layers[0][1].width, 640u);
  EXPECT_EQ(read->layers[0][1].max_frame_rate, 30);
}

TEST(LayersAllocation, WithLayersOfEachStreamOnTheirOwn) {
  // Two streams: layer 0 of the first, layers 0 and 1 of the second.
  const Bytes two{0x10, 0x13, 0b00'00'00'00, 1, 2, 3};
  auto read = parse_layers_allocation(two);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->layers[0][1].temporal_layers, 0);
  EXPECT_EQ(read->layers[1][1].kbps[0], 3u);
  // Three streams take two bytes of masks; the second one is turned off.
  const Bytes three{0x20, 0x10, 0x10, 0b00'00'00'00, 1, 2};
  read = parse_layers_allocation(three);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->layers[1][0].temporal_layers, 0);
  EXPECT_EQ(read->layers[2][0].kbps[0], 2u);
}

TEST(LayersAllocation, OfNothing) {
  const auto read = parse_layers_allocation(Bytes{0});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->streams, 0);
  EXPECT_FALSE(parse_layers_allocation({}));
}

TEST(LayersAllocation, ThatContradictsItselfIsNothing) {
  EXPECT_FALSE(parse_layers_allocation(Bytes{0x41, 0, 1}));                             // the second of one stream
  EXPECT_FALSE(parse_layers_allocation(Bytes{0x01, 0, 1, 2, 3}));                       // part of a resolution
  EXPECT_FALSE(parse_layers_allocation(Bytes{0x01, 0, 1, 2, 3, 4, 5, 6, 7}));           // more than one
  EXPECT_FALSE(parse_layers_allocation(Bytes{0x01, 0, 0xff, 0xff, 0xff, 0xff, 0x7f}));  // over 32 bits
  EXPECT_FALSE(parse_layers_allocation(Bytes{0x01, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}));
}

LayersAllocation random_allocation(Rng& rng) {
  LayersAllocation out;
  out.streams = static_cast<uint8_t>(1 + rng.below(4));
  out.stream_index = static_cast<uint8_t>(rng.below(out.streams));
  bool any = false;
  for (size_t stream = 0; stream < out.streams; ++stream) {
    for (auto& layer : out.layers[stream]) {
      layer.temporal_layers = static_cast<uint8_t>(rng.below(5));
      any |= layer.temporal_layers > 0;
      for (size_t t = 0; t < layer.temporal_layers; ++t) layer.kbps[t] = rng.u32() >> rng.below(32);
    }
  }
  out.has_resolutions = any && rng.below(2) == 0;
  for (auto& stream : out.layers) {
    for (auto& layer : stream) {
      if (!out.has_resolutions || layer.temporal_layers == 0) continue;
      layer.width = 1 + rng.below(65'536);
      layer.height = 1 + rng.below(65'536);
      layer.max_frame_rate = static_cast<uint8_t>(rng.below(256));
    }
  }
  return out;
}

TEST(LayersAllocation, WhatIsWrittenIsReadAndCutAnywhereIsNothingOrWithoutResolutions) {
  SeededRng rng(1);
  for (int i = 0; i < 2'000; ++i) {
    const LayersAllocation allocation = random_allocation(rng);
    uint8_t out[512];
    const size_t size = write_layers_allocation(allocation, out);
    ASSERT_GT(size, 0u);
    ASSERT_EQ(parse_layers_allocation({out, size}), allocation);
    for (size_t cut = 1; cut < size; ++cut) {
      const auto read = parse_layers_allocation({out, cut});
      if (cut == 1 && out[0] == 0) continue;  // that says that nothing is sent
      EXPECT_TRUE(!read || (allocation.has_resolutions && !read->has_resolutions)) << "cut at " << cut;
      std::array<uint8_t, 512> small;
      EXPECT_EQ(write_layers_allocation(allocation, MutByteView(small).first(cut)), 0u);
    }
  }
}

TEST(LayersAllocation, ThatCannotBeSaidIsNotWritten) {
  uint8_t out[64];
  LayersAllocation allocation{.streams = 5};
  EXPECT_EQ(write_layers_allocation(allocation, out), 0u);
  allocation.streams = 1;
  allocation.stream_index = 1;
  EXPECT_EQ(write_layers_allocation(allocation, out), 0u);
  allocation.stream_index = 0;
  allocation.layers[0][0].temporal_layers = 5;
  EXPECT_EQ(write_layers_allocation(allocation, out), 0u);
}

TEST(PlayoutDelay, IsTwoNumbersOfTenMilliseconds) {
  EXPECT_EQ(write_playout_delay({200ms, 2'000ms}), (std::array<uint8_t, 3>{0x01, 0x40, 0xc8}));
  EXPECT_EQ(parse_playout_delay(Bytes{0x01, 0x40, 0xc8}), (PlayoutDelay{200ms, 2'000ms}));
  EXPECT_EQ(parse_playout_delay(Bytes{0, 0, 0}), PlayoutDelay{});
  EXPECT_EQ(parse_playout_delay(Bytes{0xff, 0xff, 0xff}), (PlayoutDelay{40'950ms, 40'950ms}));
}

TEST(PlayoutDelay, IsKeptWithinWhatCanBeSaid) {
  EXPECT_EQ(parse_playout_delay(write_playout_delay({-1s, 1min})), (PlayoutDelay{0ms, 40'950ms}));
  EXPECT_EQ(parse_playout_delay(write_playout_delay({505ms, 100ms})), (PlayoutDelay{500ms, 500ms}));
}

TEST(PlayoutDelay, OfAnotherSizeOrTheWrongWayRoundIsNothing) {
  EXPECT_FALSE(parse_playout_delay({}));
  EXPECT_FALSE(parse_playout_delay(Bytes{0, 0}));
  EXPECT_FALSE(parse_playout_delay(Bytes{0, 0, 0, 0}));
  EXPECT_FALSE(parse_playout_delay(Bytes{0x01, 0x40, 0x01}));
}

}  // namespace
}  // namespace atm::payload
