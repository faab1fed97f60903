#include "media/forward/rewriter.h"

#include <algorithm>

#include "base/sequence.h"

namespace atm0s::forward {
namespace {
// After a switch the first timestamp is at least one tick of 10 ms later, so that a decoder never sees two frames with
// one timestamp when the switch is faster than a frame.
constexpr uint32_t kLeastStepPerSecond = 100;
}  // namespace

Rewriter::Rewriter(uint32_t clock_rate, int64_t first_sequence, Rng& rng)
    : clock_rate_(clock_rate), next_sequence_(0x1000 + rng.below(0x7000)), last_timestamp_(rng.u32()) {
  if (first_sequence != 0) next_sequence_ = first_sequence;
}

std::optional<Rewritten> Rewriter::rewrite(Instant now, int64_t source_sequence, uint32_t source_timestamp) {
  if (!attached_) {
    attached_ = true;
    first_source_sequence_ = source_sequence;
    sequence_offset_ = next_sequence_ - source_sequence;
    uint32_t timestamp = last_timestamp_;
    if (started_) {
      const int64_t elapsed = to_us(now - last_sent_at_) * clock_rate_ / 1'000'000;
      timestamp += static_cast<uint32_t>(std::max<int64_t>(elapsed, clock_rate_ / kLeastStepPerSecond));
    }
    timestamp_offset_ = timestamp - source_timestamp;
    started_ = true;
    last_timestamp_ = timestamp;
    last_sent_at_ = now;
  }
  if (source_sequence < first_source_sequence_) return std::nullopt;
  const Rewritten out{source_sequence + sequence_offset_, source_timestamp + timestamp_offset_};
  if (out.sequence >= next_sequence_) {
    next_sequence_ = out.sequence + 1;
    if (is_newer(out.timestamp, last_timestamp_)) {
      last_timestamp_ = out.timestamp;
      last_sent_at_ = now;
    }
  }
  return out;
}

}  // namespace atm0s::forward
