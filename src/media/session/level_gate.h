// When the level of an audio stream is worth telling (session protocol: remote_stream_{name}_audio_level,
// local_stream_{id}_audio_level). One for each audio sender and receiver of a session, asked every kLevelInterval,
// which is what bounds their rate. The level itself is measured in one place, Source::loudness.
#pragma once

#include <cstdlib>
#include <optional>

#include "base/time.h"
#include "media/mixminus/loudness.h"

namespace atm::session {

// Five a second: a meter that moves.
inline constexpr Duration kLevelInterval = 200ms;
// dB; a smaller change is not seen.
inline constexpr int kLevelStep = 3;
// dBov; what is quieter is told as silence: the noise of a microphone that nobody speaks into moves all the time.
inline constexpr int kQuietestTold = -80;

class LevelGate {
 public:
  // The level that has to be told now, if it is another one than was told; then it counts as told.
  std::optional<int> take(int dbov) {
    if (dbov < kQuietestTold) dbov = mixminus::kSilence;
    const bool is_new_silence = dbov == mixminus::kSilence && told_ != mixminus::kSilence;
    if (!is_new_silence && std::abs(dbov - told_) < kLevelStep) return std::nullopt;
    told_ = dbov;
    return dbov;
  }
  // Silence was told last, or nothing yet.
  bool is_at_rest() const { return told_ == mixminus::kSilence; }

 private:
  int told_ = mixminus::kSilence;
};

}  // namespace atm::session
