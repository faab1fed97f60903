// A client of one TURN server (RFC 8656) with one allocation, sans-IO: has an address relayed, keeps it, and carries
// datagrams between it and any number of peers. Over UDP, or over a byte stream (TCP, TLS) that the caller has.
// The gatherer owns one for each server and local address. Bytes of the server and the time go in; bytes for the
// server, datagrams of peers and events come out. It promises bounded memory, errors whose text a user can act on, and
// no allocation for each packet. One relayed address of one family (no EVEN-PORT, no RFC 6062, no
// ADDITIONAL-ADDRESS-FAMILY).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/turn/relay_peers.h"
#include "core/turn/server_url.h"
#include "core/turn/stream_frames.h"

namespace atm::turn {

inline constexpr Duration kAllocationLifetime = 10min;  // asked for; RFC 8656 3.2
inline constexpr Duration kRefreshAhead = 1min;         // of the end of the lifetime that was given
inline constexpr int kMaxRedirects = 2;                 // RFC 8489 10: other servers (300) that are tried
inline constexpr int kReleaseSends = 3;                 // of a Refresh with lifetime 0: nobody waits for it

struct Allocated {
  SocketAddress relayed;
  SocketAddress mapped;  // how the server sees us
};
// Before or after Allocated: there is no allocation, and it will not be asked for again. `code`: of STUN, or 0.
struct Failed {
  uint16_t code = 0;
  std::string why;  // "TURN server turn.example.org:3478 refused the credentials (401)"
};
// The server does not relay to that address: a rule of its operator, most of the time.
struct PeerRefused {
  SocketAddress peer;
  std::string why;
};
using TurnEvent = std::variant<Allocated, Failed, PeerRefused>;

struct TurnOutput {
  SendBatch& to_server;             // with TurnConfig::server for a path; over a stream an entry is a part of it, whole
  std::vector<Datagram>& received;  // of peers: views into what went in or into the client, good until the next input
  std::vector<TurnEvent>& events;
};

struct TurnConfig {
  ServerUrl url;  // for messages
  // Where the server is and from where it is reached. Transport::kTcp for a stream, of TLS too; `local_port` is left as
  // it is, so that streams can be told apart by it.
  Path server;
  std::string username, credential;
  bool wants_v6 = false;  // the family of the relayed address
};

class TurnClient {
 public:
  TurnClient(const TurnConfig& config, Rng& rng);

  void start(Now now, TurnOutput& out);
  // False: the datagram came from elsewhere or is not for this client, and may be an ICE peer's at that address.
  bool on_datagram(Now now, const Datagram& datagram, TurnOutput& out);
  // Of the stream, in any cut.
  void on_stream_bytes(Now now, MutByteView bytes, TurnOutput& out);
  // `why`: "closed the connection", "could not be reached: …"; follows the server's name in the message.
  void on_stream_closed(const std::string& why, TurnOutput& out);
  // To a peer, from the relayed address.
  void wrap(Now now, const SocketAddress& peer, ByteView datagram, TurnOutput& out);
  // Gives the allocation back. is_ended() once the server has said so, or has not for a while.
  void close(Now now, TurnOutput& out);
  // Without a word to the server: what it gave cannot be used.
  void stop() { end(); }
  void on_timeout(Now now, TurnOutput& out);
  Instant next_timeout() const;

  const std::optional<SocketAddress>& relayed_address() const { return relayed_; }
  // Of a datagram from that peer: local are IP address and port that are relayed.
  Path path_of(const SocketAddress& peer) const { return {peer, relayed_->ip, Transport::kUdp, relayed_->port}; }
  const Path& server() const { return link_.path; }
  bool is_ended() const { return state_ == State::kEnded; }
  const Counters& counters() const { return link_.counters; }

 private:
  enum class State : uint8_t { kNew, kAllocating, kAllocated, kClosing, kEnded };
  enum class Asked : uint8_t { kAllocate, kRefresh, kRelease, kRemoveOld };

  void ask(Now now, Asked what, TurnOutput& out);
  void take_frame(Now now, Instant arrived, MutByteView frame, TurnOutput& out);
  void on_channel_data(Instant arrived, MutByteView frame, TurnOutput& out);
  void on_indication(Instant arrived, MutByteView frame, const stun::Message& message, TurnOutput& out);
  void on_answer(Now now, const stun::Message& message, TurnOutput& out);
  void on_success(Now now, const stun::Message& message, TurnOutput& out);
  void on_error(Now now, const stun::Message& message, TurnOutput& out);
  bool redirect(Now now, const stun::Message& message, TurnOutput& out);
  std::string text_of_error(const stun::Message& message) const;
  void fail(uint16_t code, const std::string& why, TurnOutput& out);
  void end();

  // given
  TurnConfig config_;
  // owned
  ServerLink link_;
  RelayPeers peers_{link_};
  StreamFrames frames_;
  Transaction transaction_;  // of the allocation
  // state
  State state_ = State::kNew;
  Asked asked_ = Asked::kAllocate;
  std::optional<SocketAddress> relayed_;
  Instant refresh_at_ = kNever;
  int challenges_ = 0;
  int redirects_ = 0;
  bool removed_old_ = false;
  std::vector<MutByteView> split_;  // reused
};

}  // namespace atm::turn
