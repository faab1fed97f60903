// Makes RED (RFC 2198) for viewers of an audio source: a frame with copies of those before it, as many as the way to
// the viewer needs, under the payload type that Opus has there. What was lost on the way here and what is lost on the
// way there so do not add up. Source owns one; media/receiver asks. A packet that was made is kept for the next viewer
// that needs the same, so that fifty viewers cost one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/peer/media_packet.h"

namespace atm::sender {

class RedWriter {
 public:
  // Copies in a packet: with three, four packets in a row have to be lost for a hole.
  static constexpr size_t kMaxCopies = 3;
  // Bytes of a payload; copies that would make it longer are left out. Speech has about 80 bytes a frame.
  static constexpr size_t kMaxPayload = 1'000;

  // Each frame once, as plain Opus, before it is asked for.
  void add(const peer::MediaPacket& frame) { frames_[next_++ % kFrames] = frame; }
  // Gives the payloads back to the pool.
  void clear() { *this = {}; }

  // `frame` with up to `copies` earlier ones; an empty ref when the pool cannot hold it.
  PacketRef make(const peer::MediaPacket& frame, size_t copies, uint8_t opus_payload_type, PacketPool& pool);

 private:
  static constexpr size_t kFrames = 8;  // those before it stand a little apart when some came out of order
  static constexpr size_t kMade = 4;

  // The last one of the same numbering before `sequence`. Not the one numbered just before it: around a hole, frames
  // need their copies most.
  const peer::MediaPacket* find_before(const peer::MediaPacket& frame, int64_t sequence) const;

  std::array<peer::MediaPacket, kFrames> frames_{};
  size_t next_ = 0;
  struct Made {
    uint32_t ssrc = 0;
    uint64_t epoch = 0;
    int64_t sequence = -1;
    size_t copies = 0;
    uint8_t payload_type = 0;
    PacketRef payload;
  };
  std::array<Made, kMade> made_{};
  size_t next_made_ = 0;
};

}  // namespace atm::sender
