// Writing RTP headers: the fixed header and its header extension, in the one-byte form where it fits and the two-byte
// form otherwise (RFC 3550 5.1, RFC 8285). For core/stream and core/peer, who put the payload behind it.
// Writes no CSRC and no padding. Beside it the values of extensions that we read or make ourselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace atm::rtp {

struct Header {
  bool marker = false;
  uint8_t payload_type = 0;  // 0 to 127
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
};

struct ExtensionValue {
  uint8_t id = 0;  // 0: not negotiated with this receiver, left out
  ByteView value;
};

// Bytes that write_header() will write for these extensions; 0 when they cannot be written (a value over 255 bytes).
size_t header_size(std::span<const ExtensionValue> extensions);

// The bytes written; 0, and `out` unchanged, when they do not fit or a value is over 255 bytes.
// The one-byte form is taken when every id is 14 or less and every value 1 to 16 bytes long: RFC 8285 4.1.2 lets a
// peer that did not agree to mixing (a=extmap-allow-mixed) expect it.
size_t write_header(MutByteView out, const Header& header, std::span<const ExtensionValue> extensions);

// RFC 6464 3: one byte, V and the level in -dBov.
struct AudioLevel {
  bool voice = false;   // the sender believes this is speech; says nothing when vad=off was negotiated
  uint8_t level = 127;  // 0 loudest, 127 silence
};
std::optional<AudioLevel> parse_audio_level(ByteView value);
inline uint8_t write_audio_level(AudioLevel level) {
  return static_cast<uint8_t>((level.voice ? 0x80 : 0) | (level.level & 0x7F));
}

}  // namespace atm::rtp
