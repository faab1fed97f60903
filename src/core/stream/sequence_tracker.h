// Where an arriving sequence number stands in its stream: new, filling a hole, a duplicate, or from a sender that began
// anew under the same SSRC (RFC 3550 A.1). For ReceiveStream. Remembers the last kWindow numbers; older ones are
// refused. Unwrapped numbers keep the 16 bits of the wire in their lower bits and only grow, over a restart too.
#pragma once

#include <bitset>
#include <cstdint>

#include "base/sequence.h"

namespace atm::stream {

class SequenceTracker {
 public:
  enum class Verdict : uint8_t {
    kNewest,     // after everything seen
    kFill,       // older, not seen before
    kDuplicate,  // seen before
    kOutside,    // too old, or a jump not yet believed
    kRestart,    // the second packet in a row after such a jump: the stream goes on from here
  };
  struct Place {
    Verdict verdict = Verdict::kOutside;
    int64_t sequence = 0;         // unwrapped; means nothing for kOutside
    int64_t previous_newest = 0;  // kNewest: the newest before this one (sequence - 1 when nothing is missing)
  };

  // A packet from the media SSRC.
  Place on_packet(uint16_t raw);
  // One that was brought back by RTX: authentic, but it may be old and must not make a jump believed.
  Place on_recovered(uint16_t raw);

  bool started() const { return started_; }
  int64_t newest() const { return newest_; }

 private:
  // RFC 3550 A.1 suggests 3,000: about a minute of 50 packets a second, three seconds of a large video.
  static constexpr int64_t kMaxDropout = 3'000;
  // RFC 3550 A.1 suggests 100. A number further behind that was seen already can be a restart that landed there.
  static constexpr int64_t kMaxMisorder = 100;
  // How far back a hole is still filled: RTX comes up to 2 s late, at 1,000 packets a second. A power of two.
  static constexpr int64_t kWindow = 4'096;

  Place first(uint16_t raw);
  Place jump(uint16_t raw);
  int64_t unwrap(uint16_t raw) const { return newest_ + static_cast<int16_t>(static_cast<uint16_t>(raw - newest_)); }
  void advance(int64_t sequence);
  bool seen(int64_t sequence) const { return seen_[static_cast<size_t>(sequence % kWindow)]; }
  void mark(int64_t sequence) { seen_[static_cast<size_t>(sequence % kWindow)] = true; }

  bool started_ = false;
  int64_t newest_ = 0;
  bool has_suspect_ = false;  // RFC 3550 A.1 bad_seq: the number that would prove a restart
  uint16_t suspect_ = 0;
  std::bitset<kWindow> seen_;
};

}  // namespace atm::stream
