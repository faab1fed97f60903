// Association's way from nothing to established (RFC 9260 5): INIT, INIT-ACK, COOKIE-ECHO, COOKIE-ACK, from either
// side or from both at once.
#include <algorithm>

#include "core/sctp/association.h"

namespace atm::sctp {

InitChunk Association::own_init() const {
  InitChunk init;
  init.initiate_tag = local_tag_;
  init.receiver_window = static_cast<uint32_t>(kReceiveWindow);
  init.outbound_streams = kMaxStreams;
  init.inbound_streams = kMaxStreams;
  init.initial_tsn = local_initial_tsn_;
  init.has_forward_tsn = true;
  init.has_reconfig = true;
  return init;
}

void Association::connect(Now now, AssociationOutput& out) {
  if (state_ != State::kIdle) return;
  state_ = State::kCookieWait;
  start_control_timer(now);
  send_init(out);
}

void Association::send_init(AssociationOutput& out) {
  send_packet(0, out, [&](PacketWriter& packet) { write_init(packet, ChunkType::kInit, own_init()); });
}

void Association::send_cookie_echo(AssociationOutput& out) {
  send_packet(peer_tag_, out, [&](PacketWriter& packet) { packet.chunk(ChunkType::kCookieEcho, 0, peer_cookie_); });
}

void Association::on_init(Now now, const Chunk& chunk, AssociationOutput& out) {
  // RFC 9260 5.2.2 answers an INIT in a running association so that a peer can restart. Over DTLS it cannot: that
  // would be a new DTLS connection. A late copy of the first INIT needs no answer.
  if (state_ > State::kCookieEchoed) {
    ++counters_.drop_unexpected;
    return;
  }
  const std::optional<InitChunk> init = parse_init(chunk);
  if (!init) {
    ++counters_.drop_malformed;
    return;
  }
  CookieContents contents;
  contents.made_at = now.mono;
  contents.local_tag = local_tag_;
  contents.peer_tag = init->initiate_tag;
  contents.peer_initial_tsn = init->initial_tsn;
  contents.peer_window = init->receiver_window;
  contents.outbound_streams = std::min(kMaxStreams, init->inbound_streams);
  contents.inbound_streams = std::min(kMaxStreams, init->outbound_streams);
  contents.has_forward_tsn = init->has_forward_tsn;
  contents.has_reconfig = init->has_reconfig;
  const auto cookie = cookies_.seal(contents);
  // RFC 9260 5.2.1: in a simultaneous open the answer carries the tag and TSN of our own INIT; ours never change.
  InitChunk answer = own_init();
  answer.cookie = cookie;
  size_t room = kMaxEchoed - CookieSeal::kSize;
  for (size_t i = 0; i < init->reported_count; ++i) {  // RFC 9260 3.2.1: parameters that ask to be reported
    const size_t size = kTlvHeaderSize + padded(init->reported[i].size());
    if (size > room) break;
    room -= size;
    answer.reported[answer.reported_count++] = init->reported[i];
  }
  send_packet(init->initiate_tag, out, [&](PacketWriter& packet) { write_init(packet, ChunkType::kInitAck, answer); });
}

// The peer's part of the handshake, from its INIT-ACK or from the cookie that holds its INIT.
void Association::adopt(const CookieContents& peer) {
  peer_tag_ = peer.peer_tag;
  outbound_streams_ = peer.outbound_streams;
  peer_has_reconfig_ = peer.has_reconfig;
  receiver_.start(peer.peer_initial_tsn, peer.inbound_streams);
  sender_.start(peer.peer_window, peer.outbound_streams, peer.has_forward_tsn);
  resets_.start(local_initial_tsn_, peer.peer_initial_tsn);
}

void Association::on_init_ack(Now now, const Chunk& chunk, AssociationOutput& out) {
  if (state_ != State::kCookieWait) {  // RFC 9260 5.2.3
    ++counters_.drop_unexpected;
    return;
  }
  const std::optional<InitChunk> init = parse_init(chunk);
  // A cookie that does not fit a packet of ours cannot be echoed.
  if (!init || init->cookie.size() > kMaxPacketSize - kCommonHeaderSize - kTlvHeaderSize) {
    ++counters_.drop_malformed;
    return;
  }
  CookieContents peer;
  peer.peer_tag = init->initiate_tag;
  peer.peer_initial_tsn = init->initial_tsn;
  peer.peer_window = init->receiver_window;
  peer.outbound_streams = std::min(kMaxStreams, init->inbound_streams);
  peer.inbound_streams = std::min(kMaxStreams, init->outbound_streams);
  peer.has_forward_tsn = init->has_forward_tsn;
  peer.has_reconfig = init->has_reconfig;
  adopt(peer);
  peer_cookie_.assign(init->cookie.begin(), init->cookie.end());
  state_ = State::kCookieEchoed;
  start_control_timer(now);
  send_cookie_echo(out);
}

void Association::on_cookie_echo(Now now, const Chunk& chunk, AssociationOutput& out) {
  CookieContents peer;
  const CookieSeal::Verdict verdict = cookies_.open(now, chunk.value, peer);
  if (verdict == CookieSeal::Verdict::kForged) {
    ++counters_.drop_cookie_forged;
    return;
  }
  if (peer.local_tag != local_tag_) {
    ++counters_.drop_cookie_stale_tags;
    return;
  }
  const bool is_same_peer = peer.peer_tag == peer_tag_;
  if (state_ >= State::kEstablished) {
    if (!is_same_peer) {  // RFC 9260 5.2.4 table 12, A and C: a restart, or late; neither happens over one DTLS
      ++counters_.drop_cookie_stale_tags;
      return;
    }
    // D: our COOKIE-ACK was lost. Age does not matter then (5.2.4 step 3).
    reply(out, [](PacketWriter& packet) { packet.chunk(ChunkType::kCookieAck, 0, {}); });
    return;
  }
  if (verdict == CookieSeal::Verdict::kExpired) {
    ++counters_.drop_cookie_expired;
    std::array<uint8_t, 4> staleness{};  // RFC 9260 3.3.10.3: microseconds beyond its life
    const int64_t over = std::min<int64_t>(to_us(now.mono - peer.made_at - kCookieLifetime), UINT32_MAX);
    store_u32(staleness.data(), static_cast<uint32_t>(over));
    if (replies_left_ == 0) return;
    --replies_left_;
    send_packet(peer.peer_tag, out, [&](PacketWriter& packet) {
      write_cause(packet, ChunkType::kError, 0, ErrorCause::kStaleCookie, staleness);
    });
    return;
  }
  // B and D: in COOKIE-ECHOED the INIT-ACK told the same already, unless the peer has begun anew since.
  if (state_ != State::kCookieEchoed || !is_same_peer) adopt(peer);
  send_packet(peer_tag_, out, [](PacketWriter& packet) { packet.chunk(ChunkType::kCookieAck, 0, {}); });
  become_established(out);
}

void Association::on_cookie_ack(AssociationOutput& out) {
  if (state_ != State::kCookieEchoed) {  // RFC 9260 5.2.5
    ++counters_.drop_unexpected;
    return;
  }
  become_established(out);
}

void Association::become_established(AssociationOutput& out) {
  state_ = State::kEstablished;
  stop_control_timer();
  peer_cookie_ = Bytes();
  out.events.emplace_back(AssociationUp{});
}

void Association::on_error(Now now, const Chunk& chunk, AssociationOutput& out) {
  const std::optional<Parameter> cause = first_cause(chunk);
  const bool is_stale_cookie = cause && cause->type == static_cast<uint16_t>(ErrorCause::kStaleCookie);
  if (!is_stale_cookie || state_ != State::kCookieEchoed) return;  // the rest is for information
  // RFC 9260 5.2.6: begins again, with the tries that are left.
  state_ = State::kCookieWait;
  control_at_ = now.mono + control_rto_;
  send_init(out);
}

}  // namespace atm::sctp
