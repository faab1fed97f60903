#include <gtest/gtest.h>

#include <algorithm>

#include "wire/container/little_endian.h"
#include "wire/container/ogg_opus.h"
#include "wire/container/wav.h"
#include "wire/container/webm_writer.h"

namespace atm::container {
namespace {

const Bytes kPacket = {0xFC, 1, 2, 3};  // CELT, stereo, one frame of 20 ms

Bytes make_ogg(size_t packets, std::optional<uint64_t> samples = std::nullopt) {
  OggOpusWriter writer({}, 7);
  Bytes out;
  writer.begin(out);
  for (size_t i = 0; i < packets; ++i) EXPECT_TRUE(writer.write(kPacket, out));
  writer.finish(out, samples);
  return out;
}

TEST(OpusPacket, IsAsLongAsItsFirstBytesSay) {
  EXPECT_EQ(opus_duration(kPacket), 960u);
  EXPECT_EQ(opus_duration(Bytes{0x00}), 480u) << "SILK, 10 ms";
  EXPECT_EQ(opus_duration(Bytes{0x19}), 5'760u) << "two of 60 ms";
  EXPECT_EQ(opus_duration(Bytes{0xE3, 48}), 5'760u) << "48 of 2.5 ms";
  EXPECT_EQ(opus_duration(Bytes{0xE3, 49}), std::nullopt) << "more than 120 ms";
  EXPECT_EQ(opus_duration(Bytes{0xE3}), std::nullopt);
  EXPECT_EQ(opus_duration({}), std::nullopt);
}

TEST(OggOpus, PagesHaveTheirChecksum) {
  const Bytes file = make_ogg(1);
  EXPECT_EQ(load_little(ByteView(file).subspan(22, 4)), ogg_checksum(ByteView(file).first(kOggHeaderSize + 1 + 19)));
  for (size_t at = 0; at < file.size(); ++at) {
    Bytes broken = file;
    broken[at] ^= 0x10;
    auto reader = OggOpusReader::open(broken);
    const bool is_read = reader && reader->next() && reader->next();
    EXPECT_FALSE(is_read) << at;
  }
}

TEST(OggOpus, PositionsAndTheEndAreTold) {
  const Bytes file = make_ogg(100, 90'000);
  auto reader = OggOpusReader::open(file);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->head().pre_skip, 312);
  uint64_t position = 0, heard = 0;
  for (size_t i = 0; i < 100; ++i) {
    const auto packet = reader->next();
    ASSERT_TRUE(packet && *packet) << i;
    EXPECT_EQ((*packet)->position, position);
    EXPECT_TRUE(std::ranges::equal((*packet)->bytes, kPacket));
    position += (*packet)->duration;
    heard += (*packet)->duration - (*packet)->trimmed;
  }
  EXPECT_EQ(heard, 90'000u + 312);
  EXPECT_FALSE(reader->next()->has_value());
}

TEST(OggOpus, TruncationsAreErrorsOrEndBetweenPages) {
  const Bytes file = make_ogg(120);
  const auto whole = OggOpusReader::open(file);
  ASSERT_TRUE(whole);
  for (size_t size = 0; size < file.size(); ++size) {
    auto reader = OggOpusReader::open(ByteView(file).first(size));
    if (!reader) continue;
    size_t packets = 0;
    auto packet = reader->next();
    for (; packet && *packet; packet = reader->next()) ++packets;
    EXPECT_LT(packets, 120u);
    EXPECT_TRUE(packet || packet.error().why.starts_with("byte "));
    EXPECT_FALSE(reader->next()->has_value()) << "and no more";
  }
}

TEST(OggOpus, PacketsThatAreNoneAreRefused) {
  OggOpusWriter writer({}, 7);
  Bytes out;
  EXPECT_FALSE(writer.write({}, out));
  EXPECT_FALSE(writer.write(Bytes{0xFF}, out));
  EXPECT_FALSE(writer.write(Bytes(kMaxOggOpusPacket + 1, 0xFC), out));
  EXPECT_EQ(writer.position(), 0u);
}

TEST(Wav, IsReadAndWritten) {
  WavWriter writer({.sample_rate = 16'000, .channels = 1});
  Bytes file;
  writer.begin(file);
  const std::vector<int16_t> samples = {1, -2, 32'767, -32'768};
  writer.write(samples, file);
  for (const bool is_final : {false, true}) {
    if (is_final) std::ranges::copy(writer.final_header(), file.begin());
    auto reader = WavReader::open(file);
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->format().sample_rate, 16'000u);
    EXPECT_EQ(reader->samples(), 4u);
    std::vector<int16_t> read(3);
    EXPECT_EQ(reader->read(read), 3u);
    EXPECT_EQ(read, (std::vector<int16_t>{1, -2, 32'767}));
    EXPECT_EQ(reader->read(read), 1u);
    EXPECT_EQ(reader->read(read), 0u);
  }
  for (size_t size = 0; size < kWavHeaderSize; ++size)
    EXPECT_FALSE(WavReader::open(ByteView(file).first(size))) << size;
  EXPECT_EQ(WavReader::open(ByteView(file).first(kWavHeaderSize + 3))->samples(), 1u) << "cut off";
  const std::pair<size_t, const char*> kBroken[] = {
      {0, "byte 0: "}, {20, "byte 20: "}, {22, "byte 22: "}, {34, "byte 34: "}};
  for (const auto& [at, where] : kBroken) {
    Bytes broken = file;
    broken[at] = 99;
    const auto reader = WavReader::open(broken);
    ASSERT_FALSE(reader) << at;
    EXPECT_TRUE(reader.error().why.starts_with(where)) << reader.error().why;
  }
}

TEST(Webm, RefusesWhatNoPlayerCouldShow) {
  WebmWriter writer({.video = WebmVideo{Codec::kVp8, 320, 180}});
  Bytes out;
  writer.begin(out);
  const size_t size = out.size();
  EXPECT_FALSE(writer.write_video(0ms, false, kPacket, out)) << "before the first key frame";
  EXPECT_FALSE(writer.write_video(0ms, true, {}, out));
  EXPECT_FALSE(writer.write_audio(0ms, kPacket, out)) << "there is no such track";
  EXPECT_EQ(out.size(), size);
  EXPECT_TRUE(writer.write_video(100ms, true, kPacket, out));
  EXPECT_TRUE(writer.write_video(200ms, false, kPacket, out));
  EXPECT_TRUE(writer.write_video(150ms, false, kPacket, out));
  EXPECT_EQ(writer.late(), 1u);
}

TEST(Webm, ClustersBeginWithKeyFramesOrAfterAWhile) {
  WebmWriter writer({.video = WebmVideo{Codec::kVp8, 320, 180}, .is_live = true});
  Bytes out;
  writer.begin(out);
  const auto clusters = [&out] {
    const Bytes id = {0x1F, 0x43, 0xB6, 0x75};
    size_t count = 0;
    for (auto at = out.begin(); (at = std::search(at, out.end(), id.begin(), id.end())) != out.end(); ++at) ++count;
    return count;
  };
  writer.write_video(0s, true, kPacket, out);
  writer.write_video(1s, false, kPacket, out);
  EXPECT_EQ(clusters(), 1u);
  writer.write_video(2s, true, kPacket, out);
  EXPECT_EQ(clusters(), 2u);
  writer.write_video(2s + kClusterDuration - 1ms, false, kPacket, out);
  EXPECT_EQ(clusters(), 2u);
  writer.write_video(2s + kClusterDuration, false, kPacket, out);
  EXPECT_EQ(clusters(), 3u);
  EXPECT_TRUE(writer.finish(out).empty());
}

}  // namespace
}  // namespace atm::container
