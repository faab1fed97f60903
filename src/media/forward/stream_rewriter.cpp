#include "media/forward/stream_rewriter.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/sequence.h"

namespace atm::forward {
namespace {
// After a switch the first timestamp is at least one tick of 10 ms later, so that a decoder never sees two frames with
// one timestamp when the switch is faster than a frame.
constexpr uint32_t kLeastStepPerSecond = 100;
// An exact offset that is further than half a second from what the clock says is not believed: reports of publishers
// are what they claim.
constexpr int64_t kBelievedPerSecond = 2;
}  // namespace

StreamRewriter::StreamRewriter(uint32_t clock_rate, int64_t first_sequence, Rng& rng)
    : clock_rate_(clock_rate), next_sequence_(0x1000 + rng.below(0x7000)), last_timestamp_(rng.u32()) {
  if (first_sequence != 0) next_sequence_ = first_sequence;
}

void StreamRewriter::restart(std::optional<int64_t> timestamp_offset) {
  attached_ = false;
  exact_offset_ = timestamp_offset;
}

uint32_t StreamRewriter::first_timestamp(Instant now, uint32_t timestamp) const {
  if (!started_) return last_timestamp_;
  const int64_t least = clock_rate_ / kLeastStepPerSecond;
  int64_t step = to_us(now - last_sent_at_) * clock_rate_ / 1'000'000;
  if (exact_offset_) {
    const uint32_t exact = timestamp + static_cast<uint32_t>(*exact_offset_) + timestamp_offset_;
    const int64_t exact_step = static_cast<int32_t>(exact - last_timestamp_);
    if (std::abs(exact_step - step) <= clock_rate_ / kBelievedPerSecond) step = exact_step;
  }
  return last_timestamp_ + static_cast<uint32_t>(std::max(step, least));
}

void StreamRewriter::attach(Instant now, int64_t sequence, uint32_t timestamp) {
  const uint32_t first = first_timestamp(now, timestamp);
  exact_offset_.reset();
  timestamp_offset_ = first - timestamp;
  attached_ = started_ = true;
  last_timestamp_ = first;
  last_sent_at_ = now;
  next_number_ = next_sequence_;
  first_ = sequence;
  newest_ = newest_sent_ = sequence - 1;
  dropped_ = sent_ = {};
}

// Numbers up to `sequence` are behind now; those that were not seen keep their places.
void StreamRewriter::move_to(int64_t sequence) {
  if (sequence - newest_ >= kWindow) {
    dropped_ = sent_ = {};
  } else {
    for (int64_t at = newest_ + 1; at <= sequence; ++at) {
      const uint64_t mask = ~(uint64_t{1} << (at & 63));
      dropped_[word(at)] &= mask;
      sent_[word(at)] &= mask;
    }
  }
  next_number_ += sequence - newest_;
  newest_ = sequence;
}

// Of a number in the window that was not dropped: those behind it that have places are counted back.
int64_t StreamRewriter::number_of(int64_t sequence) const {
  int64_t places = newest_ - sequence + 1;
  for (int64_t at = sequence; at <= newest_;) {
    const int64_t end = std::min((at | 63) + 1, newest_ + 1);
    uint64_t bits = dropped_[word(at)] >> (at & 63);
    if (end - at < 64) bits &= (uint64_t{1} << (end - at)) - 1;
    places -= std::popcount(bits);
    at = end;
  }
  return next_number_ - places;
}

bool StreamRewriter::is_open(int64_t sequence) const {
  return sequence >= first_ && sequence > newest_ - kWindow && !get(dropped_, sequence) && !get(sent_, sequence);
}

std::optional<Rewritten> StreamRewriter::rewrite(Instant now, int64_t sequence, uint32_t timestamp) {
  if (!attached_) attach(now, sequence, timestamp);
  if (sequence > newest_) {
    move_to(sequence);
  } else if (!is_open(sequence)) {
    return std::nullopt;
  }
  set(sent_, sequence);
  newest_sent_ = std::max(newest_sent_, sequence);
  const Rewritten out{number_of(sequence), timestamp + timestamp_offset_};
  if (out.sequence >= next_sequence_) {
    next_sequence_ = out.sequence + 1;
    if (is_newer(out.timestamp, last_timestamp_)) {
      last_timestamp_ = out.timestamp;
      last_sent_at_ = now;
    }
  }
  return out;
}

std::optional<Rewritten> StreamRewriter::drop(int64_t from, int64_t sequence, uint32_t timestamp) {
  if (!attached_ || sequence < first_) return std::nullopt;
  if (sequence > newest_) move_to(sequence);
  for (int64_t at = std::max({std::min(from, sequence), newest_sent_ + 1, newest_ - kWindow + 1}); at <= sequence;
       ++at) {
    if (!is_open(at)) continue;
    set(dropped_, at);
    --next_number_;
  }
  if (sequence > newest_sent_ || !is_open(sequence)) return std::nullopt;
  set(sent_, sequence);
  return Rewritten{number_of(sequence), timestamp + timestamp_offset_};
}

}  // namespace atm::forward
