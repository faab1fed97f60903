// When a receiver's quality is worth telling (session protocol: local_stream_{id}_quality): once it is known, and then
// when it has moved, not more often than once a second. One per receiver, in media/session, which sends what comes out.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::quality {

// A tenth of a point: less is noise of the measurement.
inline constexpr uint32_t kWorthTelling = 100;
inline constexpr Duration kTellInterval = 1s;

// ITU-T G.109: what speech of such a rating is called, by the MOS of its R (90, 80, 70, 60).
enum class Level : uint8_t { kBad, kPoor, kFair, kGood, kExcellent };

constexpr Level level_of(uint32_t mos) {
  if (mos >= 4'339) return Level::kExcellent;  // very satisfied
  if (mos >= 4'024) return Level::kGood;       // satisfied
  if (mos >= 3'597) return Level::kFair;       // some users are not
  if (mos >= 3'100) return Level::kPoor;       // many are not
  return Level::kBad;                          // nearly nobody is
}

class QualityGate {
 public:
  // The newest value, 1,000 to 5,000. True when it has to be told now, and then it counts as told.
  bool on_mos(Instant now, uint32_t mos) {
    const uint32_t moved = !told_ ? kWorthTelling : mos > *told_ ? mos - *told_ : *told_ - mos;
    if (moved < kWorthTelling || (told_ && now - told_at_ < kTellInterval)) return false;
    told_ = mos;
    told_at_ = now;
    return true;
  }
  std::optional<uint32_t> told() const { return told_; }
  // It shows another stream: the next value is told.
  void reset() { *this = QualityGate(); }

 private:
  std::optional<uint32_t> told_;
  Instant told_at_{};
};

}  // namespace atm::quality
