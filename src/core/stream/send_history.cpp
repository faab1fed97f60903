#include "core/stream/send_history.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"

namespace atm::stream {

SendHistory::SendHistory(size_t packets_max) : packets_max_(packets_max) {
  ASSERT(packets_max == 0 || std::has_single_bit(packets_max));
}

void SendHistory::drop(Entry& entry) {
  entry.sequence = -1;
  entry.packet.payload = PacketRef();
  --count_;
}

void SendHistory::drop_old(Instant now) {
  if (!unwrapper_.started()) return;
  const int64_t newest = unwrapper_.newest();
  for (; oldest_ <= newest; ++oldest_) {
    Entry& entry = slot(oldest_);
    if (entry.sequence != oldest_) continue;
    if (now - entry.sent_at <= kMaxAge) return;
    drop(entry);
  }
}

void SendHistory::add(Instant now, const SentPacket& packet) {
  if (packets_max_ == 0) return;
  if (ring_.empty()) ring_.resize(std::min(kFirstSize, packets_max_));
  const bool first = !unwrapper_.started();
  const int64_t newest_before = unwrapper_.newest();
  const int64_t sequence = unwrapper_.unwrap(packet.sequence);
  if (first) oldest_ = sequence;
  drop_old(now);

  // Grow while a packet that is still young would be overwritten. A jump of the numbers (a new source) overwrites
  // nothing that lies in between, but pushes old entries out of reach.
  const bool is_jump = sequence - newest_before >= static_cast<int64_t>(ring_.size());
  while (!is_jump && ring_.size() < packets_max_ && count_ > 0 &&
         sequence - oldest_ >= static_cast<int64_t>(ring_.size())) {
    grow();
  }
  const int64_t reach = sequence - static_cast<int64_t>(ring_.size());
  if (sequence > newest_before && oldest_ <= reach) {
    const int64_t last = std::min(reach, newest_before);
    for (int64_t old = oldest_; old <= last; ++old) {
      if (Entry& entry = slot(old); entry.sequence == old) drop(entry);
    }
    oldest_ = reach + 1;
  }
  // A late packet that fills a hole before everything kept: too old to be kept itself.
  if (sequence <= unwrapper_.newest() - static_cast<int64_t>(ring_.size())) return;
  oldest_ = std::min(oldest_, sequence);

  Entry& entry = slot(sequence);
  if (entry.sequence == -1) ++count_;
  entry.sequence = sequence;
  entry.sent_at = now;
  entry.resent_at = now;
  entry.resends = 0;
  entry.packet = packet;
}

void SendHistory::grow() {
  std::vector<Entry> old = std::move(ring_);
  ring_ = std::vector<Entry>(old.size() * 2);
  for (Entry& entry : old) {
    if (entry.sequence != -1) slot(entry.sequence) = std::move(entry);
  }
}

SendHistory::Entry* SendHistory::find(Instant now, uint16_t sequence) {
  if (!unwrapper_.started() || ring_.empty()) return nullptr;
  const int64_t unwrapped = unwrapper_.peek(sequence);
  if (unwrapped < 0) return nullptr;
  Entry& entry = slot(unwrapped);
  if (entry.sequence != unwrapped || now - entry.sent_at > kMaxAge) return nullptr;
  return &entry;
}

}  // namespace atm::stream
