// "Does a decoder that knows nothing yet begin here?": the one question about a payload that every forwarded video
// packet is asked, for each codec. For core/peer and media/forward, which start a viewer at such a packet and stop
// asking for a key frame when one comes. Looks at the first bytes only, and says no for whatever it cannot read.
#pragma once

#include "base/bytes.h"
#include "base/codec.h"

namespace atm::payload {

// True for the packet that a key frame starts with:
// VP8   the first packet of a frame without the P bit (RFC 7741 4.3)
// VP9   the first packet of the lowest spatial layer of a picture that predicts from no other (RFC 9628 4.2)
// H264  a packet with an SPS or the start of an IDR slice in a single NAL unit, STAP-A or FU-A (RFC 6184 5.4)
// AV1   the first packet of a coded video sequence, or one with a sequence header (AV1 RTP specification 4.4)
// Opus  always: every packet stands for itself
bool is_key_frame_start(Codec codec, ByteView payload);

}  // namespace atm::payload
