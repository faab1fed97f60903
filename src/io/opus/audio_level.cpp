#include "io/opus/audio_level.h"

#include <algorithm>
#include <cmath>

namespace atm::io {

int audio_level(std::span<const int16_t> pcm) {
  constexpr int kSilence = -127;          // RFC 6464 3
  constexpr double kOverload = 32'768.0;  // of 16 bit
  double sum = 0;
  for (const int16_t sample : pcm) sum += static_cast<double>(sample) * sample;
  if (sum == 0) return kSilence;
  const double level = 10 * std::log10(sum / static_cast<double>(pcm.size()) / (kOverload * kOverload));
  return std::clamp(static_cast<int>(std::lround(level)), kSilence, 0);
}

}  // namespace atm::io
