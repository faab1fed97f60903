// Audio and video of one peer heard and seen together: how long each of them has to wait at least. For the session's
// loop, which tells sender reports, whose stream it is and where each stands (play_point()), steps it at
// next_timeout(), and hands delay() to set_sync_delay() of the playout. Sans-IO; allocates only when a stream gets its
// owner.
//
// A sender report says which timestamp was captured when, on the sender's clock (RFC 3550 6.4.1). From that and from
// where a stream stands without lip sync follows how long it takes from capture to playing, but for a constant that all
// streams of one owner share. All are delayed to the slowest: nothing of what was measured depends on what was decided,
// so it does not swing. ITU-R BT.1359 has sound 45 ms early to 125 ms late as not noticed; this holds +-20 ms.
//
// Delays change by at most 10 ms a step of 100 ms (libwebrtc's StreamSynchronization limits its steps too: 80 ms a
// second). After a switch to another owner the old mapping is forgotten; delays stay as they are until the new reports
// have come. Streams whose reports are more than kMaxSkew apart have no common clock and are left alone.
//
// Of the last five reports the median counts: before its publisher has told a server when it captured, the server says
// when it got the last packet, jitter and all. One that is more than 200 ms off is a new clock, and the others are
// forgotten.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/playout/delays.h"

namespace atm::playout {

inline constexpr size_t kMaxSyncedStreams = 64;  // of a session

struct SenderClock {
  uint64_t ntp = 0;  // RFC 5905 6
  uint32_t rtp_timestamp = 0;
};

class LipSync {
 public:
  using StreamId = uint32_t;  // the caller's

  // Whose it is: its peer, or its CNAME (RFC 3550 6.5.1); empty: nobody's, not synchronised. To be told again when the
  // receiver is switched to another source, also of the same owner: the old reports are forgotten. False when there are
  // too many.
  bool set_stream(StreamId id, uint32_t clock_rate, std::string_view owner);
  void remove_stream(StreamId id);

  void on_sender_report(StreamId id, const SenderClock& clock);
  // Add to `play_at` what a device or a screen takes beyond.
  void set_play_point(StreamId id, const std::optional<PlayPoint>& point);

  Instant next_timeout() const { return count_ == 0 ? kNever : next_step_; }
  void on_timeout(Instant now);

  // For set_sync_delay().
  Duration delay(StreamId id) const;
  // How far the slowest and the fastest of an owner would be apart without lip sync; nothing when that is unknown.
  std::optional<Duration> skew(std::string_view owner) const;

 private:
  static constexpr size_t kReports = 5;

  struct Stream {
    StreamId id = 0;
    uint32_t clock_rate = 0;
    std::string owner;
    std::array<SenderClock, kReports> reports{};  // the latest ones, in a ring
    size_t report_count = 0;
    size_t next_report = 0;
    std::optional<PlayPoint> point;
    Duration delay{};
  };
  struct Group {
    size_t streams = 0;  // of that owner
    size_t known = 0;    // of these, with all that is needed
    Duration fastest = Duration::max();
    Duration slowest = Duration::min();
  };

  Stream* find(StreamId id);
  const Stream* find(StreamId id) const;
  static Duration captured(const Stream& stream, const SenderClock& clock, uint32_t rtp_timestamp);
  static Duration captured(const Stream& stream, uint32_t rtp_timestamp);
  static std::optional<Duration> latency(const Stream& stream);
  Group group_of(std::string_view owner) const;
  static void step(Stream& stream, const Group& group);

  std::array<Stream, kMaxSyncedStreams> streams_{};
  size_t count_ = 0;
  Instant next_step_ = Instant::min();
};

}  // namespace atm::playout
