// All local candidates of one session (RFC 8445 5.1.1): its host addresses, how STUN servers see them, and addresses
// that TURN servers relay; and after that the layer between the agent and the sockets that makes a relayed address look
// like a local one. For the client's session engine, one for each connection. What core/peer sends goes through
// route(), what the sockets receive through on_datagram(); streams to TURN servers are asked for by an event, opened by
// the caller and given bytes by it. Candidates come as they are found (trickle), one server is begun every
// kGatheringPace. It promises bounded memory and no allocation for each packet. It opens no socket, resolves no name,
// and keeps no ICE state: what it finds has to be given to the agent.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/ice/candidate.h"
#include "core/turn/stun_client.h"
#include "core/turn/turn_client.h"

namespace atm::turn {

inline constexpr size_t kMaxHostAddresses = 8;  // of this machine; further ones are not used
inline constexpr size_t kMaxServers = 16;       // as resolved; further ones are refused
// A server from one local address. Further ones are left out: those of the last addresses and servers.
inline constexpr size_t kMaxSources = 32;
inline constexpr size_t kMaxReflexive = 16;       // server-reflexive candidates; NATs make one for each server at worst
inline constexpr Duration kGatheringPace = 50ms;  // Ta, RFC 8445 14.2

// One of `ice_servers`, by one of the addresses that its host has.
struct Server {
  ServerUrl url;
  SocketAddress address;
  std::string username, credential;
};

struct CandidateFound {
  ice::Candidate candidate;
};
// Its address has gone, or its allocation; `why` of an allocation is for the user.
struct CandidateLost {
  ice::Candidate candidate;
  std::string why;
};
struct ServerFailed {
  ServerUrl url;
  uint16_t code = 0;  // of STUN, or 0
  std::string why;
};
// A stream to a server is needed: url.protocol says whether with TLS, for url.host. Then on_stream_open().
struct StreamWanted {
  uint16_t stream = 0;
  ServerUrl url;
  SocketAddress address;
};
struct StreamUnwanted {
  uint16_t stream = 0;
};
// Each server has been heard or given up, for now.
struct GatheringDone {};
using Event =
    std::variant<CandidateFound, CandidateLost, ServerFailed, PeerRefused, StreamWanted, StreamUnwanted, GatheringDone>;

struct Output {
  // For the sockets. Transport::kTcp: for the stream that path.local_port names; an entry goes out whole or not at all.
  SendBatch& datagrams;
  // Relayed ones, for core/peer, with the relayed address for the local end of their path. Views into the input or into
  // the gatherer, good until the next call.
  std::vector<Datagram>& received;
  std::vector<Event>& events;
};

struct GathererOptions {
  bool only_relayed = false;  // no host and no server-reflexive candidates: hides the addresses of this machine
  bool wants_v6 = false;      // the family of relayed addresses
};

class Gatherer {
 public:
  Gatherer(const GathererOptions& options, Rng& rng) : options_(options), rng_(rng) {}

  // A socket is bound there. The most preferred first.
  void add_host(Now now, const SocketAddress& address, Output& out);
  // The address has gone with its interface.
  void remove_host(Now now, const SocketAddress& address, Output& out);
  void add_server(Now now, const Server& server, Output& out);
  // Other ones for a server that is known, where they have ended with time. An allocation that is there keeps those
  // that it was made with (RFC 8656 5: others are refused, 441); when the server takes them no more, another is made.
  void set_credentials(Now now, const ServerUrl& url, const std::string& username, const std::string& credential,
                       Output& out);
  // Asks again, for an ICE restart on another network: those that failed or lost their allocation, and for mappings.
  void regather(Now now, Output& out);
  // Gives all allocations back. is_closed() when the servers have confirmed that, or nothing can be waited for.
  void close(Now now, Output& out);

  // What a socket received. False: it is no server's, and core/peer has to see it as it is.
  bool on_datagram(Now now, const Datagram& datagram, Output& out);
  void on_stream_open(Now now, uint16_t stream, Output& out);
  void on_stream_bytes(Now now, uint16_t stream, MutByteView bytes, Output& out);
  // Also of one that could not be opened. `why` follows the server's name: "could not be reached: connection refused".
  void on_stream_closed(Now now, uint16_t stream, const std::string& why, Output& out);

  // What core/peer sends: to out.datagrams as it is, or wrapped for the server that relays its local end.
  void route(Now now, const SendBatch& from_peer, Output& out);
  void on_timeout(Now now, Output& out);
  Instant next_timeout() const;

  const std::vector<ice::Candidate>& candidates() const { return candidates_; }
  // How the server is reached that relays that path; nothing: none does.
  std::optional<Protocol> relay_protocol(const Path& path) const;
  bool is_gathering() const;
  bool is_closed() const;
  Counters counters() const;  // of all servers together

 private:
  enum class State : uint8_t { kWaiting, kRunning, kAnswered, kFailed };
  struct Source {
    Server server;
    size_t server_index = 0;
    SocketAddress base;   // of a stream none
    uint16_t stream = 0;  // 0: over UDP
    State state = State::kWaiting;
    bool has_new_credentials = false;  // since its client was made
    std::unique_ptr<StunClient> stun;
    std::unique_ptr<TurnClient> turn;
    std::optional<SocketAddress> relayed;  // that was told
    Counters past;                         // of clients that this one replaced
  };

  void add_source(const Server& server, size_t server_index, const SocketAddress& base, uint16_t stream);
  void start_next(Now now, Output& out);
  void start(Now now, Source& source, Output& out);
  Source* find_stream(uint16_t stream);
  Source* find_relayed(const IpAddress& ip, uint16_t port) const;
  void after_stun(Source& source, Output& out);
  void after_turn(Source& source, Output& out);
  void on_relayed(Source& source, const Allocated& allocated, Output& out);
  void on_failed(Source& source, const Failed& failed, Output& out);
  void add_reflexive(const Source& source, const SocketAddress& mapped, Output& out);
  void add_candidate(ice::Candidate candidate, Output& out);
  void lose_candidates(const std::string& why, Output& out, auto is_lost);
  TurnOutput turn_output(Output& out) { return {out.datagrams, out.received, turn_events_}; }
  size_t host_index(const SocketAddress& base) const;
  void tell_when_done(Output& out);

  // given
  GathererOptions options_;
  Rng& rng_;
  // state
  std::vector<SocketAddress> hosts_;
  std::vector<Server> servers_;
  std::vector<std::unique_ptr<Source>> sources_;  // clients keep a reference into theirs
  std::vector<ice::Candidate> candidates_;
  Instant next_start_at_{};
  uint16_t next_stream_ = 1;
  bool was_gathering_ = false;
  bool is_closing_ = false;
  Counters past_;                       // of sources that are gone
  std::vector<TurnEvent> turn_events_;  // reused
};

}  // namespace atm::turn
