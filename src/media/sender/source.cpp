#include "media/sender/source.h"

#include "wire/payload/key_frame.h"

namespace atm0s::sender {

std::optional<peer::MediaPacket> make_media_packet(const Source& source, const peer::ReceivedPacket& received,
                                                   PacketPool& pool) {
  const rtp::View& view = received.view;
  const negotiation::NegotiatedCodec* codec = source.line().find_codec(view.payload_type);
  if (codec == nullptr) return std::nullopt;
  // A packet of padding only (a probe without RTX) goes on empty: left out, its number would look like a loss for ever.
  peer::MediaPacket packet;
  packet.payload_type = view.payload_type;
  packet.marker = view.marker;
  packet.starts_key_frame = source.kind == MediaKind::kVideo && payload::is_key_frame_start(codec->codec, view.payload);
  packet.epoch = received.epoch;
  packet.ssrc = view.ssrc;
  packet.sequence = received.sequence;
  packet.timestamp = view.timestamp;
  packet.extensions = peer::keep_extensions(view, source.line().extensions());
  packet.payload = pool.copy(view.payload);
  if (!packet.payload) return std::nullopt;
  return packet;
}

}  // namespace atm0s::sender
