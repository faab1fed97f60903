#include "media/mixminus/loudness.h"

#include "base/sequence.h"

namespace atm::mixminus {
namespace {
constexpr uint32_t kLongestBurstSamples = 48 * static_cast<uint32_t>(kLongestBurst / 1ms);
}  // namespace

double Loudness::level_at(Instant now) const {
  const Duration missed = now - at_ - kLongestFrame;
  return missed > 0us ? level_ - kFallPerUs * static_cast<double>(to_us(missed)) : level_;
}

// The level less what the source has it too loud at its quietest.
int Loudness::counted(Instant now, int dbov) {
  if (!has_frames_) window_began_ = now;
  if (now - window_began_ >= kHistory) {
    window_began_ = now;
    quietest_before_ = quietest_;
    quietest_ = 0;
  }
  // What sends nothing for a while (DTX, a track that is switched off) was silent meanwhile.
  quietest_ = std::min(quietest_, has_frames_ && now - at_ >= kHold ? kSilence : dbov);
  return dbov - std::max(0, std::min(quietest_, quietest_before_) - kQuietest);
}

void Loudness::on_frame(Instant now, int dbov, uint32_t timestamp) {
  if (has_frames_ && !is_newer(timestamp, timestamp_) && now - at_ < kPause) return;
  const int level = counted(now, std::clamp(dbov, kSilence, 0));
  const bool was_talking = is_talking(now);
  const double before = level_at(now), fallen = level_ - kFallPerUs * static_cast<double>(to_us(now - at_));
  const bool goes_on = is_running_ && now - audible_at_ <= kPause;
  has_frames_ = true;
  timestamp_ = timestamp;
  at_ = now;
  if (!was_talking) {
    level_ = level;
  } else {
    level_ = level > before ? before + (level - before) / 2 : std::max<double>(level, fallen);
  }
  if (level < kAudible) {
    is_running_ = goes_on;
    return;
  }
  audible_at_ = now;
  if (!goes_on) {
    is_running_ = true;
    is_first_over_ = is_settled_ = false;
    run_began_ = timestamp;
    first_ = level;
    return;
  }
  // The edges of a sound: a frame that is only partly full does not make a burst longer.
  if (!is_first_over_ && level >= first_ + kHalfFull) run_began_ = timestamp;
  is_first_over_ = true;
  if (level > level_ - kHalfFull && timestamp - run_began_ >= kLongestBurstSamples) is_settled_ = true;
}

}  // namespace atm::mixminus
