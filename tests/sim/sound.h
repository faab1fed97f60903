// What simulated publishers say and viewers hear: audio frames with a counter, alone or in RED (RFC 2198) with copies
// of those before. Viewer side: which frames were there to be played, by their own packet, a copy, or in-band FEC.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>

#include "base/bytes.h"

namespace atm::sim {

// One publisher's microphone.
class SoundSource {
 public:
  static constexpr uint32_t kFrameSamples = 960;  // 20 ms
  // The next frame; looks like Opus (TOC of one 20 ms frame). With `has_inband_fec` it carries the one before it.
  Bytes next_frame(uint32_t publisher, size_t size, bool has_inband_fec);
  // The newest frame as RED, with up to `copies` earlier ones.
  Bytes red(uint8_t opus_payload_type, size_t copies) const;
  uint32_t sent() const { return counter_; }

 private:
  static constexpr size_t kKept = 4;
  std::deque<Bytes> frames_;
  uint32_t counter_ = 0;
};

// Whose frame it is and which; in RED, the newest of them.
struct SoundTag {
  uint32_t publisher = 0;
  uint32_t counter = 0;
  bool has_inband_fec = false;
};
std::optional<SoundTag> read_sound(ByteView payload, bool is_red);

class Listener {
 public:
  void on_packet(ByteView payload, bool is_red);

  uint64_t packets() const { return packets_; }
  uint64_t red_packets() const { return red_packets_; }
  uint64_t unread() const { return unread_; }
  uint64_t frames_heard() const { return heard_.size(); }
  // Runs of more than 60 ms without a frame, between the first and the last that was heard.
  uint64_t gaps_over_60_ms() const;

 private:
  void on_frame(ByteView frame);

  std::set<uint32_t> heard_;
  uint64_t packets_ = 0, red_packets_ = 0, unread_ = 0;
};

}  // namespace atm::sim
