#include "media/receiver/receiver.h"

#include <algorithm>

namespace atm0s::receiver {
namespace {
// A source may send several SSRCs (simulcast). One is forwarded; another takes over, on a key frame, only when the
// first has been silent for so long.
constexpr Duration kSsrcSilence = 1s;
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
      rewriter_(clock_rate(kind), peer.media(media).next_sequence(), rng) {}

void Receiver::bind(contract::StreamKey remote) {
  remote_ = std::move(remote);
  attach(nullptr);
  set_state(ReceiverState::kConnecting);
}

void Receiver::unbind() {
  remote_.reset();
  attach(nullptr);
  set_state(ReceiverState::kNoSource);
}

void Receiver::attach(Source* source) {
  source_ = source;
  translation_ = {};  // another source may come to lie where the old one lay
  rewriter_.restart();
  wants_key_frame_ = false;
  if (source_ == nullptr) {
    if (remote_) set_state(ReceiverState::kSourceDeactived);
    return;
  }
  wants_key_frame_ = kind_ == MediaKind::kVideo;
  on_active_changed();
}

void Receiver::on_active_changed() {
  if (source_ == nullptr) return;
  set_state(source_->active ? ReceiverState::kConnecting : ReceiverState::kSourceDeactived);
}

bool Receiver::forward(Now now, const peer::MediaPacket& packet, PacketPool& pool, SendBatch& datagrams) {
  const Translation& format = translate(packet.payload_type);
  if (!format.to) {
    wants_key_frame_ = false;  // none would help; asking on and on would cost every other viewer its bitrate
    if (source_->active) set_state(ReceiverState::kConnecting, ErrorCode::kUnsupportedCodec);
    return false;
  }
  if (packet.ssrc == source_ssrc_ && packet.epoch != source_epoch_) rewriter_.restart();
  const bool was_attached = rewriter_.is_attached();
  if (!may_start_with(now, packet)) return false;
  source_ssrc_heard_ = now.mono;
  const bool has_started = !was_attached || !rewriter_.is_attached();
  const auto rewritten = rewriter_.rewrite(now.mono, packet.sequence, packet.timestamp);
  if (!rewritten) return false;
  peer::Outgoing outgoing{rewritten->sequence, rewritten->timestamp, *format.to};
  peer::MediaPacket red;
  if (const size_t copies = format.red_to ? wanted_copies(packet) : 0; copies > 0) {
    red = packet;
    red.payload = source_->red_out.make(packet, copies, *format.to, pool);
    if (red.payload) outgoing.payload_type = *format.red_to;
  }
  if (!peer_.send_media(now, media_, red.payload ? red : packet, outgoing, datagrams)) return false;
  if (source_->active) set_state(ReceiverState::kLive);
  return has_started && kind_ == MediaKind::kVideo;
}

size_t Receiver::wanted_copies(const peer::MediaPacket& packet) const {
  const stream::SendStream* stream = peer_.media(media_).send_stream();
  const uint8_t loss = stream != nullptr && stream->remote_report() ? stream->remote_report()->fraction_lost : 0;
  const size_t wanted = loss >= kLossForThreeCopies ? 3 : loss >= kLossForTwoCopies ? 2 : 0;
  return std::max<size_t>(wanted, packet.copies);
}

bool Receiver::may_start_with(Now now, const peer::MediaPacket& packet) {
  const bool can_start = kind_ == MediaKind::kAudio || packet.starts_key_frame;
  if (rewriter_.is_attached()) {
    if (packet.ssrc == source_ssrc_) {
      // Another format on the same SSRC: a video's decoder begins with a key frame.
      if (packet.payload_type == source_payload_type_) return true;
      if (packet.sequence < source_format_since_) return false;  // late, of the format before
      wants_key_frame_ = !can_start;
      if (can_start) begin_format(packet);
      return can_start;
    }
    if (!can_start || now.mono - source_ssrc_heard_ < kSsrcSilence) return false;
    rewriter_.restart();
  }
  if (!can_start) {
    wants_key_frame_ = true;
    return false;
  }
  wants_key_frame_ = false;
  source_ssrc_ = packet.ssrc;
  source_epoch_ = packet.epoch;
  begin_format(packet);
  return true;
}

void Receiver::begin_format(const peer::MediaPacket& packet) {
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

}  // namespace atm0s::receiver
