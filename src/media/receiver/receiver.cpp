#include "media/receiver/receiver.h"

#include <algorithm>

namespace atm::receiver {
namespace {
// A layer is of one SSRC at a time. Another one of the same layer takes over only when the first has been silent for so
// long.
constexpr Duration kSsrcSilence = forward::LayerSelector::kSilence;
// Loss that a viewer reports, of 256, from which on it gets more copies of each audio frame than the publisher sends: 3
// % and 10 %. A report of one second has 50 packets, so 20 % loss now and then looks like 10 %.
constexpr uint8_t kLossForTwoCopies = 8;
constexpr uint8_t kLossForThreeCopies = 26;

uint32_t clock_rate(MediaKind kind) {
  return kind == MediaKind::kAudio ? 48'000 : 90'000;
}
}  // namespace

using contract::ReceiverState;

Receiver::Receiver(std::string id, MediaKind kind, SessionId owner, peer::Peer& peer, size_t media, Rng& rng)
    : id_(std::move(id)),
      kind_(kind),
      owner_(owner),
      peer_(peer),
      media_(media),
      rewriter_(clock_rate(kind), peer.media(media).next_sequence(), rng),
      quality_(kind) {}

void Receiver::bind(contract::StreamKey remote) {
  remote_ = std::move(remote);
  attach(nullptr);
  set_state(ReceiverState::kConnecting);
}

void Receiver::bind_slot(contract::StreamKey slot) {
  remote_ = std::move(slot);
  is_slot_ = true;
  attach(nullptr);
}

void Receiver::unbind() {
  remote_.reset();
  is_slot_ = false;
  attach(nullptr);
  set_state(ReceiverState::kNoSource);
}

void Receiver::attach(Source* source) {
  source_ = source;
  translation_ = {};  // another source may come to lie where the old one lay
  rewriter_.restart();
  captured_.reset();
  quality_.restart();
  is_undecodable_ = false;
  simulcast_layers_ = source_ == nullptr ? uint8_t{1} : source_->simulcast_layers;
  selector_.attach(simulcast_layers_);
  if (source_ == nullptr) {
    if (remote_) set_state(is_slot_ ? ReceiverState::kNoSource : ReceiverState::kSourceDeactived);
    return;
  }
  on_active_changed();
}

void Receiver::on_active_changed() {
  if (source_ == nullptr) return;
  if (!source_->active) return set_state(ReceiverState::kSourceDeactived);
  set_state(target().is_paused ? ReceiverState::kPaused : ReceiverState::kConnecting);
}

void Receiver::set_target(const forward::Target& target) {
  if (kind_ != MediaKind::kVideo) return;
  const bool was_paused = selector_.target().is_paused;
  selector_.set_target(target);
  if (was_paused != target.is_paused) on_active_changed();
}

share::Demand Receiver::demand(Now now) const {
  if (source_ == nullptr) return {};
  if (kind_ != MediaKind::kVideo) return {.viewers = 1};
  const share::RateTable rates = source_->rates.table(now.mono, source_->scaling);
  return share::demand_of_viewer(limit_, room_bps_, {rates, source_->simulcast_layers});
}

std::optional<uint8_t> Receiver::wants_key_frame_of(Now now) const {
  // None would help who cannot decode it; asking on and on would cost every other viewer its bitrate.
  if (kind_ != MediaKind::kVideo || source_ == nullptr || is_undecodable_) return std::nullopt;
  return selector_.wants_key_frame_of(now);
}

uint8_t Receiver::shown_simulcast_layer(Now now) const {
  if (simulcast_layers_ <= 1) return 0;
  if (const auto shown = selector_.current()) return shown->spatial;
  return selector_.wants_key_frame_of(now).value_or(0);
}

bool Receiver::forward(Now now, const peer::MediaPacket& packet, PacketPool& pool, SendBatch& datagrams) {
  const Translation& format = translate(packet.payload_type);
  is_undecodable_ = !format.to;
  if (!format.to) {
    if (source_->active) set_state(ReceiverState::kConnecting, ErrorCode::kUnsupportedCodec);
    return false;
  }
  const Place place = kind_ == MediaKind::kAudio ? place_audio(now, packet) : place_video(now, packet);
  if (!place.rewritten) return place.has_started;
  peer::Outgoing outgoing{place.rewritten->sequence, place.rewritten->timestamp, *format.to, place.marker, place.patch,
                          place.descriptor};
  peer::MediaPacket other;  // instead of `packet`
  const size_t copies = format.red_to && !place.is_empty ? wanted_copies(packet) : 0;
  if (place.is_empty) {
    other.payload = pool.copy({});
  } else if (copies > 0) {
    other = packet;
    other.payload = source_->red_out.make(packet, copies, *format.to, pool);
    if (other.payload) outgoing.payload_type = *format.red_to;
  }
  if (!peer_.send_media(now, media_, other.payload ? other : packet, outgoing, datagrams)) return false;
  if (!place.is_empty) {
    quality_.on_sent(now.mono, packet, outgoing.timestamp, copies);
    if (source_->active && !target().is_paused) set_state(ReceiverState::kLive);
  }
  return place.has_started;
}

void Receiver::on_picture_lost(Now now) {
  quality_.on_picture_lost(now.mono, peer_.round_trips().as_sender.value_or(0ms));
}

std::optional<uint32_t> Receiver::take_quality(Now now) {
  const negotiation::NegotiatedCodec* codec = source_ == nullptr ? nullptr : source_->find_codec(translation_.from);
  if (state_ != ReceiverState::kLive || codec == nullptr) {
    quality_.restart();
    return std::nullopt;
  }
  const auto shown = selector_.current();
  return quality_.judge(now.mono, *source_, {peer_, media_, codec->codec, shown ? shown->spatial : uint8_t{0}});
}

size_t Receiver::wanted_copies(const peer::MediaPacket& packet) const {
  const stream::SendStream* stream = peer_.media(media_).send_stream();
  const uint8_t loss = stream != nullptr && stream->remote_report() ? stream->remote_report()->fraction_lost : 0;
  const size_t wanted = loss >= kLossForThreeCopies ? 3 : loss >= kLossForTwoCopies ? 2 : 0;
  return std::max<size_t>(wanted, packet.copies);
}

Receiver::Place Receiver::place_audio(Now now, const peer::MediaPacket& packet) {
  if (packet.ssrc == source_ssrc_) {
    if (packet.epoch != source_epoch_) rewriter_.restart();
  } else if (rewriter_.is_attached()) {
    if (now.mono - source_ssrc_heard_ < kSsrcSilence) return {};
    rewriter_.restart();
  }
  if (!rewriter_.is_attached()) begin(packet);
  source_ssrc_heard_ = now.mono;
  Place out;
  out.rewritten = rewriter_.rewrite(now.mono, packet.sequence, packet.timestamp);
  out.marker = packet.marker;
  return out;
}

Receiver::Place Receiver::place_video(Now now, const peer::MediaPacket& packet) {
  if (simulcast_layers_ != source_->simulcast_layers) {
    simulcast_layers_ = source_->simulcast_layers;
    selector_.attach(simulcast_layers_);
  }
  if (!may_continue_with(now, packet)) return {};
  selector_.set_takes_descriptor(peer_.media(media_).extensions().has(rtp::Extension::kDependencyDescriptor));
  const forward::LayeredPacket layered{packet.simulcast_layer, packet.marker, packet.sequence, packet.timestamp,
                                       packet.payload.bytes()};
  const forward::Decision decision = selector_.on_packet(now, packet.info, layered);
  if (decision.restarts) {
    rewriter_.restart(timestamp_offset_of(packet));
    begin(packet);
  }
  Place out;
  out.has_started = decision.restarts;
  if (decision.action == forward::Decision::Action::kIgnore) return out;
  source_ssrc_heard_ = now.mono;
  if (decision.action == forward::Decision::Action::kDrop) {
    // Its number stays free, for the numbers behind it close up; else the participant would ask for it in vain.
    out.rewritten = rewriter_.drop(decision.drop_from, packet.sequence, packet.timestamp);
    out.is_empty = true;
    return out;
  }
  out.rewritten = rewriter_.rewrite(now.mono, packet.sequence, packet.timestamp);
  if (packet.captured_at) captured_ = {packet.timestamp, *packet.captured_at};
  out.marker = decision.marker;
  out.patch = decision.patch;
  out.descriptor = decision.descriptor;
  return out;
}

// Is it of the SSRC, numbering and format that is forwarded, where it is of the layer that is? When it is the first of
// others, they begin with their next key frame.
bool Receiver::may_continue_with(Now now, const peer::MediaPacket& packet) {
  if (!selector_.is_forwarding()) return true;
  if (simulcast_layers_ > 1 && selector_.current()->spatial != packet.simulcast_layer) return true;
  if (packet.ssrc != source_ssrc_) {
    if (now.mono - source_ssrc_heard_ < kSsrcSilence) return false;
    selector_.restart();
  } else if (packet.epoch != source_epoch_) {
    selector_.restart();
  } else if (packet.payload_type != source_payload_type_) {
    if (packet.sequence < source_format_since_) return false;  // late, of the format before
    selector_.restart();
  }
  return true;
}

// Two layers show one picture at one instant. Over a switch of source the clock says how timestamps go on, for another
// publisher's way may be longer, and what a viewer waits for is not to change with it.
std::optional<int64_t> Receiver::timestamp_offset_of(const peer::MediaPacket& packet) const {
  if (!captured_ || !packet.captured_at) return std::nullopt;
  const int64_t ticks = to_us(*packet.captured_at - captured_->at) * clock_rate(kind_) / 1'000'000;
  return int64_t{captured_->timestamp} + ticks - int64_t{packet.timestamp};
}

void Receiver::begin(const peer::MediaPacket& packet) {
  source_ssrc_ = packet.ssrc;
  source_epoch_ = packet.epoch;
  source_payload_type_ = packet.payload_type;
  source_format_since_ = packet.sequence;
}

const Receiver::Translation& Receiver::translate(uint8_t source_payload_type) {
  const peer::MediaLine& to = peer_.media(media_);
  Translation& known = translation_;
  if (known.source == source_ && known.from == source_payload_type && known.source_version == source_->codecs_version &&
      known.own_version == to.version()) {
    return known;
  }
  known = {source_, source_->codecs_version, to.version(), source_payload_type, {}, {}};
  const auto* incoming = source_->find_codec(source_payload_type);
  if (incoming == nullptr) return known;
  const auto* outgoing = to.find_same_format(*incoming);
  for (const negotiation::NegotiatedCodec& own : to.negotiated().codecs) {
    if (outgoing == nullptr && negotiation::can_decode(own, *incoming)) outgoing = &own;
  }
  if (outgoing == nullptr) return known;
  if (incoming->payload_type == source_payload_type) {
    known.to = outgoing->payload_type;
    known.red_to = outgoing->red_payload_type;
  } else {
    known.to = outgoing->red_payload_type;  // RED that nobody could read (Source::read): only as it is
  }
  return known;
}

std::optional<ReceiverState> Receiver::take_state_change() {
  if (state_ == told_state_ && reason_ == told_reason_) return std::nullopt;
  told_state_ = state_;
  told_reason_ = reason_;
  return state_;
}

}  // namespace atm::receiver
