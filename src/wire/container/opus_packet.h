// What files of Opus need to know of its packets and its identification header (RFC 6716 3.1, RFC 7845 5.1). For the
// readers and writers of this folder.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "wire/payload/opus.h"

namespace atm::container {

inline constexpr uint32_t kOpusRate = 48'000;  // RFC 7845 4: positions count samples of this, whatever is inside
inline constexpr uint32_t kMaxOpusPacketSamples = 5'760;  // RFC 6716 3.2.5: 120 ms

// Samples at 48 kHz; nothing when it is no Opus packet.
inline std::optional<uint32_t> opus_duration(ByteView packet) {
  if (packet.empty()) return std::nullopt;
  const uint32_t samples = payload::opus_frame_duration(packet[0] >> 3);
  const unsigned code = packet[0] & 0x03;
  uint32_t frames = code == 0 ? 1 : 2;
  if (code == 3) {
    if (packet.size() < 2) return std::nullopt;
    frames = packet[1] & 0x3F;
  }
  if (frames == 0 || frames * samples > kMaxOpusPacketSamples) return std::nullopt;
  return frames * samples;
}

// RFC 7845 5.1, with channel mapping family 0: mono or stereo in one stream.
struct OpusHead {
  uint8_t channels = 2;
  // Samples that a decoder throws away at the start: what the encoder looked ahead. 312 is libopus's at 48 kHz.
  uint16_t pre_skip = 312;
  uint32_t input_rate = kOpusRate;  // of what was encoded; only told
  int16_t gain = 0;                 // for the output, in 1/256 dB
};
inline constexpr size_t kOpusHeadSize = 19;

void put_opus_head(const OpusHead& head, Bytes& out);
// Nothing when it is none, of a later version, or of another mapping family.
std::optional<OpusHead> parse_opus_head(ByteView packet);

}  // namespace atm::container
