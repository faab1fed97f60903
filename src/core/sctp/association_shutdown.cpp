// Association's ways to end (RFC 9260 9): ABORT, and the SHUTDOWN sequence from either side or from both at once.
#include <array>

#include "core/sctp/association.h"

namespace atm::sctp {

void Association::go_down(DisconnectReason reason, AssociationOutput& out) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  stop_control_timer();
  out.events.emplace_back(AssociationDown{reason});
}

void Association::abort_with(ErrorCause cause, DisconnectReason reason, AssociationOutput& out) {
  if (state_ == State::kClosed) return;
  if (peer_tag_ != 0) {
    send_packet(peer_tag_, out, [&](PacketWriter& packet) { write_cause(packet, ChunkType::kAbort, 0, cause, {}); });
  }
  go_down(reason, out);
}

void Association::abort(AssociationOutput& out) {
  abort_with(ErrorCause::kUserInitiated, DisconnectReason::kAborted, out);
}

void Association::on_abort(AssociationOutput& out) {
  if (state_ == State::kIdle) {
    ++counters_.drop_unexpected;
    return;
  }
  go_down(DisconnectReason::kPeerAborted, out);
}

void Association::on_packet_when_closed(const Packet& packet, AssociationOutput& out) {
  // RFC 9260 8.4 (5): our SHUTDOWN-COMPLETE was lost, and the peer waits for it.
  const std::optional<Chunk> first = ChunkReader(packet.chunks).next();
  if (first->type == ChunkType::kShutdownAck) {
    reply(out, [](PacketWriter& answer) { answer.chunk(ChunkType::kShutdownComplete, 0, {}); });
  } else {
    ++counters_.drop_unexpected;
  }
}

void Association::close(Now now, AssociationOutput& out) {
  if (state_ == State::kEstablished) {
    state_ = State::kShutdownPending;
    flush(now, out);
  } else if (state_ < State::kEstablished) {
    abort(out);
  }
}

// Goes on when everything queued has been acknowledged (RFC 9260 9.2).
void Association::advance_shutdown(Now now, AssociationOutput& out) {
  if (!sender_.is_drained()) return;
  if (state_ == State::kShutdownPending) {
    state_ = State::kShutdownSent;
    start_control_timer(now);
    send_shutdown(out);
  } else if (state_ == State::kShutdownReceived) {
    state_ = State::kShutdownAckSent;
    start_control_timer(now);
    send_shutdown_ack(out);
  }
}

void Association::send_shutdown(AssociationOutput& out) {
  std::array<uint8_t, 4> cumulative{};
  store_u32(cumulative.data(), receiver_.cumulative_tsn());
  send_packet(peer_tag_, out, [&](PacketWriter& packet) { packet.chunk(ChunkType::kShutdown, 0, cumulative); });
}

void Association::send_shutdown_ack(AssociationOutput& out) {
  send_packet(peer_tag_, out, [](PacketWriter& packet) { packet.chunk(ChunkType::kShutdownAck, 0, {}); });
}

void Association::on_shutdown(Now now, const Chunk& chunk, AssociationOutput& out) {
  const std::optional<uint32_t> cumulative = parse_shutdown(chunk);
  if (!cumulative) {
    ++counters_.drop_malformed;
    return;
  }
  switch (state_) {
    case State::kEstablished:
    case State::kShutdownPending:
      state_ = State::kShutdownReceived;
      [[fallthrough]];
    case State::kShutdownReceived:
      sender_.on_cumulative_tsn(now, *cumulative);
      return;                   // then flush()
    case State::kShutdownSent:  // both at once
      state_ = State::kShutdownAckSent;
      start_control_timer(now);
      [[fallthrough]];
    case State::kShutdownAckSent:
      reply(out, [](PacketWriter& packet) { packet.chunk(ChunkType::kShutdownAck, 0, {}); });
      return;
    default:
      ++counters_.drop_unexpected;
      return;
  }
}

void Association::on_shutdown_ack(AssociationOutput& out) {
  if (state_ != State::kShutdownSent && state_ != State::kShutdownAckSent) {
    ++counters_.drop_unexpected;
    return;
  }
  reply(out, [](PacketWriter& packet) { packet.chunk(ChunkType::kShutdownComplete, 0, {}); });
  go_down(DisconnectReason::kShutdown, out);
}

void Association::on_shutdown_complete(AssociationOutput& out) {
  if (state_ != State::kShutdownAckSent) {
    ++counters_.drop_unexpected;
    return;
  }
  go_down(DisconnectReason::kShutdown, out);
}

}  // namespace atm::sctp
