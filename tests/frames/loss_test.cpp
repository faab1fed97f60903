// What the Assembler hands out after losses that nothing repairs has to be decodable: ffmpeg says whether it is.
#include <gtest/gtest.h>

#include <algorithm>

#include "ffmpeg.h"
#include "sent_packets.h"
#include "wire/container/ivf.h"

namespace atm::frames {
namespace {

using layers::Clip;

struct Movie {
  const char* clip;
  const char* decoder;
};
constexpr Movie kMovies[] = {{"vp8-L1T1", "vp8"},
                             {"vp8-L1T2", "vp8"},
                             {"vp8-L1T3-f", "vp8"},
                             {"vp9-L1T1", "libvpx-vp9"},
                             {"vp9-L1T3-f", "libvpx-vp9"},
                             {"vp9-L3T3", "libvpx-vp9"},
                             {"vp9-L3T3_KEY", "libvpx-vp9"},
                             {"h264-L1T1-f", "h264"},
                             {"av1-L1T1-f", "libdav1d"}};

files::Decoded decode(const Clip& clip, const std::string& decoder, const std::string& name,
                      const std::vector<Bytes>& pictures) {
  Bytes file;
  if (clip.codec == Codec::kH264) {
    for (const Bytes& picture : pictures) file.insert(file.end(), picture.begin(), picture.end());
    return files::decode_video(files::put_file(name + ".h264", file), decoder);
  }
  container::IvfWriter writer({.codec = clip.codec, .width = clip.width, .height = clip.height, .rate = 15});
  writer.begin(file);
  for (size_t i = 0; i < pictures.size(); ++i) writer.write(i, pictures[i], file);
  return files::decode_video(files::put_file(name + ".ivf", file), decoder);
}

std::vector<Received> lose(const Clip& clip, std::vector<SentPacket> packets, SeededRng& rng, uint32_t one_of,
                           AssemblerCounters& counters) {
  Assembler assembler({clip.codec});
  std::vector<Received> received;
  for (size_t i = 0; i < packets.size(); ++i) {
    if (rng.below(one_of) == 0) {
      i += rng.below(3);  // sometimes a few in a row
      continue;
    }
    assembler.on_packet(packet_of(packets[i], Instant{}));
    assembler.give_up_before(packets[i].sequence - rng.below(8));
    take_all(assembler, received);
  }
  counters = assembler.counters();
  return received;
}

TEST(Losses, WhatIsHandedOutAfterThemCanBeDecoded) {
  size_t handed_out = 0, of = 0;
  for (const Movie& movie : kMovies) {
    const Clip& clip = layers::find_clip(movie.clip);
    std::vector<Bytes> all;
    for (size_t i = 0; i < clip.pictures(); ++i) all.push_back(picture_of(clip, i));
    const auto expected = decode(clip, movie.decoder, "all", all);
    ASSERT_EQ(expected.errors, "") << movie.clip;
    ASSERT_EQ(expected.pictures.size(), clip.pictures()) << movie.clip;
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      SeededRng rng(seed);
      const auto mode = seed % 2 == 0 ? layers::Vp9Mode::kGroup : layers::Vp9Mode::kFlexible;
      AssemblerCounters counters;
      const auto received = lose(clip, packetize_layers(clip, mode, rng), rng, 30, counters);
      if (received.empty()) continue;
      std::vector<Bytes> pictures;
      for (const Received& one : received) pictures.push_back(one.frame.bytes);
      const auto decoded = decode(clip, movie.decoder, "lossy", pictures);
      EXPECT_EQ(decoded.errors, "") << movie.clip << " " << seed;
      ASSERT_EQ(decoded.pictures.size(), received.size()) << movie.clip << " " << seed;
      for (size_t i = 0; i < received.size(); ++i) {
        EXPECT_EQ(decoded.pictures[i], expected.pictures[received[i].picture])
            << movie.clip << " seed " << seed << " picture " << received[i].picture;
      }
      EXPECT_GT(counters.given_up, 0u) << movie.clip;
      handed_out += received.size();
      of += clip.pictures();
    }
  }
  std::printf("%zu of %zu pictures were handed out\n", handed_out, of);
  EXPECT_GT(handed_out * 100, of * 30);
}

// Each frame of an upper temporal layer on its own: the base layer goes on, and nobody has to send a key frame.
TEST(Losses, OfADroppableFrameDoNotStopTheBaseLayer) {
  for (const char* name : {"vp8-L1T2", "vp8-L1T3-f", "vp9-L1T3-f"}) {
    const Clip& clip = layers::find_clip(name);
    for (const auto mode : {layers::Vp9Mode::kGroup, layers::Vp9Mode::kFlexible}) {
      for (size_t lost = 1; lost + 8 < clip.pictures(); ++lost) {
        if (clip.picture(lost)[0].temporal == 0) continue;
        SeededRng rng(lost);
        Assembler assembler({clip.codec});
        std::vector<Received> received;
        for (const SentPacket& packet : packetize_layers(clip, mode, rng)) {
          if (packet.picture == lost) continue;
          assembler.on_packet(packet_of(packet, Instant{}));
          assembler.give_up_before(packet.sequence - 2);
          take_all(assembler, received);
          ASSERT_FALSE(assembler.wants_key_frame()) << name << " without " << lost;
        }
        size_t base = 0;
        for (const Received& one : received) base += clip.picture(one.picture)[0].temporal == 0 ? 1 : 0;
        const size_t expected = clip.temporal_layers == 2 ? clip.pictures() / 2 : clip.pictures() / 4;
        EXPECT_EQ(base, expected) << name << " without " << lost;
        EXPECT_LT(received.size(), clip.pictures());
      }
    }
  }
}

}  // namespace
}  // namespace atm::frames
