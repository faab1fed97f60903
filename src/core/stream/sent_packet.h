// What is kept of a packet that was sent, to send it again by RTX: the payload by reference (shared by all subscribers)
// and the few bytes that were this subscriber's own. For media/receiver, which fills one per packet, and SendStream,
// which keeps it and writes it out. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/packet_pool.h"
#include "base/time.h"
#include "wire/payload/carried_descriptor.h"
#include "wire/rtp/extension.h"
#include "wire/rtp/header.h"

namespace atm::stream {

// The forwarded header extensions of one packet: small values only (audio level, video orientation, playout delay,
// content type). What we make ourselves (mid, transport-cc, the session's own playout delay) is made anew at each
// sending.
class KeptExtensions {
 public:
  static constexpr size_t kMaxValues = 3;
  static constexpr size_t kMaxValueSize = 4;

  // False when the value is too large or there are too many: then the extension is left out, as a stripped one is.
  bool add(rtp::Extension extension, ByteView value) {
    if (count_ == kMaxValues || value.empty() || value.size() > kMaxValueSize) return false;
    Kept& kept = kept_[count_++];
    kept.extension = extension;
    kept.size = static_cast<uint8_t>(value.size());
    std::memcpy(kept.bytes.data(), value.data(), value.size());
    return true;
  }
  // visit(rtp::Extension, ByteView value); the view lives as long as this object.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (size_t i = 0; i < count_; ++i) visit(kept_[i].extension, ByteView{kept_[i].bytes.data(), kept_[i].size});
  }
  size_t size() const { return count_; }

 private:
  struct Kept {
    rtp::Extension extension = rtp::Extension::kAudioLevel;
    uint8_t size = 0;
    std::array<uint8_t, kMaxValueSize> bytes{};
  };
  std::array<Kept, kMaxValues> kept_{};
  uint8_t count_ = 0;
};

// Bytes of the shared payload that are different for this subscriber: the picture id and what follows it in a VP8 or
// VP9 descriptor, which stay continuous when a receiver changes its source or layer.
struct PayloadPatch {
  uint8_t at = 0;
  uint8_t size = 0;  // 0: none
  std::array<uint8_t, 6> bytes{};
};

struct SentPacket {
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  bool marker = false;
  bool starts_key_frame = false;
  uint8_t payload_type = 0;
  uint8_t rtx_payload_type = 0;  // 0: there is no RTX for this payload type, and the packet is never sent again
  PayloadPatch patch;
  payload::DescriptorPatch descriptor;  // of what is behind the payload
  KeptExtensions extensions;
  PacketRef payload;
};

}  // namespace atm::stream
