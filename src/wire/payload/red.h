// RED (RFC 2198): one packet with a primary frame and copies of earlier ones, for audio. For media/sender, which takes
// a publisher's RED apart and makes RED for viewers. parse_red() gives nothing for what is not whole or goes over a
// limit, and never reads outside the payload; its views live as long as that. Frames themselves are not looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace atm::payload {

inline constexpr size_t kMaxRedBlocks = 10;  // the primary and up to nine copies, as many as libwebrtc sends
inline constexpr uint32_t kMaxRedTimestampOffset = 0x3FFF;  // RFC 2198 3: 14 bits; 341 ms at 48 kHz
inline constexpr size_t kMaxRedCopySize = 0x3FF;            // RFC 2198 3: 10 bits of length

struct RedBlock {
  uint8_t payload_type = 0;       // of the frame inside
  uint16_t timestamp_offset = 0;  // how much earlier it is than the primary, whose own is 0
  ByteView data;                  // empty when its sender had nothing to say
};

struct RedPayload {
  std::array<RedBlock, kMaxRedBlocks> blocks;
  size_t count = 0;  // 1 at the least
  const RedBlock& primary() const { return blocks[count - 1]; }
  // Oldest first, as senders order them.
  std::span<const RedBlock> copies() const { return {blocks.data(), count - 1}; }
};

std::optional<RedPayload> parse_red(ByteView payload);

// `blocks` in order, the primary last. Bytes written; 0 when it does not fit or a value is over its limit.
size_t write_red(MutByteView out, std::span<const RedBlock> blocks);

}  // namespace atm::payload
