#include "media/sender/source.h"

#include <algorithm>

#include "wire/payload/key_frame.h"
#include "wire/payload/red.h"

namespace atm0s::sender {

bool Source::take_codecs(const peer::MediaLine& line) {
  if (codecs == line.negotiated().codecs) return false;
  codecs = line.negotiated().codecs;
  ++codecs_version;
  return true;
}

const negotiation::NegotiatedCodec* Source::find_codec(uint8_t payload_type) const {
  const auto it = std::find_if(codecs.begin(), codecs.end(), [payload_type](const auto& codec) {
    return codec.payload_type == payload_type || codec.red_payload_type == payload_type;
  });
  return it == codecs.end() ? nullptr : &*it;
}

namespace {

void add_frames(const RedReader::Frames& frames, const peer::MediaPacket& packet, PacketPool& pool,
                std::vector<peer::MediaPacket>& out) {
  for (size_t i = 0; i < frames.count; ++i) {
    const AudioFrame& frame = frames.list[i];
    peer::MediaPacket& made = out.emplace_back(packet);
    made.sequence = frame.sequence;
    made.timestamp = frame.timestamp;
    if (frame.is_copy) {  // what its own packet said is not known
      made.marker = false;
      made.extensions = {};
    }
    made.payload = pool.copy(frame.data);
    if (!made.payload) out.pop_back();
  }
}

}  // namespace

void Source::add_frame(const peer::MediaPacket& packet) {
  const negotiation::NegotiatedCodec* codec = find_codec(packet.payload_type);
  if (codec != nullptr && codec->payload_type == packet.payload_type) red_out.add(packet);
}

void Source::read(const peer::MediaLine& line, const peer::ReceivedPacket& received, PacketPool& pool,
                  std::vector<peer::MediaPacket>& out) {
  const rtp::View& view = received.view;
  const negotiation::NegotiatedCodec* codec = line.find_codec(view.payload_type);
  if (codec == nullptr) return;
  // A packet of padding only (a probe without RTX) goes on empty: left out, its number would look like a loss for ever.
  peer::MediaPacket packet;
  packet.payload_type = view.payload_type;
  packet.marker = view.marker;
  packet.starts_key_frame = kind == MediaKind::kVideo && payload::is_key_frame_start(codec->codec, view.payload);
  packet.epoch = received.epoch;
  packet.ssrc = view.ssrc;
  packet.sequence = received.sequence;
  packet.timestamp = view.timestamp;
  packet.extensions = peer::keep_extensions(view, line.extensions());
  if (kind == MediaKind::kAudio) {
    const RedReader::Packet place{packet.ssrc, packet.epoch, packet.sequence, packet.timestamp};
    if (codec->red_payload_type != view.payload_type) {
      return add_frames(red_in.on_opus(place, view.payload), packet, pool, out);
    }
    const auto red = payload::parse_red(view.payload);
    const auto is_opus = [codec](const payload::RedBlock& block) { return block.payload_type == codec->payload_type; };
    if (red && std::all_of(red->blocks.begin(), red->blocks.begin() + red->count, is_opus)) {
      packet.payload_type = codec->payload_type;
      packet.copies = static_cast<uint8_t>(red->count - 1);
      return add_frames(red_in.on_red(place, *red), packet, pool, out);
    }
    // Encrypted end to end, most likely: as it is, to those who can take it so.
    if (!red_in.on_opaque(place)) return;
  }
  packet.payload = pool.copy(view.payload);
  if (packet.payload) out.push_back(std::move(packet));
}

}  // namespace atm0s::sender
