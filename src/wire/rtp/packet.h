// RTP packets (RFC 3550 5, RFC 8285): a parsed view over the bytes of one received packet, a look at its header
// extension, and the first-byte demultiplexing of a port that carries STUN, DTLS, SRTP and SRTCP.
// For core/peer, core/srtp and core/stream. parse() gives nothing for what is not whole and well-formed, and never
// reads outside the packet. It copies nothing: a View lives as long as the bytes it was made from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace atm::rtp {

inline constexpr size_t kFixedHeaderSize = 12;       // RFC 3550 5.1
inline constexpr uint16_t kOneByteProfile = 0xBEDE;  // RFC 8285 4.2
inline constexpr uint16_t kTwoByteProfile = 0x1000;  // RFC 8285 4.3: 0x100 and four application bits
inline constexpr uint16_t kTwoByteProfileMask = 0xFFF0;

struct View {
  bool marker = false;
  uint8_t payload_type = 0;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  uint8_t csrc_count = 0;
  uint16_t extension_profile = 0;  // 0: there is no header extension
  ByteView extension;              // its elements, without the four bytes of profile and length
  size_t header_size = 0;          // fixed header, CSRCs and extension
  MutByteView payload;             // without padding; may be empty
  size_t padding_size = 0;         // 0 to 255, its own count byte included
  MutByteView packet;              // all of it: header, payload, padding
};

// The view of a decrypted packet: in SRTP the padding, its count included, lies inside the encrypted part.
std::optional<View> parse(MutByteView packet);

// Bytes of fixed header, CSRCs and extension, 0 when `packet` does not hold them whole. Looks at nothing behind the
// header, so it works on an encrypted packet (RFC 3711 3.1: the payload begins there).
size_t header_length(ByteView packet);

// Calls visit(uint8_t id, ByteView value) for each element of the extension, in order, in both forms.
// A broken tail ends the walk; elements before it have been visited (RFC 8285 4.2).
template <typename Visit>
void for_each_extension(uint16_t profile, ByteView extension, Visit&& visit);
template <typename Visit>
void for_each_extension(const View& view, Visit&& visit) {
  for_each_extension(view.extension_profile, view.extension, visit);
}

// The value of the first element with this id; none for id 0 ("not negotiated" in an ExtensionMap).
std::optional<ByteView> find_extension(const View& view, uint8_t id);

enum class PacketClass : uint8_t { kUnknown, kStun, kDtls, kRtp, kRtcp };

// RFC 7983 7 by the first byte; RTP and RTCP apart by RFC 5761 4. Says nothing about the rest of the bytes.
PacketClass classify(ByteView datagram);

// --- implementation of the template ---

template <typename Visit>
void for_each_extension(uint16_t profile, ByteView extension, Visit&& visit) {
  const bool one_byte = profile == kOneByteProfile;
  if (!one_byte && (profile & kTwoByteProfileMask) != kTwoByteProfile) return;
  size_t at = 0;
  while (at < extension.size()) {
    if (extension[at] == 0) {  // RFC 8285 4.2, 4.3: a zero byte between elements is padding, in both forms
      ++at;
      continue;
    }
    uint8_t id = extension[at];
    size_t size = 0;
    if (one_byte) {
      size = size_t{id & 0x0Fu} + 1;
      id = static_cast<uint8_t>(id >> 4);
      // RFC 8285 4.2: id 15, and id 0 with a length, end the processing of the whole extension.
      if (id == 0 || id == 15) return;
      ++at;
    } else {
      if (at + 2 > extension.size()) return;
      size = extension[at + 1];
      at += 2;
    }
    if (size > extension.size() - at) return;
    visit(id, extension.subspan(at, size));
    at += size;
  }
}

}  // namespace atm::rtp
