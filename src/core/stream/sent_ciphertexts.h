// The last packets of one SSRC exactly as they went out, protected, to answer NACKs where there is no RTX: one SRTP
// index may be sent again only with the very same bytes (RFC 7714 9.1, architecture: same ciphertext or nothing). For
// SendStream, which makes it for a stream without RTX only. Bounded by count and by age; a slot's memory is used
// again, so nothing is allocated once every slot has held a packet of the stream's size.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace atm::stream {

class SentCiphertexts {
 public:
  // A power of two. 5 s of audio, 1 s of a 2.5 Mbit/s video; at most 384 kB with datagrams of 1,500 bytes.
  static constexpr size_t kCiphertextPackets = 256;
  // A viewer's jitter buffer waits no longer, as with SendHistory.
  static constexpr Duration kMaxAge = 1'500ms;

  struct Entry {
    bool is_set = false;
    uint16_t sequence = 0;
    Instant sent_at{};
    Instant resent_at{};
    uint8_t resends = 0;
    Bytes bytes;
  };

  SentCiphertexts() : ring_(kCiphertextPackets) {}

  void add(Instant now, uint16_t sequence, ByteView bytes) {
    Entry& entry = ring_[sequence % kCiphertextPackets];
    entry.is_set = true;
    entry.sequence = sequence;
    entry.sent_at = entry.resent_at = now;
    entry.resends = 0;
    entry.bytes.assign(bytes.begin(), bytes.end());
  }
  // None when it was never sent, is too old or has been overwritten.
  Entry* find(Instant now, uint16_t sequence) {
    Entry& entry = ring_[sequence % kCiphertextPackets];
    const bool is_it = entry.is_set && entry.sequence == sequence && now - entry.sent_at <= kMaxAge;
    return is_it ? &entry : nullptr;
  }

 private:
  std::vector<Entry> ring_;
};

}  // namespace atm::stream
