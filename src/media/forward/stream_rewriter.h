// Makes packets of changing sources and layers look like one continuous RTP stream to one subscriber. Sequence numbers
// and timestamps go on across a switch of source. A packet of the source that is missing stays a gap, so the subscriber
// asks for it and gets it once it was recovered. A packet that is left out on purpose (a layer above the target) leaves
// none: the numbers after it close up. No number is given twice. media/receiver owns one per receiver; 344 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/rng.h"
#include "base/time.h"

namespace atm::forward {

struct Rewritten {
  int64_t sequence = 0;  // unwrapped
  uint32_t timestamp = 0;
};

class StreamRewriter {
 public:
  // Source numbers behind the newest whose places are known; a later packet is refused.
  static constexpr int64_t kWindow = 1'024;

  // RFC 3550 5.1: random starts. The sequence starts in the lower half of the circle, so that no packet that is
  // reordered around the first one wraps below the rollover counter of zero. `first_sequence`, when it is not 0: the
  // SSRC has sent before, and no SRTP index may be used twice.
  StreamRewriter(uint32_t clock_rate, int64_t first_sequence, Rng& rng);

  // The next packet given to rewrite() is the first of a new source. Timestamps go on by the time that passes until
  // then; with `timestamp_offset`, exactly: added to a timestamp of the new source it gives that of the old one at the
  // same instant (known of two layers of one source when both have sent sender reports).
  void restart(std::optional<int64_t> timestamp_offset = {});
  bool is_attached() const { return attached_; }

  // A packet that is forwarded. Nothing when it is from before the switch point, was forwarded already, is too old, or
  // when its place was closed.
  std::optional<Rewritten> rewrite(Instant now, int64_t sequence, uint32_t timestamp);

  // A packet that is left out, and with it all numbers from `from` on that have not been seen, for they are known to be
  // of the same frame. Its place is closed. When that cannot be done any more, because the subscriber was left a gap
  // for it, gives the number of the gap: an empty packet there ends the subscriber's asking (with nothing sent it asks
  // in vain, as for any packet that is lost for good).
  std::optional<Rewritten> drop(int64_t from, int64_t sequence, uint32_t timestamp);

 private:
  using Bits = std::array<uint64_t, kWindow / 64>;
  static bool get(const Bits& bits, int64_t at) { return (bits[word(at)] >> (at & 63) & 1) != 0; }
  static void set(Bits& bits, int64_t at) { bits[word(at)] |= uint64_t{1} << (at & 63); }
  static size_t word(int64_t at) { return static_cast<size_t>(at & (kWindow - 1)) / 64; }
  void attach(Instant now, int64_t sequence, uint32_t timestamp);
  uint32_t first_timestamp(Instant now, uint32_t timestamp) const;
  void move_to(int64_t sequence);
  int64_t number_of(int64_t sequence) const;
  bool is_open(int64_t sequence) const;

  // given
  uint32_t clock_rate_;
  // state
  bool started_ = false;
  bool attached_ = false;
  int64_t next_sequence_;    // one after the highest that was sent
  int64_t next_number_ = 0;  // of the source's number newest_ + 1
  int64_t first_ = 0;        // source's number at the switch point
  int64_t newest_ = 0;       // highest number seen of the source, forwarded or not
  int64_t newest_sent_ = 0;  // highest that was forwarded
  Bits dropped_{}, sent_{};  // of the numbers newest_ - kWindow + 1 to newest_
  uint32_t last_timestamp_;  // of the newest packet sent
  Instant last_sent_at_{};   // when that was
  uint32_t timestamp_offset_ = 0;
  std::optional<int64_t> exact_offset_;
};

}  // namespace atm::forward
