// A small song without words, sung by nobody: harmonics under the formants of vowels, with a little vibrato. 48 kHz,
// one channel, RMS about -28 dBFS. Its notes are those of kNotes. No clock of its own; not safe to use from two threads
// at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atm0s::test_source {

class TestSong {
 public:
  static constexpr int kSampleRate = 48'000;
  // Hz: G3, A3, B3, D4, E4, G4
  static constexpr std::array<double, 6> kNotes{196.0, 220.0, 246.94, 293.66, 329.63, 392.0};

  TestSong();
  void sing(std::span<int16_t> samples);

 private:
  void begin_note();

  std::vector<float> wave_;  // one period of the note's vowel
  size_t at_ = 0;            // in the song
  size_t sample_ = 0, length_ = 0;
  double frequency_ = 0;  // 0: a rest
  double phase_ = 0;      // in periods
};

}  // namespace atm0s::test_source
