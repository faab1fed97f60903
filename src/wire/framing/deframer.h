// Datagrams over a TCP connection: each with its length in two bytes before it (RFC 4571 2, as RFC 6544 3 has ICE use
// it). For io/tcp, one deframer for each connection: bytes in, in any cut, whole frames out.
// It promises to hold no more than one frame, to copy only what a cut has parted, and to give nothing after a length
// that no peer of ours needs: then the bytes that follow mean nothing, and the connection has to be closed.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"

namespace atm::framing {

inline constexpr size_t kHeaderSize = 2;
// Bytes of one frame: above what clients send at once (RTP up to kMaxDatagramSize, DTLS and SCTP for an MTU of 1,500).
inline constexpr size_t kMaxFrame = 2'048;

class Deframer {
 public:
  // Appends the frames that `bytes` completes to `frames`: views into `bytes` and into this, good until the next call.
  // False when a length is above kMaxFrame, now or before; the frames in front of it are given all the same.
  bool read(MutByteView bytes, std::vector<MutByteView>& frames);
  // RFC 4571 2: a length of 0 is lawful, a "null packet", and says nothing. So many were passed over.
  size_t null_frames() const { return null_frames_; }
  // Of a frame that has begun.
  size_t held_bytes() const { return held_.size(); }

 private:
  // From `bytes`, until held_ has `size`. True when it has.
  bool fill(size_t size, MutByteView& bytes);

  Bytes held_;   // the beginning of a frame, its header first
  Bytes whole_;  // the frame that was held and has been given out
  size_t null_frames_ = 0;
  bool is_broken_ = false;
};

}  // namespace atm::framing
