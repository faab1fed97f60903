#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "base/rng.h"
#include "io/opus/audio_level.h"
#include "io/opus/opus_decoder.h"
#include "io/opus/opus_encoder.h"

namespace atm::io {
namespace {

using Samples = std::vector<int16_t>;
constexpr double kRate = kOpusSampleRate;

Samples tone(double hz, double seconds, double amplitude = 10'000) {
  Samples out(static_cast<size_t>(seconds * kRate));
  for (size_t i = 0; i < out.size(); ++i) {
    const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / kRate;
    out[i] = static_cast<int16_t>(std::lround(amplitude * std::sin(phase)));
  }
  return out;
}

// Somewhat like speech: a voice whose pitch glides and whose loudness changes four times a second, with breath.
Samples voice(double seconds, uint64_t seed = 1) {
  SeededRng rng(seed);
  Samples out(static_cast<size_t>(seconds * kRate));
  double phase = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / kRate;
    phase += 2 * std::numbers::pi * (140 + 40 * std::sin(2 * std::numbers::pi * 0.7 * t)) / kRate;
    double sum = 0;
    for (int k = 1; k <= 20; ++k) {
      const double hz = 140 * k, formant = std::exp(-std::pow((hz - 600) / 400, 2)) +
                                           0.5 * std::exp(-std::pow((hz - 1'700 - 600 * std::sin(5 * t)) / 300, 2));
      sum += (0.05 + formant) * std::sin(phase * k);
    }
    const double loudness = 0.55 + 0.45 * std::sin(2 * std::numbers::pi * 4 * t);
    const double breath = static_cast<double>(rng.next() % 1'000) / 1'000 - 0.5;
    out[i] = static_cast<int16_t>(std::lround(4'000 * loudness * (sum + 0.2 * breath)));
  }
  return out;
}

// Which share of the signal's power lies at that frequency (Goertzel).
double share_at(std::span<const int16_t> pcm, double hz) {
  const double w = 2 * std::numbers::pi * hz / kRate;
  double s1 = 0, s2 = 0, power = 0;
  for (const int16_t sample : pcm) {
    const double s0 = sample + 2 * std::cos(w) * s1 - s2;
    s2 = s1;
    s1 = s0;
    power += static_cast<double>(sample) * sample;
  }
  const double found = s1 * s1 + s2 * s2 - 2 * std::cos(w) * s1 * s2;
  return power == 0 ? 0 : 2 * found / (power * static_cast<double>(pcm.size()));
}

using Packets = std::vector<std::vector<uint8_t>>;
Packets encode(OpusEncoder& encoder, const Samples& pcm) {
  Packets out;
  const size_t step = encoder.frame_samples() * encoder.channels();
  for (size_t at = 0; at + step <= pcm.size(); at += step) {
    const auto packet = encoder.encode(std::span(pcm).subspan(at, step));
    EXPECT_TRUE(packet);
    out.emplace_back(packet->bytes.begin(), packet->bytes.end());
  }
  return out;
}
Samples decode(OpusDecoder& decoder, const Packets& packets) {
  Samples out;
  for (const auto& packet : packets) {
    const auto pcm = decoder.decode(packet);
    EXPECT_TRUE(pcm) << pcm.error().why;
    out.insert(out.end(), pcm->begin(), pcm->end());
  }
  return out;
}
Samples channel(const Samples& pcm, size_t which, size_t channels) {
  Samples out;
  for (size_t i = which; i < pcm.size(); i += channels) out.push_back(pcm[i]);
  return out;
}

TEST(Opus, BringsATone) {
  for (const Duration frame : {10ms, 20ms, 40ms, 60ms}) {
    for (const OpusUse use : {OpusUse::kVoip, OpusUse::kAudio}) {
      auto encoder = OpusEncoder::make({.frame = frame, .bitrate_bps = 48'000, .use = use});
      auto decoder = OpusDecoder::make(1);
      ASSERT_TRUE(encoder && decoder);
      const Samples in = tone(1'000, 1.2);
      const Samples out = decode(*decoder, encode(*encoder, in));
      ASSERT_EQ(out.size(), in.size());
      const auto second = std::span(out).subspan(9'600, 48'000);  // its beginning is still settling
      EXPECT_GT(share_at(second, 1'000), 0.97);                   // noise and overtones 15 dB below it, or less
      EXPECT_LT(share_at(second, 1'250), 0.001);
      EXPECT_NEAR(audio_level(second), audio_level(in), 1);
    }
  }
}

TEST(Opus, KeepsTheSidesApart) {
  auto encoder = OpusEncoder::make({.channels = 2, .bitrate_bps = 96'000, .use = OpusUse::kAudio});
  auto decoder = OpusDecoder::make(2);
  const Samples left = tone(440, 1), right = tone(1'500, 1);
  Samples both;
  for (size_t i = 0; i < left.size(); ++i) both.insert(both.end(), {left[i], right[i]});
  const Packets packets = encode(*encoder, both);
  const Samples out = decode(*decoder, packets);
  EXPECT_GT(share_at(channel(out, 0, 2), 440), 0.95);
  EXPECT_GT(share_at(channel(out, 1, 2), 1'500), 0.95);
  auto mono = OpusDecoder::make(1);  // whatever the packets have
  EXPECT_EQ(decode(*mono, packets).size(), out.size() / 2);
}

// How much louder what is missing is than the error against the whole, in dB.
double quality(const Packets& packets, const Samples& whole, bool with_fec) {
  auto decoder = OpusDecoder::make(1);
  double error = 0, power = 0;
  size_t at = 0;
  const auto compare = [&](const Result<OpusDecoder::Pcm>& pcm) {
    ASSERT_TRUE(pcm) << pcm.error().why;
    for (const int16_t sample : *pcm) {
      error += std::pow(static_cast<double>(sample) - whole[at], 2);
      power += std::pow(static_cast<double>(whole[at]), 2);
      ++at;
    }
  };
  for (size_t i = 0; i + 1 < packets.size(); ++i) {
    const bool is_lost = i % 7 == 3;
    if (!is_lost)
      compare(decoder->decode(packets[i]));
    else if (with_fec)
      compare(decoder->decode_fec(packets[i + 1], 20ms));
    else
      compare(decoder->conceal(20ms));
  }
  return 10 * std::log10(power / error);
}

TEST(Opus, MakesUpForLossBetterWithFec) {
  auto encoder = OpusEncoder::make({.bitrate_bps = 24'000, .fec = true, .expected_loss_percent = 20});
  auto decoder = OpusDecoder::make(1);
  const Packets packets = encode(*encoder, voice(8));
  const Samples whole = decode(*decoder, packets);
  const double fec = quality(packets, whole, true), plain = quality(packets, whole, false);
  RecordProperty("fec_db", std::to_string(fec));
  RecordProperty("conceal_db", std::to_string(plain));
  EXPECT_GT(fec, plain + 3) << plain;

  auto without = OpusEncoder::make({.bitrate_bps = 24'000, .fec = false, .expected_loss_percent = 20});
  const Packets bare = encode(*without, voice(8));
  auto other = OpusDecoder::make(1);
  const Samples bare_whole = decode(*other, bare);
  EXPECT_NEAR(quality(bare, bare_whole, true), quality(bare, bare_whole, false), 0.5);  // nothing there to take
}

TEST(Opus, FadesOutWhenNothingComes) {
  auto encoder = OpusEncoder::make({});
  auto decoder = OpusDecoder::make(1);
  decode(*decoder, encode(*encoder, tone(300, 0.4)));
  const int first = audio_level(*decoder->conceal(20ms));
  for (int i = 0; i < 30; ++i) decoder->conceal(20ms);
  EXPECT_GT(first, -20);
  EXPECT_LT(audio_level(*decoder->conceal(120ms)), first - 20);
}

TEST(Opus, SendsNextToNothingOfSilence) {
  auto encoder = OpusEncoder::make({.dtx = true});
  Samples pcm = voice(1);
  pcm.resize(pcm.size() + 48'000 * 4);
  size_t spoken = 0, silent = 0, skipped = 0;
  for (size_t i = 0; i < 250; ++i) {
    const auto packet = encoder->encode(std::span(pcm).subspan(i * 960, 960));
    if (i < 50) spoken += packet->bytes.size();
    if (i < 75) continue;  // it waits whether the silence lasts
    silent += packet->bytes.size();
    skipped += packet->is_dtx ? 1 : 0;
    EXPECT_LE(packet->bytes.size(), 60u);
  }
  EXPECT_GT(spoken * 8, 20'000u);  // bit/s
  EXPECT_LT(silent * 8 * 10 / 35, 2'000u);
  EXPECT_GT(skipped, 160u);  // of 175: one in 400 ms goes out
  const auto after = encoder->encode(std::span(pcm).subspan(0, 960));
  EXPECT_FALSE(after->is_dtx);
}

TEST(Opus, HoldsItsBitrate) {
  for (const OpusUse use : {OpusUse::kVoip, OpusUse::kAudio}) {
    auto encoder = OpusEncoder::make({.use = use});
    for (const uint32_t bps : {24'000u, 32'000u, 64'000u, 128'000u}) {
      ASSERT_TRUE(encoder->set_bitrate(bps));
      encode(*encoder, voice(1, 2));
      size_t bytes = 0;
      for (const auto& packet : encode(*encoder, voice(10))) bytes += packet.size();
      EXPECT_NEAR(static_cast<double>(bytes) * 8 / 10, bps, bps * 0.1) << static_cast<int>(use);
      RecordProperty("use" + std::to_string(static_cast<int>(use)) + "_" + std::to_string(bps),
                     std::to_string(bytes * 8 / 10));
    }
  }
}

TEST(Opus, MakesNoPacketThatDoesNotFit) {
  SeededRng rng(3);
  Samples noise(48'000 * 2);
  for (int16_t& sample : noise) sample = static_cast<int16_t>(rng.next());
  auto encoder = OpusEncoder::make({.channels = 2, .frame = 60ms, .bitrate_bps = 510'000, .use = OpusUse::kAudio});
  for (const auto& packet : encode(*encoder, noise)) EXPECT_LE(packet.size(), kMaxOpusPacketBytes);
}

TEST(Opus, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(OpusEncoder::make({.channels = 3}).error().why, "Opus: channels are 1 or 2");
  EXPECT_EQ(OpusEncoder::make({.frame = 30ms}).error().why, "Opus: a frame has 10, 20, 40 or 60 ms");
  EXPECT_EQ(OpusEncoder::make({.complexity = 11}).error().code, ErrorCode::kInvalidConfig);
  EXPECT_FALSE(OpusEncoder::make({.bitrate_bps = 5'999}));
  EXPECT_FALSE(OpusEncoder::make({.expected_loss_percent = 101}));
  EXPECT_FALSE(OpusDecoder::make(0));
  auto encoder = OpusEncoder::make({});
  EXPECT_FALSE(encoder->set_bitrate(510'001));
  EXPECT_FALSE(encoder->set_expected_loss(-1));
  EXPECT_EQ(encoder->encode(Samples(959)).error().why, "Opus: a frame has 960 samples, not 959");
  auto decoder = OpusDecoder::make(1);
  EXPECT_FALSE(decoder->decode({}));
  EXPECT_FALSE(decoder->decode(std::vector<uint8_t>{0xff}));  // RFC 6716 3.2.5: its count of frames is missing
  EXPECT_FALSE(decoder->decode(std::vector<uint8_t>{0xff, 0x3f}));
  for (const Duration lost : {Duration(0us), Duration(1ms), Duration(121ms), Duration(-20ms)}) {
    EXPECT_FALSE(decoder->conceal(lost));
    EXPECT_FALSE(decoder->decode_fec(std::vector<uint8_t>{0}, lost));
  }
  EXPECT_EQ(decoder->conceal(20ms)->size(), 960u);
}

TEST(Opus, TakesAnyBytesForAPacket) {
  SeededRng rng(4);
  auto decoder = OpusDecoder::make(2);
  for (int i = 0; i < 3'000; ++i) {
    std::vector<uint8_t> packet(1 + rng.next() % 200);
    for (uint8_t& byte : packet) byte = static_cast<uint8_t>(rng.next());
    const auto pcm = i % 3 == 0 ? decoder->decode_fec(packet, 20ms) : decoder->decode(packet);
    EXPECT_LE(pcm ? pcm->size() : 0, 5'760u * 2);
  }
}

TEST(AudioLevel, IsThePowerAgainstFullScale) {
  EXPECT_EQ(audio_level({}), -127);
  EXPECT_EQ(audio_level(Samples(960)), -127);
  EXPECT_EQ(audio_level(Samples(960, -32'768)), 0);
  EXPECT_EQ(audio_level(tone(1'000, 0.02, 32'767)), -3);
  EXPECT_EQ(audio_level(tone(1'000, 0.02, 3'276.7)), -23);
  Samples one(48'000);
  one[0] = 1;
  EXPECT_EQ(audio_level(one), -127);  // and not -137
}

}  // namespace
}  // namespace atm::io
