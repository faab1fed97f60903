#include "client/publisher.h"

#include <algorithm>

#include "wire/rtp/header.h"

namespace atm::client {

Publisher::Publisher(const SenderConfig& config, PacketPool& pool, Rng& rng) : config_(config), rng_(rng), pool_(pool) {
  renew();
}

void Publisher::renew() {
  for (Layer& layer : layers_) {
    layer.packetizer.reset();
    layer.sequence = rng_.below(0x8000);  // RFC 3550 5.1: random; low enough to be sure of the rollover counter
    layer.timestamp_base = rng_.u32();
  }
}

frames::Packetizer& Publisher::packetizer_of(Layer& layer, Codec codec) {
  if (!layer.packetizer || layer.codec != codec) {
    layer.codec = codec;
    frames::PacketizerConfig config;
    config.codec = codec;
    layer.packetizer = std::make_unique<frames::Packetizer>(config, rng_);
  }
  return *layer.packetizer;
}

Result<void> Publisher::send(Now now, peer::Peer& peer, size_t media, const OutgoingFrame& frame, SendBatch& out) {
  if (kind_of(frame.codec) != config_.kind) return fail(ErrorCode::kInvalidRequest, "a frame of the other kind");
  const size_t layer_count = config_.simulcast && config_.kind == MediaKind::kVideo ? kMaxSimulcastLayers : 1;
  if (frame.layer >= layer_count) return fail(ErrorCode::kInvalidRequest, "no such simulcast layer");
  if (media >= peer.media_count() || !peer.media(media).is_sending()) return {};
  // A server that takes no simulcast is sent the lowest layer alone.
  if (frame.layer >= peer.media(media).send_layers()) return {};
  const auto& codecs = peer.media(media).negotiated().codecs;
  const auto codec =
      std::find_if(codecs.begin(), codecs.end(), [&](const auto& known) { return known.codec == frame.codec; });
  if (codec == codecs.end()) {
    return fail(ErrorCode::kUnsupportedCodec, "the session did not agree on " + std::string(to_text(frame.codec)));
  }
  Layer& layer = layers_[frame.layer];
  frames::EncodedFrame encoded;
  encoded.bytes = frame.bytes;
  encoded.is_key = frame.is_key;
  encoded.temporal_layer = frame.temporal_layer;
  encoded.starts_talk = frame.starts_talk;
  if (!packetizer_of(layer, frame.codec).packetize(encoded, packets_)) {
    return fail(ErrorCode::kInvalidRequest, "no frame of " + std::string(to_text(frame.codec)));
  }
  if (!first_captured_) first_captured_ = frame.captured_at;
  const Duration since = frame.captured_at - *first_captured_;
  const int64_t ticks = to_us(since) * codec->clock_rate / 1'000'000;
  const uint32_t timestamp = layer.timestamp_base + static_cast<uint32_t>(ticks);
  for (size_t i = 0; i < packets_.count(); ++i) {
    peer::MediaPacket packet;
    packet.payload = pool_.copy(packets_.payload(i));
    packet.marker = packets_.marker(i);
    packet.starts_key_frame = i == 0 && packets_.is_key();
    packet.simulcast_layer = frame.layer;
    packet.captured_at = frame.captured_at;
    if (frame.audio_level) {
      const Bytes level{rtp::write_audio_level({true, *frame.audio_level})};
      packet.extensions.add(rtp::Extension::kAudioLevel, level);
    }
    peer.send_media(now, media, packet, {layer.sequence++, timestamp, codec->payload_type, packet.marker}, out);
  }
  ++frames_;
  key_frames_ += packets_.is_key();
  bytes_ += frame.bytes.size();
  return {};
}

}  // namespace atm::client
