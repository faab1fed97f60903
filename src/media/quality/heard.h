// What came of an audio stream from its publisher, counted from the packets that are passed on: so it is known on every
// worker that has viewers, and of both ways what copies (RED) have repaired. media/sender has one for each source,
// media/receiver takes differences of its totals.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace atm::quality {

class Heard {
 public:
  // Totals; they only grow.
  struct Totals {
    uint64_t expected = 0, received = 0;
    uint64_t gaps = 0;  // runs of frames that were not there when a later one came
    uint64_t bytes = 0;
    uint64_t with_fec = 0;  // frames with a copy of the one before
    Totals operator-(const Totals& earlier) const {
      return {expected - earlier.expected, received - earlier.received, gaps - earlier.gaps, bytes - earlier.bytes,
              with_fec - earlier.with_fec};
    }
    // 0 to 1. Late frames may make up for others of before.
    double loss() const {
      return expected == 0 || received >= expected ? 0.0 : 1.0 - static_cast<double>(received) / expected;
    }
  };

  // One that comes after others under another SSRC or epoch goes on where they were. Nobody can tell an outage from a
  // number that jumps for another reason: more than this at once is none.
  static constexpr int64_t kLongestGap = 500;

  void on_frame(Instant now, uint32_t ssrc, uint64_t epoch, int64_t sequence, size_t bytes, bool has_fec) {
    if (!has_begun_ || ssrc != ssrc_ || epoch != epoch_) {
      ssrc_ = ssrc;
      epoch_ = epoch;
      highest_ = sequence - 1;
      has_begun_ = true;
    }
    if (sequence > highest_) {
      const int64_t ahead = sequence - highest_ > kLongestGap ? 1 : sequence - highest_;
      totals_.expected += static_cast<uint64_t>(ahead);
      totals_.gaps += ahead > 1;
      highest_ = sequence;
    }
    ++totals_.received;
    totals_.bytes += bytes;
    totals_.with_fec += has_fec;
    newest_ = std::max(newest_, now);
  }
  // Nobody listens for a while: what comes then is not passed on, and no loss.
  void pause() { has_begun_ = false; }

  const Totals& totals() const { return totals_; }
  Instant newest() const { return newest_; }

 private:
  bool has_begun_ = false;
  uint32_t ssrc_ = 0;
  uint64_t epoch_ = 0;
  int64_t highest_ = 0;
  Instant newest_{};
  Totals totals_;
};

}  // namespace atm::quality
