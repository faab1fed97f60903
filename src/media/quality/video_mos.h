// How good a video looks, from what a server knows without decoding: in the manner of ITU-T P.1203.1 mode 0 (bitrate,
// resolution, frame rate and codec give three degradations: coding, upscaling, motion) and of P.1203.3 (freezes). Once
// a second for each video receiver (gate.h says when to tell). Promises: the same inputs give the same result; it never
// gets better with fewer bits, when it is shown larger, or with more freezing. (A smaller picture, or fewer frames, of
// the same bits may be better.) What is simplified:
// - The curves are this project's own, by points, not the Recommendation's coefficients: those are of streaming with
// long
//   buffers and H.264 only. So it is a scale for comparing, not a P.1203 score.
// - Bits for each pixel stand for the quantizer; what the picture shows is not known.
// - Other codecs than H264 count as more bits of H264.
// - One window is judged; nothing is remembered of the minutes before.
#pragma once

#include <cstdint>

#include "base/codec.h"
#include "base/time.h"

namespace atm::quality {

struct VideoInput {
  Codec codec = Codec::kVp8;
  uint32_t bitrate_bps = 0;        // of the layer that is forwarded
  uint32_t width = 0, height = 0;  // of that layer; 0: not known, and then only frame rate and freezes count
  uint32_t shown_pixels = 0;       // of the picture as the publisher has it at best; 0: not known
  double frame_rate = 0;           // of the layer; 0: nothing was shown
  bool is_screen = false;          // few frames are no fault
  // In the window that is judged: for how long the picture stood still for want of packets, and how often it did.
  Duration window = 1s, frozen{};
  uint32_t freezes = 0;
};

// In thousandths: 1,000 to 5,000.
uint32_t video_mos(const VideoInput& input);

// Its parts: how much each one takes off, in points of the scale.
double coding_loss(const VideoInput& input);
double upscaling_loss(const VideoInput& input);
double motion_loss(const VideoInput& input);
// What freezing leaves of the rest, 0 to 1.
double freeze_factor(const VideoInput& input);

}  // namespace atm::quality
