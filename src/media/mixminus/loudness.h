// How loud a source is, from the levels that its packets tell (RFC 6464), and whether it talks. media/sender keeps one
// for each audio source where its publisher is connected, told of every frame, viewed or not; whoever wants to know how
// loud somebody is reads it there: ranking.h by it, and level events. Levels are dBov, 0 the loudest there is and -127
// silence. It promises constant work for a frame, and that nobody is loud by claiming so for ever: what counts above
// kQuietest is how much louder a source is than it has been in its quietest moment of the last ten to twenty seconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace atm::mixminus {

inline constexpr int kSilence = -127;
// A frame below is no talk. Microphones with noise suppression are at -127 to -75 in pauses, quiet speech is at -55.
inline constexpr int kAudible = -65;
// A source that is never quieter than this counts by how far it is above its quietest: at the least as this. Above
// kAudible, so a steady sound is heard as long as nobody talks.
inline constexpr int kQuietest = -60;
// Of a frame whose level is not told (no header extension) and which is not silence by its size.
inline constexpr int kUntoldLevel = -50;
// How long a source talks after its last audible frame: longer than between two words.
inline constexpr Duration kHold = 400ms;
// A pause that ends a run of talk: longer than between two syllables.
inline constexpr Duration kPause = 100ms;
// Nine frames of 20 ms. A burst of 150 ms touches as many at most, and then its first or its last is at most half full.
inline constexpr Duration kLongestBurst = 160ms;
// How far a first or last frame that is half full is below the others: 6 dB, less what a tone's phase makes of it.
inline constexpr int kHalfFull = 5;
// Of the quietest moment: this window and the one before.
inline constexpr Duration kHistory = 10s;

// Frames are up to 60 ms long: until then none is missed.
inline constexpr Duration kLongestFrame = 60ms;
// How fast a level falls, with frames that are less loud or without any: dB a microsecond.
inline constexpr double kFallPerUs = 100.0 / 1'000'000;

// A level that has not been told anew for so long.
inline int fallen(int dbov, Duration since) {
  if (since <= kLongestFrame) return dbov;
  return dbov - static_cast<int>(kFallPerUs * static_cast<double>(to_us(since - kLongestFrame)));
}

class Loudness {
 public:
  // A frame of `dbov` at `timestamp` (48 kHz). Runs are measured by timestamps, so that the jitter of a network does
  // not make a burst longer; one that is older than the last counts only after a pause (another SSRC has begun).
  void on_frame(Instant now, int dbov, uint32_t timestamp);
  // Its track was switched off.
  void stop() { audible_at_ = {}, level_ = kSilence, is_running_ = is_settled_ = false; }

  // Rises in a few frames, falls by 100 dB a second, with frames or without.
  int dbov(Instant now) const { return std::max(kSilence, static_cast<int>(level_at(now))); }
  bool is_talking(Instant now) const { return audible_at_ != Instant{} && now - audible_at_ < kHold; }
  // Has talked without a pause for longer than a burst does.
  bool is_settled(Instant now) const { return is_settled_ && is_running_ && now - audible_at_ <= kPause; }
  Instant audible_at() const { return audible_at_; }

 private:
  double level_at(Instant now) const;
  int counted(Instant now, int dbov);

  bool has_frames_ = false;
  uint32_t timestamp_ = 0;  // of the newest frame
  Instant at_{};            // when it came
  Instant audible_at_{};    // when the last audible one did
  double level_ = kSilence;
  // this run of talk
  bool is_running_ = false, is_first_over_ = false, is_settled_ = false;
  uint32_t run_began_ = 0;
  int first_ = kSilence;
  // history
  Instant window_began_{};
  int quietest_ = 0, quietest_before_ = kSilence;
};

}  // namespace atm::mixminus
