// What of an Opus stream to decode next. The receiving stream pushes packets in any order; whoever feeds the sound
// device calls pull() each time that it has fewer samples left than the device wants, and does what the step says: the
// stream is pulled by the device's clock. Sans-IO; packets are moved; no allocation after construction.
//
// The delay of a packet, when it is pulled, beyond the fastest way (DelayProfile) is held at a target: 95 % of what
// jitter asks for + kPullMargin, within the bounds of Delays, and at least what lip sync asks for. It is held by
// - waiting in silence: at the beginning, after DTX, after a concealment that has faded out: exactly,
// - kSkip and kInsert: a frame more or less where nobody speaks (is_quiet), or further off where the caller cannot
//   stretch,
// - `speed` 0.9 or 1.1 where it can (config), and
// - throwing packets away, where they are kTooLate beyond the target: after an outage.
//
// Simpler than libwebrtc's NetEq: no time stretching of its own (WSOLA is the caller's, or none), no merging of
// concealed with real sound, no delay of its own for reordered packets (they count as others, so their delay is waited
// for if more than 5 % are so), concealment is the decoder's, and comfort noise too.
//
// Lost or late is what is missing when its time has come. When nothing at all is there the stream stands still, as in
// NetEq: what comes late is heard late, and the delay is made up for afterwards; when a later packet is there, the hole
// is filled and its packet is late when it comes.
//
// The media time: unwrapped timestamps. A switch to another source that continues them and the sequence numbers needs
// nothing. A jump (a newer packet with an older timestamp, or 500 ms before the fastest way, or 10 s behind it) throws
// away what waits and begins anew, and so do kLateInARow late packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/sequence.h"
#include "base/time.h"
#include "core/playout/audio_queue.h"
#include "core/playout/delay_profile.h"
#include "core/playout/delays.h"

namespace atm::playout {

struct AudioPlayoutConfig {
  Delays delays;
  // At most so much waits, in packets of 20 ms; the target stays below. Some that are in hand (80 ms) do not count.
  // The oldest go. 0: kMaxDelay.
  size_t max_packets = 0;
  bool can_stretch = false;  // the caller obeys `speed`
};

enum class AudioAction {
  kPlay,     // decode `packet`, at `speed`
  kSkip,     // decode `packet`, for the decoder's state, throw the sound away, and pull again
  kFec,      // decode the copy of the frame before that `fec` has
  kConceal,  // let the decoder conceal (PLC)
  kInsert,   // the same, but nothing is missing: to gain time where nobody speaks
  kSilence,  // silence or comfort noise
};

struct AudioStep {
  AudioAction action = AudioAction::kSilence;
  uint32_t samples = 0;  // that come out of it, 48 kHz, before `speed`
  double speed = 1;      // of kPlay
  AudioPacket packet{};  // of kPlay and kSkip
  ByteView fec{};        // of kFec; valid until the next call
};

// Names and definitions of RTCInboundRtpStreamStats; "delay" sums count each sample.
struct AudioPlayoutStats {
  Duration jitter_buffer_delay{};
  Duration jitter_buffer_target_delay{};
  Duration jitter_buffer_minimum_delay{};  // the target without bounds and lip sync
  uint64_t jitter_buffer_emitted_count = 0;
  uint64_t total_samples_received = 0;  // with concealed ones, without the silence before the first packet
  uint64_t concealed_samples = 0;
  uint64_t silent_concealed_samples = 0;
  uint64_t concealment_events = 0;
  uint64_t inserted_samples_for_deceleration = 0;
  uint64_t removed_samples_for_acceleration = 0;
  uint64_t packets_discarded = 0;  // late, too many, or thrown away after an outage
  uint64_t fec_samples = 0;        // not of webrtc-stats, nor are the rest
  uint64_t duplicates = 0;
  uint64_t jumps = 0;
};

class AudioPlayout {
 public:
  explicit AudioPlayout(const AudioPlayoutConfig& config = {}) : config_(config) {}

  void push(AudioPacket packet);
  // `now` never goes back. Every step but kSkip has samples, at most 120 ms of them.
  void pull(Instant now, AudioStep& out);

  // The new target is reached as any other: in silence at once, else by frames more or less.
  void set_config(const AudioPlayoutConfig& config) { config_ = config; }
  void set_sync_delay(Duration delay) { sync_delay_ = delay; }  // of LipSync

  std::optional<PlayPoint> play_point() const;
  Duration jitter() const { return profile_.spread(); }
  Duration target_delay() const;
  size_t waiting() const { return queue_.size(); }
  const AudioPlayoutStats& stats() const { return stats_; }

 private:
  bool has_jumped(const AudioQueue::Entry& entry) const;
  void begin_anew();
  void unwrap(AudioQueue::Entry& entry);
  void on_late();
  void trim();
  Duration own_delay() const;
  Duration bounded(Duration delay) const;
  Duration delay_of(int64_t timestamp, Instant now) const;
  void throw_away_late(Instant now);
  bool stand_in(Instant now, AudioStep& out);
  bool stretch(Instant now, AudioStep& out);
  void play(Instant now, AudioStep& out);
  void give_silence(AudioStep& out, uint32_t samples, bool is_concealed);
  void conceal(AudioStep& out, uint32_t samples);
  void count_concealed(uint32_t samples, bool is_silent);

  AudioPlayoutConfig config_;
  Duration sync_delay_{};
  DelayProfile profile_;
  AudioQueue queue_;
  SequenceUnwrapper sequences_;
  TimestampUnwrapper timestamps_;
  uint32_t newest_timestamp_ = 0;
  unsigned late_in_a_row_ = 0;

  bool is_playing_ = false;    // a packet has been played since the beginning
  bool is_silent_ = true;      // nothing is heard: the next packet may wait for its time
  int64_t next_ = 0;           // timestamp of what comes next
  int64_t last_sequence_ = 0;  // of the last one played
  uint32_t last_samples_ = 960;
  int64_t filled_ = 0;         // concealed samples since the stream stands still
  int64_t concealed_run_ = 0;  // concealed samples in a row
  int stretching_ = 0;         // 1: faster, -1: slower
  AudioPlayoutStats stats_;
};

}  // namespace atm::playout
