#include "media/sender/source.h"

#include <algorithm>

#include "wire/payload/key_frame.h"

namespace atm0s::sender {

bool Source::take_codecs(const peer::MediaLine& line) {
  if (codecs == line.negotiated().codecs) return false;
  codecs = line.negotiated().codecs;
  ++codecs_version;
  return true;
}

const negotiation::NegotiatedCodec* Source::find_codec(uint8_t payload_type) const {
  const auto it = std::find_if(codecs.begin(), codecs.end(),
                               [payload_type](const auto& codec) { return codec.payload_type == payload_type; });
  return it == codecs.end() ? nullptr : &*it;
}

std::optional<peer::MediaPacket> make_media_packet(const peer::MediaLine& line, const peer::ReceivedPacket& received,
                                                   PacketPool& pool) {
  const rtp::View& view = received.view;
  const negotiation::NegotiatedCodec* codec = line.find_codec(view.payload_type);
  if (codec == nullptr) return std::nullopt;
  // A packet of padding only (a probe without RTX) goes on empty: left out, its number would look like a loss for ever.
  peer::MediaPacket packet;
  packet.payload_type = view.payload_type;
  packet.marker = view.marker;
  packet.starts_key_frame = line.kind() == MediaKind::kVideo && payload::is_key_frame_start(codec->codec, view.payload);
  packet.epoch = received.epoch;
  packet.ssrc = view.ssrc;
  packet.sequence = received.sequence;
  packet.timestamp = view.timestamp;
  packet.extensions = peer::keep_extensions(view, line.extensions());
  packet.payload = pool.copy(view.payload);
  if (!packet.payload) return std::nullopt;
  return packet;
}

}  // namespace atm0s::sender
