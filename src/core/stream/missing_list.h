// The packets that a stream waits for, and when each is asked for (again): RFC 4585 6.2.1 generic NACKs.
// For ReceiveStream. A hole is first left alone for kReorderWait; then asked for, and again after about one round trip,
// until it arrives, is asked for kMaxTries times or is kMaxAge old. Bounded: a gap too large to repair empties the list
// and asks for a key frame instead. No allocation after construction.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace atm::stream {

class MissingList {
 public:
  // Reordering between two packets of one path is a few ms; asking at once would double every reordered packet.
  static constexpr Duration kReorderWait = 10ms;
  // Until a round trip has been measured. What libwebrtc assumes too.
  static constexpr Duration kDefaultRtt = 100ms;
  // Between two requests for one packet: a fast path does not need more, and a slow one is asked at least this often.
  static constexpr Duration kMinRetry = 20ms;
  static constexpr Duration kMaxRetry = 500ms;
  static constexpr int kMaxTries = 10;
  // A viewer's jitter buffer has given up by then.
  static constexpr Duration kMaxAge = 1'500ms;
  // Half a second of a 6 Mbit/s video. Repairing more than that costs more than a key frame.
  static constexpr size_t kMaxMissing = 256;

  // Without `enabled` nothing is reserved, and on_gap() may not be called.
  explicit MissingList(bool enabled = true) { missing_.reserve(enabled ? kMaxMissing : 0); }

  void set_rtt(Duration rtt) { rtt_ = rtt; }
  // first … last are missing; they are newer than all that are on the list.
  void on_gap(Instant now, int64_t first, int64_t last);
  // True when it was on the list.
  bool on_arrived(int64_t sequence);
  void clear();

  // Appends what is due, ascending.
  void collect(Instant now, std::vector<uint16_t>& out);
  // No later than the next request or the next packet given up; kNever when nothing is missing.
  Instant next_timeout() const { return missing_.empty() ? kNever : next_; }

  // True once after packets were given up on or too many were missing: only a key frame helps the viewer now.
  bool take_key_frame_wanted();
  size_t size() const { return missing_.size(); }
  uint64_t given_up() const { return given_up_; }

 private:
  struct Missing {
    int64_t sequence;
    Instant noticed;
    Instant ask_at;
    int tries;
  };
  Duration retry_interval(int tries) const;

  std::vector<Missing> missing_;  // ascending
  Instant next_ = kNever;
  Duration rtt_ = kDefaultRtt;
  bool key_frame_wanted_ = false;
  uint64_t given_up_ = 0;
};

}  // namespace atm::stream
