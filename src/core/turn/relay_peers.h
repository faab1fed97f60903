// The peers of one allocation (RFC 8656 9 to 12): asks the server to let them in (permissions), gives those that media
// goes to a channel, keeps both alive for as long as they are used, and wraps what is sent. Owned by the TURN client.
// What is sent to a peer that is not let in yet is held, a few datagrams of all peers together.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/turn/server_link.h"

namespace atm::turn {

// An agent has 32 remote candidates at most (core/ice), and those from before a restart may still be in use. The one
// used longest ago makes room.
inline constexpr size_t kMaxPeers = 64;
// The checks of the first moments; each is sent again when it is lost.
inline constexpr size_t kMaxHeldDatagrams = 16;
inline constexpr Duration kPermissionLifetime = 5min;  // RFC 8656 9
inline constexpr Duration kPermissionRefresh = 4min;   // leaves a minute for retransmissions
// A peer that nothing was sent to for this long is not kept.
inline constexpr Duration kPeerIdle = 5min;
// How long nothing is sent to a peer that the server refused, or did not answer for.
inline constexpr Duration kRefusalTime = 30s;
inline constexpr uint16_t kFirstChannel = 0x4000, kLastChannel = 0x4fff;  // RFC 8656 12

class RelayPeers {
 public:
  explicit RelayPeers(ServerLink& link) : link_(link) {}

  // `datagram` leaves now, or is held; dropped and counted when neither is possible.
  void send(Instant now, const SocketAddress& to, ByteView datagram, SendBatch& out);
  std::optional<SocketAddress> find_by_channel(uint16_t channel) const;

  enum class Outcome : uint8_t { kUnknown, kTaken, kRefused, kAllocationLost };
  struct Answer {
    Outcome outcome = Outcome::kUnknown;
    SocketAddress peer;  // with kRefused
  };
  // An authentic answer of the server. kUnknown: to nothing that was asked for a peer.
  Answer on_answer(Instant now, const stun::Message& message, SendBatch& out);
  void on_timeout(Instant now, SendBatch& out);
  Instant next_timeout() const;
  // The allocation is gone.
  void clear();
  size_t size() const { return peers_.size(); }

 private:
  struct Peer {
    SocketAddress address;
    Instant used_at{};
    Instant permitted_until{};
    Instant refused_until{};
    Instant refresh_at = kNever;
    uint16_t channel = 0;  // its number, bound or not
    bool is_bound = false;
    bool asks_channel = false;  // what the transaction is
    int challenges = 0;
    Transaction transaction;
  };
  struct Held {
    SocketAddress to;
    Bytes bytes;
  };

  Peer* find(const SocketAddress& address);
  Peer& add(Instant now, const SocketAddress& address);
  void ask(Instant now, Peer& peer, bool for_channel, SendBatch& out);
  void forward(Instant now, Peer& peer, ByteView datagram, SendBatch& out);
  void write_channel_data(const Peer& peer, ByteView datagram, SendBatch& out);
  void write_indication(const Peer& peer, ByteView datagram, SendBatch& out);
  void hold(const SocketAddress& to, ByteView datagram);
  void release_held(Instant now, const IpAddress& ip, SendBatch& out);
  void drop_held(const SocketAddress& to);
  void refuse(Instant now, Peer& peer);

  ServerLink& link_;
  std::vector<Peer> peers_;
  std::array<Held, kMaxHeldDatagrams> held_;  // buffers are used again
  size_t held_count_ = 0;
  uint16_t next_channel_ = kFirstChannel;
};

}  // namespace atm::turn
