#include "media/sender/source.h"

#include <algorithm>
#include <utility>

#include "wire/payload/key_frame.h"
#include "wire/payload/layers_allocation.h"
#include "wire/payload/opus.h"
#include "wire/payload/red.h"

namespace atm::sender {
namespace {
// What Opus sends while nobody talks (DTX, RFC 6716 2.1.9) is one or two bytes, and a little more when it is encrypted.
constexpr size_t kSilentFrameSize = 8;
constexpr int64_t kAudioClockRate = 48'000;  // RFC 7587 4.1
}  // namespace

bool Source::take_formats(const peer::MediaLine& line) {
  const auto layers = static_cast<uint8_t>(line.simulcast_layers());
  const bool are_same = codecs == line.negotiated().codecs;
  if (are_same && layers == simulcast_layers) return false;
  simulcast_layers = layers;
  if (!are_same) set_codecs(line.negotiated().codecs);
  return true;
}

void Source::set_codecs(const std::vector<negotiation::NegotiatedCodec>& to) {
  codecs = to;
  ++codecs_version;
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
    const auto ticks = static_cast<int32_t>(frame.timestamp - packet.timestamp);
    if (made.captured_at) *made.captured_at += Duration(int64_t{ticks} * 1'000'000 / kAudioClockRate);
    if (frame.is_copy) {  // what its own packet said is not known
      made.marker = false;
      made.extensions = {};
    }
    made.payload = pool.copy(frame.data);
    if (!made.payload) out.pop_back();
  }
}

}  // namespace

void Source::listen(Instant now, const peer::MediaLine& line, const peer::ReceivedPacket& packet) {
  const uint8_t id = line.extensions().id_of(rtp::Extension::kAudioLevel);
  take_level(now, rtp::find_extension(packet.view, id), packet.view.payload.size(), packet.view.timestamp);
}

void Source::listen(Instant now, const peer::MediaPacket& packet) {
  std::optional<ByteView> told;
  packet.extensions.for_each([&](rtp::Extension extension, ByteView value) {
    if (extension == rtp::Extension::kAudioLevel) told = value;
  });
  take_level(now, told, packet.payload.bytes().size(), packet.timestamp);
}

void Source::take_level(Instant now, std::optional<ByteView> told, size_t payload_size, uint32_t timestamp) {
  if (payload_size == 0) return;  // padding alone
  if (const auto level = told ? rtp::parse_audio_level(*told) : std::nullopt) {
    tells_level = true;
    return loudness.on_frame(now, -level->level, timestamp);
  }
  const bool is_silence = payload_size <= kSilentFrameSize;
  loudness.on_frame(now, is_silence ? mixminus::kSilence : mixminus::kUntoldLevel, timestamp);
}

void Source::add_frame(Instant now, const peer::MediaPacket& packet) {
  const negotiation::NegotiatedCodec* codec = find_codec(packet.payload_type);
  const ByteView payload = packet.payload.bytes();
  const bool is_opus = codec != nullptr && codec->payload_type == packet.payload_type;
  const auto toc = is_opus ? payload::parse_opus_toc(payload) : std::nullopt;
  heard.on_frame(now, packet.ssrc, packet.epoch, packet.sequence, payload.size(), toc && toc->has_fec);
  if (is_opus) red_out.add(packet);
}

// Begins anew with another SSRC of the layer, or another numbering of it.
payload::FrameStructure& Source::structure_of(const peer::MediaPacket& packet) {
  if (frames.size() <= packet.simulcast_layer) frames.resize(packet.simulcast_layer + size_t{1});
  Frames& known = frames[packet.simulcast_layer];
  if (known.ssrc != packet.ssrc || known.epoch != packet.epoch) known = {packet.ssrc, packet.epoch, {}};
  return known.structure;
}

void Source::take_allocation(ByteView value) {
  const auto allocation = payload::parse_layers_allocation(value);
  if (!allocation) return;
  share::RateTable targets;
  const auto take = [&targets](size_t to, const payload::LayersAllocation::SpatialLayer& layer) {
    for (size_t t = 0; t < layer.temporal_layers; ++t) targets.bps[to][t] = uint64_t{1'000} * layer.kbps[t];
  };
  for (size_t stream = 0; stream < allocation->streams; ++stream) {
    for (size_t spatial = 0; spatial < payload::kAllocationSpatial; ++spatial) {
      // Of several SSRCs each is one layer of a viewer's choice, with all that is inside it.
      const auto& layer = allocation->layers[stream][spatial];
      if (layer.temporal_layers > 0) take(simulcast_layers > 1 ? stream : spatial, layer);
    }
  }
  rates.set_targets(targets);
}

bool Source::measure(Instant now, const peer::MediaPacket& packet) {
  const payload::FrameInfo& info = packet.info;
  const size_t spatial = simulcast_layers > 1 ? packet.simulcast_layer : info.spatial_layer;
  const size_t size = packet.payload.bytes().size();
  if (size != 0) rates.on_packet(now, spatial, info.temporal_layer, size);
  if (packet.starts_key_frame) learn_sizes(packet);
  share::Scaling found = scaling;
  if (simulcast_layers > 1) {
    found = share::Scaling::kIndependent;
  } else if (info.top_spatial_layer > 0 && info.spatial_layer == 0 && !info.is_key_frame) {
    const bool is_for_all =
        (info.needed_by & payload::target_bit(info.top_spatial_layer, payload::kTemporalLayers - 1)) != 0;
    found = is_for_all ? share::Scaling::kFullSvc : share::Scaling::kKeySvc;
  }
  return std::exchange(scaling, found) != found;
}

void Source::learn_sizes(const peer::MediaPacket& packet) {
  const negotiation::NegotiatedCodec* codec = find_codec(packet.payload_type);
  if (codec == nullptr) return;
  const payload::PictureSizes found = payload::read_picture_sizes(codec->codec, packet.payload.bytes());
  if (found.count == 0) return;
  if (simulcast_layers > 1) {
    sizes[std::min<size_t>(packet.simulcast_layer, sizes.size() - 1)] = found.layers[found.count - 1];
  } else {
    sizes = found.layers;
  }
}

Instant Source::next_key_frame_timeout() const {
  Instant due = kNever;
  for (const KeyFrameAsk& ask : key_frames) due = std::min(due, ask.next_timeout());
  return due;
}

bool Source::is_sent(Instant now, uint8_t simulcast_layer) const {
  if (simulcast_layers <= 1) return true;
  bool is_any = false, is_this = false;
  for (uint8_t layer = 0; layer < simulcast_layers; ++layer) {
    for (uint8_t temporal = 0; temporal < share::kTemporalLayers; ++temporal) {
      if (!rates.alive_since(now, {layer, temporal})) continue;
      is_any = true;
      is_this |= layer == simulcast_layer;
    }
  }
  return is_this || !is_any;
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
  packet.captured_at = received.captured_at;
  std::array<uint8_t, payload::kMaxCarriedSize> descriptor;
  size_t descriptor_size = 0;
  if (kind == MediaKind::kVideo) {
    packet.simulcast_layer = line.simulcast_layer_of(view.ssrc);
    const uint8_t id = line.extensions().id_of(rtp::Extension::kDependencyDescriptor);
    const ByteView value = rtp::find_extension(view, id).value_or(ByteView{});
    const uint8_t allocation = line.extensions().id_of(rtp::Extension::kLayersAllocation);
    if (const auto told = rtp::find_extension(view, allocation)) take_allocation(*told);
    payload::FrameStructure& structure = structure_of(packet);
    packet.info = payload::read_frame_info(codec->codec, view.payload, view.marker, value, structure);
    // An encrypted payload tells it of no codec but VP8 and VP9.
    packet.starts_key_frame |= packet.info.is_key_frame && packet.info.starts_frame;
    if (packet.info.has_frame_number) descriptor_size = payload::carry_descriptor(value, structure, descriptor);
  }
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
  packet.payload = pool.copy(view.payload, ByteView(descriptor).first(descriptor_size));
  if (packet.payload) out.push_back(std::move(packet));
}

}  // namespace atm::sender
