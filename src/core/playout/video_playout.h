// When a frame of video is to be shown. The receiving stream pushes whole frames in the order of decoding, as they
// become decodable; the session's loop takes those that are due at next_timeout(). Sans-IO; frames are moved, never
// copied; no allocation after construction but that of the vector that the caller reuses.
//
// A frame is due at its media time + the fastest way + a target delay. The target is the measured jitter (DelayProfile
// of whole frames, so the time that a large frame takes is in it) + the lead for decoding, within the bounds of Delays,
// and at least the delay that lip sync asks for. What is due moves by at most a tenth of the time that passes, but in
// the first second, after a jump and after set_delays().
//
// Promises: frames come out in the order in which they went in, with render times that never go back and are never in
// the past. A late frame comes out at once: those behind need it. Nothing is dropped but when the queue is full: then
// all before the latest key frame, or else everything up to the next one (wants_key_frame()).
//
// The media time: rtp timestamps of 90 kHz, unwrapped. A switch to another source that continues the timestamps needs
// nothing. A jump of them (over 500 ms back, 500 ms before the fastest way, or 10 s behind it) begins anew; what waits
// keeps the times it had. Not done here: decoding, dropping of what a display has no time for, and the frame rate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/sequence.h"
#include "base/time.h"
#include "core/playout/delay_profile.h"
#include "core/playout/delays.h"
#include "core/playout/render_statistics.h"

namespace atm::playout {

inline constexpr size_t kMaxFrames = 512;                   // that wait: 4 s of 120 frames a second
inline constexpr size_t kMaxFrameBytes = 64 * 1024 * 1024;  // of all that wait

struct VideoFrame {
  uint32_t rtp_timestamp = 0;  // 90 kHz
  Instant first_packet{};      // its first packet came: jitterBufferDelay counts from here
  Instant arrival{};           // it became decodable: now, when it is pushed
  bool is_key = false;
  uint64_t tag = 0;  // of the caller; not looked at
  Bytes payload{};
};

struct DueFrame {
  VideoFrame frame;
  Instant render_at{};
  bool is_late = false;  // it came after its time, or waited for one that did
};

struct VideoPlayoutConfig {
  Delays delays;
  Duration lead{};  // a frame is handed out so long before it is to be shown: time for decoding
};

// Names and definitions of RTCInboundRtpStreamStats; those of shown frames in `render`.
struct VideoPlayoutStats {
  Duration jitter_buffer_delay{};
  Duration jitter_buffer_target_delay{};
  Duration jitter_buffer_minimum_delay{};  // the target without bounds and lip sync
  uint64_t jitter_buffer_emitted_count = 0;
  uint64_t key_frames = 0;
  uint64_t frames_dropped = 0;
  uint64_t late_frames = 0;  // not of webrtc-stats, nor is the next
  uint64_t jumps = 0;
  RenderStats render;
};

class VideoPlayout {
 public:
  explicit VideoPlayout(const VideoPlayoutConfig& config = {});

  void push(VideoFrame frame);
  // Appends what is due. `now` never goes back.
  void take_due(Instant now, std::vector<DueFrame>& out);
  // When the next frame is due; changes with every push, take and set.
  Instant next_timeout() const;

  void set_delays(const Delays& delays, Instant now);
  void set_sync_delay(Duration delay) { sync_delay_ = delay; }  // of LipSync

  // After an overflow: until a key frame comes, everything is dropped.
  bool wants_key_frame() const { return waits_for_key_; }
  std::optional<PlayPoint> play_point() const;
  Duration jitter() const { return profile_.spread(); }
  Duration target_delay() const { return bounded(std::max(own_delay(), sync_delay_)); }
  size_t waiting() const { return count_; }
  VideoPlayoutStats stats() const;

 private:
  struct Entry {
    VideoFrame frame;
    Duration media{};
    Instant fixed = kNever;  // when it is due, where that no longer moves: the timestamps have jumped since
    bool is_late = false;
  };

  bool is_at_once() const { return delays_.max && *delays_.max <= Duration{}; }
  bool has_jumped(Duration media, Instant arrival) const;
  void begin_anew(Instant now);
  bool make_room(const VideoFrame& frame);
  void drop_front();
  Entry& entry(size_t i) { return ring_[(head_ + i) % kMaxFrames]; }
  const Entry& entry(size_t i) const { return ring_[(head_ + i) % kMaxFrames]; }
  Instant due(const Entry& entry) const;
  void move_offset(Instant now);
  Duration own_delay() const;
  Duration bounded(Duration delay) const;
  void hand_out(Instant now, Entry& entry, DueFrame& out);

  Delays delays_;
  const Duration lead_;
  Duration sync_delay_{};
  DelayProfile profile_;
  TimestampUnwrapper unwrapper_;
  Duration offset_{};  // render time - media time
  Instant moved_{};
  Instant settled_at_{};  // before this the offset is not held to its pace
  Duration last_media_{};
  uint32_t last_timestamp_ = 0;
  Instant last_render_ = Instant::min();
  std::vector<Entry> ring_;
  size_t head_ = 0;
  size_t count_ = 0;
  size_t bytes_ = 0;
  bool waits_for_key_ = false;
  VideoPlayoutStats stats_;
  RenderStatistics rendered_;
};

}  // namespace atm::playout
