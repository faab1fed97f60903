// Packets of Opus that wait, in the order of their timestamps, each timestamp once. For AudioPlayout. A packet is
// moved, never copied; no allocation after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace atm::playout {

inline constexpr size_t kMaxAudioPackets = 512;  // that wait: kMaxDelay of 10 ms, with room

// What payload::parse_opus_toc() and the header extension of the audio level (RFC 6464) tell of it is filled in by the
// caller.
struct AudioPacket {
  uint16_t sequence = 0;       // of a copy in RED: as if it had come on its own (RFC 2198)
  uint32_t rtp_timestamp = 0;  // 48 kHz (RFC 7587 4.1)
  Instant arrival{};           // now, when it is pushed
  uint32_t samples = 0;        // 120 (2.5 ms) to 5,760 (120 ms); others are refused
  bool is_dtx = false;         // the sender has nothing to say (RFC 6716 3.2.1): what is missing behind it is silence
  bool is_quiet = false;       // nobody speaks in it: leaving it out is not heard
  bool has_fec = false;        // it has a copy of the frame before (RFC 6716 4.2.4)
  Bytes payload{};
};

class AudioQueue {
 public:
  struct Entry {
    int64_t timestamp = 0;  // unwrapped
    int64_t sequence = 0;   // unwrapped
    AudioPacket packet;
    int64_t end() const { return timestamp + packet.samples; }
  };

  AudioQueue() { entries_.reserve(kMaxAudioPackets); }

  // False when that timestamp is there already. There has to be room.
  bool insert(Entry entry) {
    auto at = entries_.end();
    while (at != entries_.begin() && (at - 1)->timestamp >= entry.timestamp) --at;
    if (at != entries_.end() && at->timestamp == entry.timestamp) return false;
    entries_.insert(at, std::move(entry));
    return true;
  }
  Entry take_front() {
    Entry entry = std::move(entries_.front());
    entries_.erase(entries_.begin());
    return entry;
  }
  void drop_front() { entries_.erase(entries_.begin()); }
  void clear() { entries_.clear(); }

  bool is_empty() const { return entries_.empty(); }
  bool is_full() const { return entries_.size() == kMaxAudioPackets; }
  size_t size() const { return entries_.size(); }
  const Entry& front() const { return entries_.front(); }
  // In samples, from the beginning of the first to the end of the last.
  int64_t span() const { return is_empty() ? 0 : entries_.back().end() - entries_.front().timestamp; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace atm::playout
