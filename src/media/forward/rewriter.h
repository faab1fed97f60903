// Makes packets of changing sources look like one continuous RTP stream to one subscriber: sequence numbers and
// timestamps go on across a switch, a lost packet of the source stays a gap (so the subscriber asks for it and gets it
// when it was recovered), and what came before the switch point is refused. media/receiver owns one per receiver.
#pragma once

#include <cstdint>
#include <optional>

#include "base/rng.h"
#include "base/time.h"

namespace atm0s::forward {

struct Rewritten {
  int64_t sequence = 0;  // unwrapped
  uint32_t timestamp = 0;
};

class Rewriter {
 public:
  // RFC 3550 5.1: random starts. The sequence starts in the lower half of the circle, so that no packet that is
  // reordered around the first one wraps below the rollover counter of zero. `first_sequence`, when it is not 0: the
  // SSRC has sent before, and no SRTP index may be used twice.
  Rewriter(uint32_t clock_rate, int64_t first_sequence, Rng& rng);

  // The next packet given to rewrite() is the first of a new source.
  void restart() { attached_ = false; }
  bool is_attached() const { return attached_; }

  // Nothing when the packet is from before the switch point.
  std::optional<Rewritten> rewrite(Instant now, int64_t source_sequence, uint32_t source_timestamp);

 private:
  uint32_t clock_rate_;
  bool started_ = false;
  bool attached_ = false;
  int64_t next_sequence_;    // one after the highest that was sent
  uint32_t last_timestamp_;  // of the newest packet sent
  Instant last_sent_at_{};   // when that was
  int64_t first_source_sequence_ = 0;
  int64_t sequence_offset_ = 0;
  uint32_t timestamp_offset_ = 0;
};

}  // namespace atm0s::forward
