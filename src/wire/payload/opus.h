// The first bytes of an Opus packet (RFC 6716 3.1): how long it is, whether its sender had nothing to say, and whether
// it repeats the frame before. For media/sender and statistics. The frames behind are nobody's business here.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::payload {

struct OpusToc {
  uint8_t configuration = 0;  // mode, bandwidth and frame size
  bool is_stereo = false;
  uint8_t frames = 0;           // in this packet, 1 to 48
  uint32_t frame_duration = 0;  // in samples of 48 kHz: 120 (2.5 ms) to 2,880 (60 ms)
  bool is_dtx = false;          // RFC 6716 3.2.1: a frame of no bytes: nothing was sent but a sign of life

  // It has a copy of the frame before, of fewer bits (in-band FEC; RFC 6716 4.2.4). Told of packets with one frame.
  bool has_fec = false;

  uint32_t duration() const { return frames * frame_duration; }  // at most 5,760: RFC 6716 3.2.5, 120 ms
};

// RFC 6716 table 2, of a configuration number: samples of 48 kHz.
uint32_t opus_frame_duration(uint8_t configuration);

// Nothing when it is empty, its count is cut off, or it would be longer than 120 ms.
std::optional<OpusToc> parse_opus_toc(ByteView payload);

}  // namespace atm::payload
