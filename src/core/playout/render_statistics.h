// Statistics of the frames that were shown, by the times at which they were due, with the names and definitions of
// RTCInboundRtpStreamStats (W3C webrtc-stats). For VideoPlayout. No allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace atm::playout {

struct RenderStats {
  uint64_t frames_rendered = 0;
  // An interval of at least max(3 x average, average + 150 ms), the average of the last 30 shown frames.
  uint64_t freeze_count = 0;
  Duration total_freezes_duration{};
  // An interval of more than 5 s: counted as a pause and not as a freeze.
  uint64_t pause_count = 0;
  Duration total_pauses_duration{};
  Duration total_inter_frame_delay{};
  double total_squared_inter_frame_delay = 0;  // seconds squared
};

class RenderStatistics {
 public:
  void on_rendered(Instant at);
  const RenderStats& stats() const { return stats_; }

 private:
  static constexpr size_t kAveraged = 30;
  static constexpr size_t kEnough = 5;  // before this there is no average to be believed (libwebrtc)

  RenderStats stats_;
  std::array<Duration, kAveraged> intervals_{};
  size_t next_ = 0;
  size_t count_ = 0;
  Duration sum_{};
  Instant last_{};
};

}  // namespace atm::playout
