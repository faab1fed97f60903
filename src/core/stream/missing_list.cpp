#include "core/stream/missing_list.h"

#include <algorithm>
#include <utility>

namespace atm::stream {

void MissingList::on_gap(Instant now, int64_t first, int64_t last) {
  const size_t count = static_cast<size_t>(last - first + 1);
  if (missing_.size() + count > kMaxMissing) {
    given_up_ += missing_.size() + count;
    clear();
    key_frame_wanted_ = true;
    return;
  }
  const Instant ask_at = now + kReorderWait;
  if (missing_.empty() || ask_at < next_) next_ = ask_at;
  for (int64_t sequence = first; sequence <= last; ++sequence) missing_.push_back({sequence, now, ask_at, 0});
}

bool MissingList::on_arrived(int64_t sequence) {
  const auto found = std::ranges::lower_bound(missing_, sequence, {}, &Missing::sequence);
  if (found == missing_.end() || found->sequence != sequence) return false;
  missing_.erase(found);
  return true;
}

void MissingList::clear() {
  missing_.clear();
  next_ = kNever;
}

void MissingList::collect(Instant now, std::vector<uint16_t>& out) {
  if (missing_.empty() || now < next_) return;
  next_ = kNever;
  const size_t given_up = std::erase_if(missing_, [&](const Missing& entry) {
    return now - entry.noticed >= kMaxAge || (entry.tries >= kMaxTries && now >= entry.ask_at);
  });
  given_up_ += given_up;
  key_frame_wanted_ |= given_up > 0;
  for (Missing& entry : missing_) {
    if (entry.ask_at <= now) {
      out.push_back(static_cast<uint16_t>(entry.sequence));
      ++entry.tries;
      entry.ask_at = now + retry_interval(entry.tries);
    }
    next_ = std::min({next_, entry.ask_at, entry.noticed + kMaxAge});
  }
}

// A round trip and a quarter, so that an answer on its way is not asked for again; a little longer each time, because
// what was lost repeatedly is lost to a full queue.
Duration MissingList::retry_interval(int tries) const {
  const Duration once = rtt_ + rtt_ / 4;
  return std::clamp(once + once * (tries - 1) / 4, kMinRetry, kMaxRetry);
}

bool MissingList::take_key_frame_wanted() {
  return std::exchange(key_frame_wanted_, false);
}

}  // namespace atm::stream
