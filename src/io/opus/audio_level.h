// How loud PCM is, as the header extension of RFC 6464 says it: for the senders of libatm0s, once for each frame.
#pragma once

#include <cstdint>
#include <span>

namespace atm::io {

// Root mean square in dBov, rounded: 0 the loudest there is (a square wave of full scale; a sine of full scale has -3),
// -127 silence, and for no samples at all. Interleaved channels count as one signal. The extension has it without its
// sign.
int audio_level(std::span<const int16_t> pcm);

}  // namespace atm::io
