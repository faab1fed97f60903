// Real video (tests/layers/clips) through Packetizer and Assembler over a way that reorders, loses and duplicates; and
// from the packetizer of tests/layers, which was written apart from ours and knows spatial layers.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "clip.h"
#include "core/frames/assembler.h"
#include "core/frames/packetizer.h"
#include "packetizer.h"

namespace atm::frames {
namespace {

using layers::Clip;
using layers::ClipFrame;

constexpr Duration kInterval = 66ms;
constexpr const char* kPlainClips[] = {"vp8-L1T1",    "vp8-L1T2",    "vp8-L1T3-f", "vp9-L1T1", "vp9-L1T3-f",
                                       "h264-L1T1-f", "h264-L1T1-q", "av1-L1T1-f", "av1-L1T3", "av1-L3T3"};
constexpr const char* kLayeredClips[] = {"vp8-L1T3-f",   "vp9-L1T3-f",   "vp9-L3T3",
                                         "vp9-L3T3_KEY", "av1-L3T3_KEY", "h264-L1T1-f"};

struct SentPacket {
  int64_t sequence = 0;
  size_t picture = 0;
  bool marker = false;
  Bytes payload;
};

// Pictures as an encoder gives them out and a decoder takes them.
Bytes picture_of(const Clip& clip, size_t number) {
  Bytes out;
  for (const ClipFrame& frame : clip.picture(number)) out.insert(out.end(), frame.bytes.begin(), frame.bytes.end());
  return out;
}

// With start codes of four bytes all over, which is what the assembler writes.
Bytes normal(const Clip& clip, const Bytes& picture) {
  if (clip.codec != Codec::kH264) return picture;
  Bytes out;
  for (const ByteView unit : layers::split_nal_units(picture)) {
    out.insert(out.end(), {0, 0, 0, 1});
    out.insert(out.end(), unit.begin(), unit.end());
  }
  return out;
}

std::vector<SentPacket> packetize(const Clip& clip, const PacketizerConfig& config, Rng& rng) {
  Packetizer packetizer(config, rng);
  PacketizedFrame parts;
  std::vector<SentPacket> out;
  for (size_t i = 0; i < clip.pictures(); ++i) {
    const Bytes bytes = picture_of(clip, i);
    const ClipFrame& base = clip.picture(i)[0];
    EncodedFrame frame{.bytes = bytes};
    if (clip.temporal_layers > 1 && clip.codec != Codec::kAv1) frame.temporal_layer = base.temporal;
    frame.is_layer_sync = base.is_switch;
    frame.references = base.back;
    EXPECT_TRUE(packetizer.packetize(frame, parts)) << clip.name << " " << i;
    EXPECT_EQ(parts.is_key(), base.is_key) << clip.name << " " << i;
    for (size_t k = 0; k < parts.count(); ++k) {
      EXPECT_LE(parts.payload(k).size(), config.max_payload);
      EXPECT_EQ(parts.marker(k), k + 1 == parts.count());
      out.push_back({70'000 + static_cast<int64_t>(out.size()),
                     i,
                     parts.marker(k),
                     {parts.payload(k).begin(), parts.payload(k).end()}});
    }
  }
  return out;
}

std::vector<SentPacket> packetize_layers(const Clip& clip, layers::Vp9Mode mode, Rng& rng) {
  layers::Packetizer packetizer(clip, mode, rng);
  std::vector<SentPacket> out;
  for (size_t i = 0; i < clip.pictures(); ++i) {
    for (layers::Part& part : packetizer.put(i)) {
      out.push_back({70'000 + static_cast<int64_t>(out.size()), i, part.marker, std::move(part.payload)});
    }
  }
  return out;
}

MediaPacket packet_of(const SentPacket& packet, Instant at) {
  const auto timestamp = static_cast<uint32_t>(0xFFFFF000 + packet.picture * 6'000);
  return {packet.sequence, timestamp, packet.marker, packet.payload, at};
}

struct Received {
  size_t picture = 0;
  Frame frame;
};

void take_all(Assembler& assembler, std::vector<Received>& out) {
  for (Frame frame; assembler.take(frame);) {
    const size_t picture = static_cast<uint32_t>(frame.timestamp - 0xFFFFF000) / 6'000;
    out.push_back({picture, frame});
  }
}

void expect_all(const Clip& clip, const std::vector<Received>& received) {
  ASSERT_EQ(received.size(), clip.pictures()) << clip.name;
  for (size_t i = 0; i < received.size(); ++i) {
    EXPECT_EQ(received[i].picture, i) << clip.name;
    EXPECT_EQ(received[i].frame.is_key, clip.is_key(i)) << clip.name << " " << i;
    EXPECT_TRUE(received[i].frame.bytes == normal(clip, picture_of(clip, i))) << clip.name << " " << i;
  }
}

PacketizerConfig config_of(const Clip& clip, size_t max_payload, bool is_flexible = true) {
  PacketizerConfig out{.codec = clip.codec, .max_payload = max_payload};
  out.is_vp9_flexible = is_flexible;
  return out;
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
