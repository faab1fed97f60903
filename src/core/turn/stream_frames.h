// STUN messages and ChannelData out of the bytes of a TCP or TLS connection to a TURN server (RFC 8656 3.7, 12.5): each
// says its own length, and ChannelData is padded to four bytes. One for each connection: bytes in, in any cut, whole
// frames out. It promises to hold no more than one frame, and to give nothing after what is no frame of a TURN server.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace atm::turn {

// Bytes of a frame: a datagram of the usual 1,500 in a Data indication, and an answer with a realm and a nonce of the
// greatest lengths; far below what the length could say.
inline constexpr size_t kMaxStreamFrame = 4'096;
inline constexpr size_t kChannelHeaderSize = 4;  // RFC 8656 12.4

// RFC 8656 12: the first byte of ChannelData, of the channels 0x4000 to 0x4FFF.
inline bool is_channel_data(ByteView frame) {
  return frame.size() >= kChannelHeaderSize && frame[0] >= 0x40 && frame[0] <= 0x4f;
}

class StreamFrames {
 public:
  // Appends the frames that `bytes` completes: views into `bytes` and into this, good until the next call. Without
  // padding. False when a frame is too long or none, now or before; those in front of it are given all the same.
  bool read(MutByteView bytes, std::vector<MutByteView>& frames);
  size_t held_bytes() const { return held_.size(); }

 private:
  bool fill(size_t size, MutByteView& bytes);

  Bytes held_;   // the beginning of a frame
  Bytes whole_;  // the frame that was held and has been given out
  bool is_broken_ = false;
};

}  // namespace atm::turn
