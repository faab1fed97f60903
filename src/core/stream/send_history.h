// The last packets sent on one SSRC, found by sequence number to answer NACKs. For SendStream.
// Bounded by count (a ring that grows with the packet rate up to its limit) and by age, so that a silent stream gives
// its payloads back to the pool. No allocation once the ring has grown to the stream's rate.
#pragma once

#include <cstdint>
#include <vector>

#include "base/sequence.h"
#include "base/time.h"
#include "core/stream/sent_packet.h"

namespace atm::stream {

class SendHistory {
 public:
  struct Entry {
    int64_t sequence = -1;  // unwrapped; -1: empty
    Instant sent_at{};
    Instant resent_at{};
    uint8_t resends = 0;
    SentPacket packet;
  };

  // A viewer's jitter buffer waits no longer; a NACK for an older packet is answered with nothing.
  static constexpr Duration kMaxAge = 1'500ms;
  static constexpr size_t kFirstSize = 64;

  // `packets_max`: a power of two; 0 keeps nothing.
  explicit SendHistory(size_t packets_max);

  void add(Instant now, const SentPacket& packet);
  // None when it was never sent, is too old or has been overwritten.
  Entry* find(Instant now, uint16_t sequence);
  // Gives the payloads of packets older than kMaxAge back.
  void drop_old(Instant now);
  size_t size() const { return count_; }

 private:
  Entry& slot(int64_t sequence) { return ring_[static_cast<size_t>(sequence) & (ring_.size() - 1)]; }
  void drop(Entry& entry);
  void grow();

  // given
  size_t packets_max_;
  // owned
  std::vector<Entry> ring_;
  // state
  SequenceUnwrapper unwrapper_;
  int64_t oldest_ = 0;  // nothing before it is kept
  size_t count_ = 0;
};

}  // namespace atm::stream
