#include "test_song.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace atm0s::test_source {

namespace {

constexpr size_t kBeat = TestSong::kSampleRate * 9 / 20;  // 450 ms
constexpr size_t kWaveSize = 1024;
constexpr int kMostHarmonics = 24;
constexpr double kRms = 0.04;  // of full scale
constexpr double kVibratoHz = 5.5, kVibratoDepth = 0.006;
constexpr double kVibratoAfter = 0.2;              // s
constexpr double kAttack = 0.06, kRelease = 0.09;  // s

// Center and width of the formants, Hz, and how strong each is.
struct Formant {
  double center, width, gain;
};
using Vowel = std::array<Formant, 3>;
constexpr std::array<Vowel, 4> kVowels{{
    {{{750, 90, 1.0}, {1150, 110, 0.6}, {2800, 150, 0.12}}},  // a
    {{{450, 80, 1.0}, {800, 90, 0.5}, {2800, 150, 0.06}}},    // o
    {{{330, 70, 1.0}, {700, 80, 0.25}, {2500, 150, 0.04}}},   // u
    {{{420, 80, 1.0}, {1650, 120, 0.35}, {2600, 150, 0.15}}}  // e
}};

struct Note {
  int note;  // of kNotes; -1: a rest
  int beats, vowel;
};
constexpr Note kSong[] = {{3, 2, 0}, {4, 1, 0}, {3, 1, 1},  {2, 2, 1}, {1, 2, 2}, {2, 1, 3}, {3, 1, 3},
                          {1, 2, 2}, {0, 3, 1}, {-1, 1, 0}, {2, 2, 0}, {3, 1, 0}, {4, 1, 3}, {5, 3, 0},
                          {4, 1, 1}, {3, 2, 1}, {2, 1, 2},  {1, 1, 2}, {0, 4, 2}, {-1, 2, 0}};

// One period of that vowel sung at that pitch, with an RMS of kRms.
std::vector<float> make_wave(double frequency, const Vowel& vowel) {
  std::vector<float> wave(kWaveSize, 0);
  for (int harmonic = 1; harmonic <= kMostHarmonics; ++harmonic) {
    const double hz = frequency * harmonic;
    double gain = 0.03;
    for (const Formant& formant : vowel) {
      const double away = (hz - formant.center) / formant.width;
      gain += formant.gain / (1 + away * away);
    }
    gain /= std::sqrt(static_cast<double>(harmonic));
    for (size_t i = 0; i < kWaveSize; ++i) {
      const double turn =
          2 * std::numbers::pi * static_cast<double>(i * static_cast<size_t>(harmonic) % kWaveSize) / kWaveSize;
      wave[i] += static_cast<float>(gain * std::sin(turn));
    }
  }
  double power = 0;
  for (const float value : wave) power += static_cast<double>(value) * value;
  const double scale = kRms / std::sqrt(power / kWaveSize);
  for (float& value : wave) value *= static_cast<float>(scale);
  return wave;
}

}  // namespace

TestSong::TestSong() {
  begin_note();
}

void TestSong::begin_note() {
  const Note& note = kSong[at_];
  sample_ = 0;
  length_ = kBeat * static_cast<size_t>(note.beats);
  phase_ = 0;
  frequency_ = note.note < 0 ? 0 : kNotes[static_cast<size_t>(note.note)];
  if (frequency_ > 0) wave_ = make_wave(frequency_, kVowels[static_cast<size_t>(note.vowel)]);
}

void TestSong::sing(std::span<int16_t> samples) {
  for (int16_t& sample : samples) {
    if (sample_ == length_) {
      at_ = (at_ + 1) % std::size(kSong);
      begin_note();
    }
    const double now = static_cast<double>(sample_) / kSampleRate;
    const double left = static_cast<double>(length_ - sample_) / kSampleRate;
    ++sample_;
    if (frequency_ == 0) {
      sample = 0;
      continue;
    }
    const double vibrato =
        now < kVibratoAfter ? 0 : kVibratoDepth * std::sin(2 * std::numbers::pi * kVibratoHz * (now - kVibratoAfter));
    phase_ += frequency_ * (1 + vibrato) / kSampleRate;
    phase_ -= std::floor(phase_);
    const auto place = static_cast<size_t>(phase_ * kWaveSize) % kWaveSize;
    const double loudness = std::min({1.0, now / kAttack, left / kRelease});
    sample = static_cast<int16_t>(wave_[place] * loudness * 32767);
  }
}

}  // namespace atm0s::test_source
