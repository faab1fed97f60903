// How smoothly the frames of one video go to a viewer: frames, and for how long the picture stood still, in the time
// since it was last asked. Told of each first packet of a frame as it goes out, and of what the viewer says it has
// lost; so it sees no freeze that loss on the last hop makes and a retransmission mends too late. For media/receiver;
// one for each receiver.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace atm::quality {

// W3C webrtc-stats, freezeCount: a frame that comes later than this after the one before follows a freeze.
inline constexpr Duration kFreezeSlack = 150ms;
inline constexpr int kFreezeFactor = 3;
// What a key frame takes to be decoded and a request to be written, over the round trip: a request for one that has
// gone out so short a time ago was made before it arrived.
inline constexpr Duration kKeyFrameSlack = 100ms;

class FrameWatch {
 public:
  struct Window {
    Duration length{}, frozen{};
    uint32_t frames = 0, freezes = 0;
  };

  void restart() { *this = FrameWatch(); }
  void on_frame(Instant now) {
    if (!last_) {
      window_start_ = now;
    } else {
      const Duration gap = now - *last_;
      if (is_freeze(gap)) add_standstill(now);
      is_still_ = false;
      // A freeze counts as the longest gap that is none: a frame rate that falls all at once is learnt.
      interval_ = interval_ == Duration{} ? gap : (interval_ * 15 + std::min(gap, longest_gap())) / 16;
    }
    last_ = now;
    ++frames_;
  }
  void on_key_frame(Instant now) {
    key_frame_at_ = now;
    if (!lost_since_) return;
    lost_ += now - std::max(*lost_since_, window_start_);
    lost_since_.reset();
  }
  // The viewer has lost its picture: it sees nothing new until a key frame.
  void on_picture_lost(Instant now, Duration round_trip) {
    if (!last_ || lost_since_ || (key_frame_at_ && now - *key_frame_at_ < round_trip + kKeyFrameSlack)) return;
    lost_since_ = now;
    ++freezes_;
  }
  // Since the last call, or since the first frame. A freeze that goes on counts once, with the time that it took here.
  Window take(Instant now) {
    if (!last_) return {};
    if (is_freeze(now - *last_)) add_standstill(now);
    if (lost_since_) lost_ += now - std::max(*lost_since_, window_start_);
    const Duration length = now - window_start_;
    const Window out{length, std::min(std::max(still_, lost_), length), frames_, freezes_};
    window_start_ = now;
    still_ = lost_ = {};
    frames_ = freezes_ = 0;
    return out;
  }
  bool has_begun() const { return last_.has_value(); }

 private:
  Duration longest_gap() const { return std::max(interval_ * kFreezeFactor, interval_ + kFreezeSlack); }
  bool is_freeze(Duration gap) const { return interval_ != Duration{} && gap > longest_gap(); }
  void add_standstill(Instant now) {
    freezes_ += !is_still_;
    is_still_ = true;
    still_ += now - std::max(*last_, window_start_);
  }

  std::optional<Instant> last_;  // frame
  Duration interval_{};          // of frames, smoothed
  std::optional<Instant> key_frame_at_, lost_since_;
  bool is_still_ = false;  // in a freeze that counts already
  // the window
  Instant window_start_{};
  Duration still_{}, lost_{};
  uint32_t frames_ = 0, freezes_ = 0;
};

}  // namespace atm::quality
