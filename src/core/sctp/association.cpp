#include "core/sctp/association.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"

namespace atm::sctp {
namespace {

// Control packets that one received packet may cause: more would make us an amplifier.
constexpr size_t kMaxReplies = 4;
// Chunks of one packet that are looked at: a full packet of the smallest DATA chunks.
constexpr size_t kMaxChunks = 80;

// RFC 9260 3.3.2: a tag is never 0, which marks an INIT.
uint32_t make_tag(Rng& rng) {
  return std::max<uint32_t>(1, rng.u32());
}

}  // namespace

Association::Association(const Config& config, Rng& rng)
    : config_(config),
      cookies_(rng),
      local_tag_(make_tag(rng)),
      local_initial_tsn_(rng.u32()),
      receiver_(config.max_message_size, counters_),
      sender_(local_initial_tsn_, counters_),
      resets_(sender_, receiver_) {}

bool Association::takes_data() const {
  return state_ == State::kCookieEchoed || state_ == State::kEstablished || state_ == State::kShutdownPending ||
         state_ == State::kShutdownSent;
}

bool Association::sends_data() const {
  return state_ == State::kEstablished || state_ == State::kShutdownPending || state_ == State::kShutdownReceived;
}

// --- input ----------------------------------------------------------------------------------------------------------

// RFC 9260 8.5: what the verification tag must be.
bool Association::is_addressed_to_us(const Packet& packet) {
  if (packet.header.destination_port != config_.local_port || packet.header.source_port != config_.remote_port) {
    ++counters_.drop_port;
    return false;
  }
  ChunkReader chunks(packet.chunks);
  const std::optional<Chunk> first = chunks.next();
  const bool is_alone = !chunks.next();
  const uint32_t tag = packet.header.verification_tag;
  bool fits = tag == local_tag_;
  if (first->type == ChunkType::kInit) {
    fits = tag == 0 && is_alone;  // 8.5.1 A
  } else if ((first->type == ChunkType::kAbort || first->type == ChunkType::kShutdownComplete) &&
             (first->flags & kReflectedTagFlag) != 0) {
    fits = peer_tag_ != 0 && tag == peer_tag_;  // 8.5.1 B and C
  }
  if (!fits) ++counters_.drop_tag;
  return fits;
}

void Association::on_packet(Now now, ByteView bytes, AssociationOutput& out) {
  ++counters_.packets_in;
  if (!has_valid_checksum(bytes)) {  // RFC 9260 6.8
    ++counters_.drop_checksum;
    return;
  }
  const std::optional<Packet> packet = parse_packet(bytes);
  if (!packet) {
    ++counters_.drop_malformed;
    return;
  }
  if (!is_addressed_to_us(*packet)) return;
  replies_left_ = kMaxReplies;
  if (state_ == State::kClosed) return on_packet_when_closed(*packet, out);
  ChunkReader chunks(packet->chunks);
  for (size_t i = 0; i < kMaxChunks && state_ != State::kClosed; ++i) {
    const std::optional<Chunk> chunk = chunks.next();
    if (!chunk || !on_chunk(now, *chunk, out)) break;
  }
  if (state_ == State::kClosed) return;
  apply_reset(resets_.on_data(), out);
  flush(now, out);
}

// False: the rest of the packet is not to be looked at.
bool Association::on_chunk(Now now, const Chunk& chunk, AssociationOutput& out) {
  switch (chunk.type) {
    case ChunkType::kData:
      on_data(now, chunk, out);
      return true;
    case ChunkType::kSack:
      on_sack(now, chunk);
      return true;
    case ChunkType::kForwardTsn:
      on_forward_tsn(chunk, out);
      return true;
    case ChunkType::kReConfig:
      on_reconfig(chunk, out);
      return true;
    case ChunkType::kHeartbeat:
      // RFC 9260 8.3: its contents go back as they came.
      if (peer_tag_ == 0 || chunk.value.size() > kMaxEchoed) break;
      reply(out, [&](PacketWriter& packet) { packet.chunk(ChunkType::kHeartbeatAck, 0, chunk.value); });
      return true;
    case ChunkType::kHeartbeatAck:
      return true;
    case ChunkType::kInit:
      on_init(now, chunk, out);
      return true;
    case ChunkType::kInitAck:
      on_init_ack(now, chunk, out);
      return true;
    case ChunkType::kCookieEcho:
      on_cookie_echo(now, chunk, out);
      return true;
    case ChunkType::kCookieAck:
      on_cookie_ack(out);
      return true;
    case ChunkType::kError:
      on_error(now, chunk, out);
      return true;
    case ChunkType::kAbort:
      on_abort(out);
      return false;
    case ChunkType::kShutdown:
      on_shutdown(now, chunk, out);
      return true;
    case ChunkType::kShutdownAck:
      on_shutdown_ack(out);
      return true;
    case ChunkType::kShutdownComplete:
      on_shutdown_complete(out);
      return true;
    default:
      return on_unknown_chunk(chunk, out);
  }
  ++counters_.drop_unexpected;
  return true;
}

bool Association::on_unknown_chunk(const Chunk& chunk, AssociationOutput& out) {
  ++counters_.drop_unknown_chunk;
  if (unknown_is_reported(chunk.type) && peer_tag_ != 0) {
    const ByteView reported = chunk.whole.first(std::min(chunk.whole.size(), kMaxEchoed));
    reply(out, [&](PacketWriter& packet) {
      write_cause(packet, ChunkType::kError, 0, ErrorCause::kUnknownChunk, reported);
    });
  }
  return !unknown_stops(chunk.type);
}

void Association::on_data(Now now, const Chunk& chunk, AssociationOutput& out) {
  if (!takes_data()) {
    ++counters_.drop_unexpected;
    return;
  }
  const std::optional<DataChunk> data = parse_data(chunk);
  if (!data) {
    ++counters_.drop_malformed;
    return;
  }
  const DataReceiver::Outcome outcome = receiver_.on_data(now, *data, messages_);
  hand_over_messages(out);
  switch (outcome) {
    case DataReceiver::Outcome::kOk:
      break;
    case DataReceiver::Outcome::kInvalidStream: {
      std::array<uint8_t, 4> value{};
      store_u16(value.data(), data->stream);
      reply(out, [&](PacketWriter& packet) {
        write_cause(packet, ChunkType::kError, 0, ErrorCause::kInvalidStream, value);
      });
      break;
    }
    case DataReceiver::Outcome::kNoUserData:
      ++counters_.abort_protocol_violation;
      return abort_with(ErrorCause::kNoUserData, DisconnectReason::kProtocolViolation, out);
    case DataReceiver::Outcome::kViolation:
      ++counters_.abort_protocol_violation;
      return abort_with(ErrorCause::kProtocolViolation, DisconnectReason::kProtocolViolation, out);
    case DataReceiver::Outcome::kTooLarge:
      ++counters_.abort_message_too_large;
      return abort_with(ErrorCause::kProtocolViolation, DisconnectReason::kProtocolViolation, out);
    case DataReceiver::Outcome::kReassemblyFull:
      ++counters_.abort_reassembly_full;
      return abort_with(ErrorCause::kProtocolViolation, DisconnectReason::kProtocolViolation, out);
  }
  // RFC 9260 9.2: what still comes after our SHUTDOWN is acknowledged at once by another.
  if (state_ == State::kShutdownSent) {
    receiver_.force_sack(now);
    reply(out, [&](PacketWriter& packet) {
      receiver_.write_sack(packet);
      std::array<uint8_t, 4> cumulative{};
      store_u32(cumulative.data(), receiver_.cumulative_tsn());
      packet.chunk(ChunkType::kShutdown, 0, cumulative);
    });
    start_control_timer(now);
  }
}

void Association::on_sack(Now now, const Chunk& chunk) {
  if (!sends_data()) {
    ++counters_.drop_unexpected;
    return;
  }
  const std::optional<SackChunk> sack = parse_sack(chunk);
  if (!sack) {
    ++counters_.drop_malformed;
    return;
  }
  sender_.on_sack(now, *sack);
}

void Association::on_forward_tsn(const Chunk& chunk, AssociationOutput& out) {
  if (!takes_data()) {
    ++counters_.drop_unexpected;
    return;
  }
  const std::optional<ForwardTsnChunk> forward = parse_forward_tsn(chunk);
  if (!forward) {
    ++counters_.drop_malformed;
    return;
  }
  receiver_.on_forward_tsn(*forward, messages_);
  hand_over_messages(out);
}

void Association::hand_over_messages(AssociationOutput& out) {
  for (Message& message : messages_) out.events.emplace_back(std::move(message));
  messages_.clear();
}

void Association::on_reconfig(const Chunk& chunk, AssociationOutput& out) {
  if (!takes_data()) {
    ++counters_.drop_unexpected;
    return;
  }
  const std::optional<ReconfigChunk> reconfig = parse_reconfig(chunk);
  if (!reconfig) {
    ++counters_.drop_malformed;
    return;
  }
  for (size_t i = 0; i < reconfig->count; ++i) apply_reset(resets_.on_parameter(reconfig->parameters[i]), out);
}

void Association::apply_reset(StreamReset::Done done, AssociationOutput& out) {
  if (done.response) {
    reply(out, [&](PacketWriter& packet) { write_reconfig(packet, *done.response); });
  }
  if (done.reset_by_peer) out.events.emplace_back(PeerResetStreams{std::move(*done.reset_by_peer)});
  if (done.outgoing_reset) out.events.emplace_back(StreamsReset{std::move(*done.outgoing_reset)});
}

// --- output ---------------------------------------------------------------------------------------------------------

bool Association::send(Now now, uint16_t stream, uint32_t ppid, ByteView payload, const Reliability& reliability,
                       AssociationOutput& out) {
  const bool is_open = state_ <= State::kEstablished;
  if (!is_open || payload.empty() || payload.size() > config_.max_send_size || stream >= outbound_streams_)
    return false;
  if (resets_.is_resetting(stream) || !sender_.enqueue(now, stream, ppid, payload, reliability)) return false;
  flush(now, out);
  return true;
}

void Association::reset_stream(Now now, uint16_t stream, AssociationOutput& out) {
  if (state_ > State::kEstablished || resets_.is_resetting(stream)) return;
  resets_.reset(stream);
  flush(now, out);
}

void Association::emit(PacketWriter& packet, AssociationOutput& out) {
  const ByteView bytes = packet.finish();
  ASSERT(!bytes.empty());
  out.packets.emplace_back(bytes.begin(), bytes.end());
  ++counters_.packets_out;
}

// Sends what is due: acknowledgements, retransmissions, new data, stream resets, and SHUTDOWN when nothing is left,
// which giving a message up can bring about as well as a SACK.
void Association::flush(Now now, AssociationOutput& out) {
  const bool acknowledges = takes_data() && state_ != State::kCookieEchoed;
  if (!acknowledges && !sends_data()) return;
  std::array<uint8_t, kMaxPacketSize> buffer;
  for (size_t i = 0; i < kMaxBurst; ++i) {
    PacketWriter packet(buffer, {config_.local_port, config_.remote_port, peer_tag_});
    // An acknowledgement that may still wait goes along with data.
    const bool takes_along = receiver_.has_sack() && sends_data() && sender_.has_something_to_send();
    if (acknowledges && (receiver_.wants_sack(now) || takes_along)) receiver_.write_sack(packet);
    // Control chunks come first (RFC 9260 6.10). Behind the data, a burst of full packets would leave a request that
    // is due without a place, and its timer without an end.
    if (state_ == State::kEstablished && peer_has_reconfig_ && packet.left() > kMaxPacketSize / 2) {
      resets_.write_request(now, packet);
    }
    if (sends_data()) sender_.write_data(now, packet);
    if (packet.empty()) break;
    emit(packet, out);
  }
  advance_shutdown(now, out);
}

// --- timers ---------------------------------------------------------------------------------------------------------

Instant Association::next_timeout() const {
  Instant next = control_at_;
  if (state_ == State::kClosed) return kNever;
  if (takes_data() && state_ != State::kCookieEchoed) next = std::min(next, receiver_.sack_at());
  if (sends_data()) next = std::min(next, sender_.next_timeout());
  if (state_ == State::kEstablished) next = std::min(next, resets_.next_timeout());
  return next;
}

void Association::on_timeout(Now now, AssociationOutput& out) {
  if (state_ == State::kClosed) return;
  if (control_at_ <= now.mono) on_control_timeout(now, out);
  if (sends_data()) sender_.on_timeout(now);
  if (state_ == State::kClosed) return;
  if (sender_.timeouts_in_a_row() > kMaxRetransmits || resets_.tries() > kMaxRetransmits) {
    return abort_with(ErrorCause::kUserInitiated, DisconnectReason::kTimeout, out);  // RFC 9260 8.1
  }
  flush(now, out);
}

void Association::start_control_timer(Now now) {
  control_rto_ = state_ < State::kEstablished ? kRtoInitial : sender_.rto();
  control_tries_ = 0;
  control_at_ = now.mono + control_rto_;
}

// RFC 9260 5.1 and 9.2: T1-init, T1-cookie and T2-shutdown.
void Association::on_control_timeout(Now now, AssociationOutput& out) {
  const bool is_handshake = state_ < State::kEstablished;
  ++control_tries_;
  if (control_tries_ > (is_handshake ? kMaxInitRetransmits : kMaxShutdownRetransmits)) {
    return abort_with(ErrorCause::kUserInitiated, DisconnectReason::kTimeout, out);
  }
  control_rto_ = std::min(2 * control_rto_, is_handshake ? kHandshakeRtoMax : kRtoMax);
  control_at_ = now.mono + control_rto_;
  switch (state_) {
    case State::kCookieWait:
      return send_init(out);
    case State::kCookieEchoed:
      return send_cookie_echo(out);
    case State::kShutdownSent:
      return send_shutdown(out);
    case State::kShutdownAckSent:
      return send_shutdown_ack(out);
    default:
      stop_control_timer();
      return;
  }
}

}  // namespace atm::sctp
