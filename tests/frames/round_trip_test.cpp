// Real video (tests/layers/clips) through Packetizer and Assembler over a way that reorders, loses and duplicates; and
// from the packetizer of tests/layers, which was written apart from ours and knows spatial layers.
#include <gtest/gtest.h>

#include <algorithm>

#include "sent_packets.h"

namespace atm::frames {
namespace {

using layers::Clip;

constexpr const char* kPlainClips[] = {"vp8-L1T1",    "vp8-L1T2",    "vp8-L1T3-f", "vp9-L1T1", "vp9-L1T3-f",
                                       "h264-L1T1-f", "h264-L1T1-q", "av1-L1T1-f", "av1-L1T3", "av1-L3T3"};
constexpr const char* kLayeredClips[] = {"vp8-L1T3-f",   "vp9-L1T3-f",   "vp9-L3T3",
                                         "vp9-L3T3_KEY", "av1-L3T3_KEY", "h264-L1T1-f"};

void expect_all(const Clip& clip, const std::vector<Received>& received) {
  ASSERT_EQ(received.size(), clip.pictures()) << clip.name;
  for (size_t i = 0; i < received.size(); ++i) {
    EXPECT_EQ(received[i].picture, i) << clip.name;
    EXPECT_EQ(received[i].frame.is_key, clip.is_key(i)) << clip.name << " " << i;
    EXPECT_TRUE(received[i].frame.bytes == normal(clip, picture_of(clip, i))) << clip.name << " " << i;
  }
}

TEST(RoundTrip, GivesBackEveryFrameAsItWas) {
  for (const char* name : kPlainClips) {
    const Clip& clip = layers::find_clip(name);
    for (const size_t max_payload : {size_t{80}, size_t{400}, kPayloadBudget}) {
      SeededRng rng(max_payload);
      Assembler assembler({clip.codec});
      std::vector<Received> received;
      for (const SentPacket& packet : packetize(clip, config_of(clip, max_payload, max_payload != 400), rng)) {
        assembler.on_packet(packet_of(packet, Instant{}));
        take_all(assembler, received);
      }
      expect_all(clip, received);
      EXPECT_EQ(assembler.held_packets(), 0u);
      EXPECT_EQ(assembler.held_bytes(), 0u);
    }
  }
}

// Each packet is late by up to 40 packets; one of ten comes 60 packets later by RTX, one of ten twice.
std::vector<SentPacket> disturb(std::vector<SentPacket> packets, SeededRng& rng) {
  std::vector<std::pair<uint32_t, SentPacket>> order;
  for (uint32_t i = 0; i < packets.size(); ++i) {
    // But for the first key frame: where it comes behind a later one, that is where everything begins.
    const uint32_t late = rng.below(40) + (rng.below(10) == 0 ? 60 : 0);
    order.emplace_back(packets[i].picture == 0 ? 0 : i + late, packets[i]);
    if (rng.below(10) == 0) order.emplace_back(i + rng.below(40), packets[i]);
  }
  std::ranges::stable_sort(order, {}, &std::pair<uint32_t, SentPacket>::first);
  std::vector<SentPacket> out;
  for (auto& [at, packet] : order) out.push_back(std::move(packet));
  return out;
}

TEST(RoundTrip, GivesBackEveryFrameThroughDisorderAndRepairedLosses) {
  for (const char* name : kPlainClips) {
    const Clip& clip = layers::find_clip(name);
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      SeededRng rng(seed);
      Assembler assembler({clip.codec});
      std::vector<Received> received;
      for (const SentPacket& packet : disturb(packetize(clip, config_of(clip, 400), rng), rng)) {
        assembler.on_packet(packet_of(packet, Instant{}));
        take_all(assembler, received);
      }
      expect_all(clip, received);
    }
  }
}

TEST(RoundTrip, PutsThePacketsOfAnotherPacketizerTogether) {
  for (const char* name : kLayeredClips) {
    const Clip& clip = layers::find_clip(name);
    for (const auto mode : {layers::Vp9Mode::kFlexible, layers::Vp9Mode::kGroup}) {
      SeededRng rng(7);
      Assembler assembler({clip.codec});
      std::vector<Received> received;
      for (const SentPacket& packet : disturb(packetize_layers(clip, mode, rng), rng)) {
        assembler.on_packet(packet_of(packet, Instant{}));
        take_all(assembler, received);
      }
      expect_all(clip, received);
    }
  }
}

}  // namespace
}  // namespace atm::frames
