// A media packet on its way through a room: the parts that every subscriber shares, independent of one session's
// payload types, extension ids, SSRCs and sequence numbers. Made once per received packet by media/sender, sent to each
// subscriber by Peer::send_media. The payload lives in the worker's PacketPool.
#pragma once

#include <cstdint>
#include <optional>

#include "base/packet_pool.h"
#include "base/time.h"
#include "core/stream/sent_packet.h"
#include "wire/payload/frame_info.h"
#include "wire/rtp/extension.h"
#include "wire/rtp/packet.h"

namespace atm::peer {

struct MediaPacket {
  uint8_t payload_type = 0;  // of the source's m-line; translated per subscriber
  bool marker = false;
  bool starts_key_frame = false;
  uint8_t copies = 0;    // audio: earlier frames that the publisher sends along (RED), taken apart before it gets here
  uint64_t epoch = 0;    // with another one than before `sequence` has begun anew (MediaLine::epoch_of)
  uint32_t ssrc = 0;     // of the source
  int64_t sequence = 0;  // of the source, unwrapped
  uint32_t timestamp = 0;  // of the source
  // When that was captured, on the monotonic clock of this machine, which its workers share: what viewers are told of
  // it in sender reports. None while the publisher has not told.
  std::optional<Instant> captured_at = {};
  // Video: of its SSRC, 0 is the lowest (MediaLine::simulcast_layer_of); and what choosing layers takes.
  uint8_t simulcast_layer = 0;
  payload::FrameInfo info;
  stream::KeptExtensions extensions;
  PacketRef payload;  // with its dependency descriptor behind it (wire/payload/carried_descriptor.h)
};

// The extensions of a received packet that are passed on (core/negotiation/extension_policy.h).
stream::KeptExtensions keep_extensions(const rtp::View& view, const rtp::ExtensionMap& ids);

}  // namespace atm::peer
