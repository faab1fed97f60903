#include "core/turn/relay_peers.h"

#include <algorithm>

#include "core/turn/stream_frames.h"

namespace atm::turn {
namespace {

constexpr uint16_t kStaleNonce = 438;
constexpr uint16_t kAllocationMismatch = 437;
// Of a Send indication: header, XOR-PEER-ADDRESS of IPv6, DATA's header and padding.
constexpr size_t kIndicationRoom = 20 + 24 + 4 + 3;

}  // namespace

RelayPeers::Peer* RelayPeers::find(const SocketAddress& address) {
  const auto at = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& peer) { return peer.address == address; });
  return at == peers_.end() ? nullptr : &*at;
}

RelayPeers::Peer& RelayPeers::add(Instant now, const SocketAddress& address) {
  if (peers_.size() == kMaxPeers) {
    ++link_.counters.peers_evicted;
    const auto oldest = std::min_element(peers_.begin(), peers_.end(),
                                         [](const Peer& a, const Peer& b) { return a.used_at < b.used_at; });
    drop_held(oldest->address);
    peers_.erase(oldest);
  }
  Peer peer;
  peer.address = address;
  // RFC 8656 9: a permission is for an IP address, whatever the port.
  for (const Peer& other : peers_) {
    if (other.address.ip == address.ip) peer.permitted_until = std::max(peer.permitted_until, other.permitted_until);
  }
  if (peer.permitted_until > now) peer.refresh_at = peer.permitted_until - (kPermissionLifetime - kPermissionRefresh);
  return peers_.emplace_back(std::move(peer));
}

void RelayPeers::send(Instant now, const SocketAddress& to, ByteView datagram, SendBatch& out) {
  Peer* peer = find(to);
  if (peer == nullptr) peer = &add(now, to);
  peer->used_at = now;
  if (peer->permitted_until > now) return forward(now, *peer, datagram, out);
  if (peer->refused_until > now) {
    ++link_.counters.dropped_refused;
    return;
  }
  hold(to, datagram);
  if (!peer->transaction.is_open()) ask(now, *peer, peer->is_bound, out);
}

void RelayPeers::forward(Instant now, Peer& peer, ByteView datagram, SendBatch& out) {
  if (peer.is_bound) return write_channel_data(peer, datagram, out);
  write_indication(peer, datagram, out);
  // A channel saves 32 bytes of each packet: for what carries media, not for each pair that is checked.
  const bool is_free = !peer.transaction.is_open() && peer.refused_until <= now;
  if (is_free && !stun::is_stun(datagram) && next_channel_ <= kLastChannel) ask(now, peer, true, out);
}

void RelayPeers::ask(Instant now, Peer& peer, bool for_channel, SendBatch& out) {
  if (for_channel && peer.channel == 0) peer.channel = next_channel_++;
  peer.asks_channel = for_channel;
  const auto write = [&](stun::MessageWriter& writer) {
    if (for_channel) writer.number(stun::Attribute::kChannelNumber, uint32_t{peer.channel} << 16);
    writer.xor_address(stun::Attribute::kXorPeerAddress, peer.address);
  };
  link_.ask(now, peer.transaction, for_channel ? stun::kChannelBind : stun::kCreatePermission, write, out);
}

void RelayPeers::write_channel_data(const Peer& peer, ByteView datagram, SendBatch& out) {
  Writer writer(out.reserve(kChannelHeaderSize + datagram.size() + 3));
  writer.u16(peer.channel);
  writer.u16(static_cast<uint16_t>(datagram.size()));
  writer.bytes(datagram);
  if (link_.is_stream()) writer.pad_to(4);  // RFC 8656 12.5
  out.commit(link_.path, writer.size());
  ++link_.counters.sent_by_channel;
}

void RelayPeers::write_indication(const Peer& peer, ByteView datagram, SendBatch& out) {
  stun::MessageWriter writer(out.reserve(kIndicationRoom + datagram.size()), stun::Class::kIndication, link_.make_id(),
                             stun::kSendIndication);
  writer.xor_address(stun::Attribute::kXorPeerAddress, peer.address);
  writer.bytes(stun::Attribute::kData, datagram);
  out.commit(link_.path, writer.finish());
  ++link_.counters.sent_by_indication;
}

void RelayPeers::hold(const SocketAddress& to, ByteView datagram) {
  if (held_count_ == held_.size()) {
    ++link_.counters.dropped_full;
    return;
  }
  Held& held = held_[held_count_++];
  held.to = to;
  held.bytes.assign(datagram.begin(), datagram.end());
  ++link_.counters.held;
}

void RelayPeers::release_held(Instant now, const IpAddress& ip, SendBatch& out) {
  size_t kept = 0;
  for (size_t i = 0; i < held_count_; ++i) {
    Peer* peer = held_[i].to.ip == ip ? find(held_[i].to) : nullptr;
    if (peer != nullptr) {
      forward(now, *peer, held_[i].bytes, out);
    } else {
      std::swap(held_[kept++], held_[i]);
    }
  }
  held_count_ = kept;
}

void RelayPeers::drop_held(const SocketAddress& to) {
  size_t kept = 0;
  for (size_t i = 0; i < held_count_; ++i) {
    if (held_[i].to != to) std::swap(held_[kept++], held_[i]);
  }
  held_count_ = kept;
}

std::optional<SocketAddress> RelayPeers::find_by_channel(uint16_t channel) const {
  for (const Peer& peer : peers_) {
    if (peer.channel == channel) return peer.address;
  }
  return std::nullopt;
}

void RelayPeers::refuse(Instant now, Peer& peer) {
  peer.refused_until = now + kRefusalTime;
  peer.refresh_at = kNever;
  drop_held(peer.address);
}

RelayPeers::Answer RelayPeers::on_answer(Instant now, const stun::Message& message, SendBatch& out) {
  const auto peer =
      std::find_if(peers_.begin(), peers_.end(), [&](const Peer& known) { return known.transaction.owns(message.id); });
  if (peer == peers_.end()) return {};
  peer->transaction.end();
  if (message.message_class == stun::Class::kSuccess) {
    ++link_.counters.responses;
    peer->challenges = 0;
    peer->is_bound |= peer->asks_channel;
    // RFC 8656 12.2: a binding is a permission as well. Its own ten minutes are over later, so both are renewed at
    // once.
    peer->permitted_until = now + kPermissionLifetime;
    peer->refresh_at = now + kPermissionRefresh;
    for (Peer& other : peers_) {
      if (other.address.ip != peer->address.ip) continue;
      other.permitted_until = std::max(other.permitted_until, peer->permitted_until);
      if (other.refresh_at == kNever) other.refresh_at = peer->refresh_at;
    }
    const IpAddress ip = peer->address.ip;
    release_held(now, ip, out);
    return {Outcome::kTaken, {}};
  }
  ++link_.counters.errors_received;
  const uint16_t code = error_code_of(message);
  if (code == kStaleNonce && peer->challenges < kMaxChallenges && link_.credentials.on_challenge(message)) {
    ++peer->challenges;
    ask(now, *peer, peer->asks_channel, out);
    return {Outcome::kTaken, {}};
  }
  if (code == kAllocationMismatch) return {Outcome::kAllocationLost, {}};
  refuse(now, *peer);
  return {Outcome::kRefused, peer->address};
}

void RelayPeers::on_timeout(Instant now, SendBatch& out) {
  for (Peer& peer : peers_) {
    switch (peer.transaction.on_timeout(now)) {
      case Transaction::Due::kSendAgain:
        link_.send_again(peer.transaction, out);
        break;
      case Transaction::Due::kGivenUp:
        ++link_.counters.timeouts;
        refuse(now, peer);
        break;
      case Transaction::Due::kNothing:
        break;
    }
    if (now < peer.refresh_at) continue;
    peer.refresh_at = kNever;
    const bool is_used = now - peer.used_at < kPeerIdle;
    if (is_used && !peer.transaction.is_open()) ask(now, peer, peer.is_bound, out);
  }
}

Instant RelayPeers::next_timeout() const {
  Instant out = kNever;
  for (const Peer& peer : peers_) out = std::min({out, peer.transaction.next_timeout(), peer.refresh_at});
  return out;
}

void RelayPeers::clear() {
  peers_.clear();
  held_count_ = 0;
}

}  // namespace atm::turn
