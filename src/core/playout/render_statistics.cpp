#include "core/playout/render_statistics.h"

#include <algorithm>

namespace atm::playout {
namespace {

constexpr Duration kPause = 5s;           // webrtc-stats: pauseCount
constexpr Duration kFreezeExtra = 150ms;  // webrtc-stats: freezeCount

}  // namespace

void RenderStatistics::on_rendered(Instant at) {
  if (stats_.frames_rendered++ == 0) {
    last_ = at;
    return;
  }
  const Duration interval = at - last_;
  last_ = at;
  stats_.total_inter_frame_delay += interval;
  const double seconds = static_cast<double>(interval.count()) / 1e6;
  stats_.total_squared_inter_frame_delay += seconds * seconds;
  if (interval > kPause) {
    ++stats_.pause_count;
    stats_.total_pauses_duration += interval;
    return;  // a pause is no frame's duration: the average goes on as if it had not been
  }
  if (count_ >= kEnough) {
    const Duration average = sum_ / static_cast<int64_t>(count_);
    if (interval >= std::max(3 * average, average + kFreezeExtra)) {
      ++stats_.freeze_count;
      stats_.total_freezes_duration += interval;
    }
  }
  sum_ += interval - intervals_[next_];
  intervals_[next_] = interval;
  next_ = (next_ + 1) % kAveraged;
  count_ = std::min(count_ + 1, kAveraged);
}

}  // namespace atm::playout
