// What wire/container writes, read and decoded by ffmpeg; and what ffmpeg writes, read by wire/container.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "clip.h"
#include "core/frames/av1_configuration.h"
#include "core/frames/bitstream.h"
#include "ffmpeg.h"
#include "wire/container/ivf.h"
#include "wire/container/ogg_opus.h"
#include "wire/container/wav.h"
#include "wire/container/webm_writer.h"

namespace atm::files {
namespace {

using namespace container;

constexpr Duration kInterval = 66'667us;

struct Movie {
  const char* clip;
  const char* decoder;
};
constexpr Movie kMovies[] = {{"vp8-L1T3-f", "vp8"}, {"vp9-L1T3-f", "libvpx-vp9"}, {"av1-L1T1-f", "libdav1d"}};

Bytes picture_of(const layers::Clip& clip, size_t number) {
  Bytes out;
  for (const auto& frame : clip.picture(number)) out.insert(out.end(), frame.bytes.begin(), frame.bytes.end());
  return out;
}

Bytes make_ivf(const layers::Clip& clip) {
  IvfWriter writer({.codec = clip.codec, .width = clip.width, .height = clip.height, .rate = 15});
  Bytes out;
  writer.begin(out);
  for (size_t i = 0; i < clip.pictures(); ++i) writer.write(i, picture_of(clip, i), out);
  std::ranges::copy(writer.final_header(), out.begin());
  return out;
}

// Three seconds and a bit of a tone, encoded by libopus.
struct Sound {
  OpusHead head;
  std::vector<Bytes> packets;
  uint64_t samples = 0;  // to be heard
};
Sound read_sound(ByteView file) {
  Sound out;
  auto reader = OggOpusReader::open(file);
  EXPECT_TRUE(reader) << reader.error().why;
  if (!reader) return out;
  out.head = reader->head();
  uint64_t position = 0;
  while (true) {
    const auto packet = reader->next();
    EXPECT_TRUE(packet) << packet.error().why;
    if (!packet || !*packet) break;
    EXPECT_EQ((*packet)->position, position);
    position += (*packet)->duration;
    out.samples += (*packet)->duration - (*packet)->trimmed;
    out.packets.emplace_back((*packet)->bytes.begin(), (*packet)->bytes.end());
  }
  out.samples -= out.head.pre_skip;
  return out;
}
Bytes make_ogg_by_ffmpeg(const std::string& options = "") {
  const std::string path = put_file("tone.opus", {});
  const Said said = run("ffmpeg -nostdin -v error -y -f lavfi -i sine=440:d=3.3 -ac 2 -ar 48000 -c:a libopus " +
                        options + " '" + path + "'");
  EXPECT_EQ(said.errors, "");
  return get_file(path);
}

Bytes make_webm(const layers::Clip& clip, const Sound* sound, bool is_live) {
  WebmConfig config{.video = WebmVideo{clip.codec, clip.width, clip.height}, .is_live = is_live};
  if (clip.codec == Codec::kAv1) config.video->codec_private = frames::make_av1_configuration(picture_of(clip, 0));
  if (sound) config.audio = sound->head;
  WebmWriter writer(config);
  Bytes out;
  writer.begin(out);
  const Duration start = 1'000s;
  size_t packets = 0;
  for (size_t i = 0; i < clip.pictures(); ++i) {
    const Duration at = kInterval * i;
    EXPECT_TRUE(writer.write_video(start + at, clip.is_key(i), picture_of(clip, i), out));
    for (; sound && packets < sound->packets.size() && 20ms * packets < at + kInterval; ++packets) {
      EXPECT_TRUE(writer.write_audio(start + 20ms * packets, sound->packets[packets], out));
    }
  }
  for (const FilePatch& patch : writer.finish(out)) {
    EXPECT_LE(patch.at + patch.bytes.size(), out.size());
    std::ranges::copy(patch.bytes, out.begin() + static_cast<ptrdiff_t>(patch.at));
  }
  EXPECT_EQ(writer.late(), 0u);
  return out;
}

TEST(Ivf, IsWhatFfmpegReads) {
  for (const Movie& movie : kMovies) {
    const auto& clip = layers::find_clip(movie.clip);
    const Bytes file = make_ivf(clip);
    const std::string path = put_file(std::string(movie.clip) + ".ivf", file);
    const Decoded decoded = decode_video(path, movie.decoder);
    EXPECT_EQ(decoded.errors, "");
    EXPECT_EQ(decoded.pictures.size(), clip.pictures());
    EXPECT_EQ(probe(path, "stream=width,height"),
              std::to_string(clip.width) + "\n" + std::to_string(clip.height) + "\n");
    const auto size = frames::read_frame_size(clip.codec, picture_of(clip, 0));
    EXPECT_EQ(size, (payload::PictureSize{clip.width, clip.height}));
  }
}

TEST(Ivf, OfFfmpegIsReadAsItWas) {
  for (const Movie& movie : kMovies) {
    const auto& clip = layers::find_clip(movie.clip);
    const std::string ours = put_file("ours.ivf", make_ivf(clip)), theirs = put_file("theirs.ivf", {});
    ASSERT_EQ(run("ffmpeg -nostdin -v error -y -i '" + ours + "' -c copy '" + theirs + "'").errors, "");
    const Bytes file = get_file(theirs);
    auto reader = IvfReader::open(file);
    ASSERT_TRUE(reader) << reader.error().why;
    EXPECT_EQ(reader->header().codec, clip.codec);
    for (size_t i = 0; i < clip.pictures(); ++i) {
      const auto frame = reader->next();
      ASSERT_TRUE(frame && *frame);
      EXPECT_TRUE(std::ranges::equal((*frame)->bytes, picture_of(clip, i))) << i;
    }
    EXPECT_FALSE(reader->next()->has_value());
  }
}

TEST(OggOpus, OfFfmpegIsReadAndWrittenAgainAndSoundsTheSame) {
  for (const char* options : {"", "-page_duration 3000000 -b:a 256k", "-frame_duration 60 -page_duration 20000"}) {
    const Bytes theirs = make_ogg_by_ffmpeg(options);
    const Sound sound = read_sound(theirs);
    EXPECT_EQ(sound.samples, 158'400u);
    OggOpusWriter writer({.head = sound.head, .comments = {"TITLE=a tone", "X=" + std::string(100'000, 'x')}}, 7);
    Bytes ours;
    writer.begin(ours);
    for (const Bytes& packet : sound.packets) ASSERT_TRUE(writer.write(packet, ours));
    writer.finish(ours, sound.samples);
    const std::string path = put_file("ours.opus", ours);
    const Said decoded = decode_audio(path);
    EXPECT_EQ(decoded.errors, "");
    EXPECT_EQ(decoded.output.size(), sound.samples * 4);
    EXPECT_TRUE(decoded.output == decode_audio(put_file("theirs.opus", theirs)).output);
    EXPECT_NEAR(std::stod(probe(path, "format=duration")), 3.3, 0.01);
    EXPECT_EQ(probe(path, "stream_tags=TITLE"), "a tone\n");
    const Sound again = read_sound(ours);
    EXPECT_EQ(again.packets, sound.packets);
    EXPECT_EQ(again.samples, sound.samples);
  }
}

TEST(OggOpus, AGapKeepsTheTime) {
  const Sound sound = read_sound(make_ogg_by_ffmpeg());
  OggOpusWriter writer({.head = sound.head}, 7);
  Bytes file;
  writer.begin(file);
  for (size_t i = 0; i < 100; ++i) writer.write(sound.packets[i], file);
  writer.fill_gap(kOpusRate, file);
  writer.write(sound.packets[100], file);
  writer.finish(file);
  const Said decoded = decode_audio(put_file("gap.opus", file), "libopus");
  EXPECT_EQ(decoded.errors, "");
  EXPECT_EQ(decoded.output.size() / 4, 151u * 960 - sound.head.pre_skip);
}

TEST(Wav, IsWhatFfmpegReadsAndWrites) {
  std::vector<int16_t> samples(48'000);
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<int16_t>(20'000 * std::sin(static_cast<double>(i) / 17));
  }
  for (const bool is_final : {false, true}) {
    WavWriter writer({.sample_rate = 48'000, .channels = 2});
    Bytes file;
    writer.begin(file);
    writer.write(samples, file);
    if (is_final) std::ranges::copy(writer.final_header(), file.begin());
    const std::string path = put_file("ours.wav", file);
    const Said decoded = decode_audio(path);
    EXPECT_EQ(decoded.errors, "");
    ASSERT_EQ(decoded.output.size(), samples.size() * 2);
    EXPECT_EQ(std::memcmp(decoded.output.data(), samples.data(), decoded.output.size()), 0);
    if (is_final) {
      EXPECT_EQ(probe(path, "format=duration"), "0.500000\n");
    }
    // ffmpeg's has a LIST chunk, and with more than two channels an extensible format.
    for (const char* options : {"-ac 2", "-ac 4"}) {
      const std::string theirs = put_file("theirs.wav", {});
      ASSERT_EQ(run("ffmpeg -nostdin -v error -y -i '" + path + "' " + options + " '" + theirs + "'").errors, "");
      const Bytes bytes = get_file(theirs);
      auto reader = WavReader::open(bytes);
      ASSERT_TRUE(reader) << reader.error().why;
      EXPECT_EQ(reader->samples(), 24'000u);
      EXPECT_EQ(reader->format().sample_rate, 48'000u);
      std::vector<int16_t> read(samples.size());
      if (reader->format().channels != 2) continue;
      ASSERT_EQ(reader->read(read), samples.size());
      EXPECT_EQ(read, samples);
    }
  }
}

TEST(Webm, IsWhatFfmpegReads) {
  const Sound sound = read_sound(make_ogg_by_ffmpeg());
  for (const Movie& movie : kMovies) {
    const auto& clip = layers::find_clip(movie.clip);
    const Decoded expected = decode_video(put_file("expected.ivf", make_ivf(clip)), movie.decoder);
    for (const bool is_live : {false, true}) {
      for (const bool has_sound : {false, true}) {
        const Bytes file = make_webm(clip, has_sound ? &sound : nullptr, is_live);
        const std::string name = std::string(movie.clip) + (is_live ? "-live" : "") + (has_sound ? "-sound" : "");
        const std::string path = put_file(name + ".webm", file);
        const Decoded decoded = decode_video(path, movie.decoder);
        EXPECT_EQ(decoded.errors, "") << name;
        EXPECT_EQ(decoded.pictures, expected.pictures) << name;
        EXPECT_EQ(probe(path, "format=format_name"), "matroska,webm\n");
        if (!is_live) {
          EXPECT_NEAR(std::stod(probe(path, "format=duration")), 3.2, 0.03) << name;
        }
        if (!has_sound) continue;
        const Said audio = decode_audio(path);
        EXPECT_EQ(audio.errors, "") << name;
        EXPECT_NEAR(static_cast<double>(audio.output.size()) / 4 / kOpusRate, 3.2, 0.03) << name;
      }
    }
  }
}

TEST(Webm, IsSoughtByItsIndexAndPlaysWhenCutOff) {
  const Sound sound = read_sound(make_ogg_by_ffmpeg());
  const auto& clip = layers::find_clip("vp8-L1T3-f");
  for (const bool is_live : {false, true}) {
    Bytes file = make_webm(clip, &sound, is_live);
    // From two seconds on it begins at the key frame before: pictures are told by their time.
    const std::string path = put_file("sought.webm", file);
    const std::string times = probe(path, "packet=pts_time", "-select_streams v -read_intervals 2.2%+#1");
    if (!is_live) {
      EXPECT_EQ(times, "2.133000\n");
    }
    file.resize(file.size() * 6 / 10);
    const Decoded decoded = decode_video(put_file("cut.webm", file), "vp8");
    EXPECT_GE(decoded.pictures.size(), clip.pictures() / 2);
  }
}

TEST(Webm, SoundAloneIsAFileToo) {
  const Sound sound = read_sound(make_ogg_by_ffmpeg());
  WebmWriter writer({.audio = sound.head});
  Bytes file;
  writer.begin(file);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 160; ++i) {
      ASSERT_TRUE(writer.write_audio(20ms * (round * 160 + static_cast<int>(i)), sound.packets[i], file));
    }
  }
  for (const FilePatch& patch : writer.finish(file)) {
    std::ranges::copy(patch.bytes, file.begin() + static_cast<ptrdiff_t>(patch.at));
  }
  const std::string path = put_file("sound.webm", file);
  const Said decoded = decode_audio(path);
  EXPECT_EQ(decoded.errors, "");
  EXPECT_EQ(probe(path, "format=duration"), "9.600000\n");
  EXPECT_NEAR(static_cast<double>(decoded.output.size()) / 4 / kOpusRate, 9.6, 0.02);
}

}  // namespace
}  // namespace atm::files
