#include "core/stream/sequence_tracker.h"

namespace atm::stream {

SequenceTracker::Place SequenceTracker::on_packet(uint16_t raw) {
  if (!started_) return first(raw);
  const int64_t sequence = unwrap(raw);
  const int64_t ahead = sequence - newest_;
  if (ahead > kMaxDropout || ahead <= -kWindow) return jump(raw);
  if (ahead > 0) {
    const int64_t previous = newest_;
    advance(sequence);
    has_suspect_ = false;
    return {Verdict::kNewest, sequence, previous};
  }
  if (seen(sequence)) return ahead < -kMaxMisorder ? jump(raw) : Place{Verdict::kDuplicate, sequence, newest_};
  mark(sequence);
  return {Verdict::kFill, sequence, newest_};
}

SequenceTracker::Place SequenceTracker::on_recovered(uint16_t raw) {
  if (!started_) return first(raw);
  const int64_t sequence = unwrap(raw);
  const int64_t ahead = sequence - newest_;
  if (ahead > kMaxDropout || ahead <= -kWindow) return {};
  if (ahead > 0) {
    const int64_t previous = newest_;
    advance(sequence);
    return {Verdict::kNewest, sequence, previous};
  }
  if (seen(sequence)) return {Verdict::kDuplicate, sequence, newest_};
  mark(sequence);
  return {Verdict::kFill, sequence, newest_};
}

SequenceTracker::Place SequenceTracker::first(uint16_t raw) {
  started_ = true;
  // One circle up, so that packets from before the first one do not become negative.
  newest_ = 0x10000 + raw;
  mark(newest_);
  return {Verdict::kNewest, newest_, newest_ - 1};
}

// RFC 3550 A.1: a large jump is believed when the next packet follows it. Late duplicates come here too; two of them
// in a row would be taken for a restart, which costs a key frame and no more.
SequenceTracker::Place SequenceTracker::jump(uint16_t raw) {
  if (!has_suspect_ || raw != suspect_) {
    has_suspect_ = true;
    suspect_ = static_cast<uint16_t>(raw + 1);
    return {};
  }
  has_suspect_ = false;
  const int64_t previous = newest_;
  seen_.reset();
  // Into the next circle: the lower bits stay those of the wire and the number grows.
  newest_ = (newest_ & ~int64_t{0xFFFF}) + 0x10000 + raw;
  mark(newest_);
  return {Verdict::kRestart, newest_, previous};
}

void SequenceTracker::advance(int64_t sequence) {
  if (sequence - newest_ >= kWindow) {
    seen_.reset();
  } else {
    for (int64_t skipped = newest_ + 1; skipped < sequence; ++skipped) {
      seen_[static_cast<size_t>(skipped % kWindow)] = false;
    }
  }
  newest_ = sequence;
  mark(sequence);
}

}  // namespace atm::stream
