// One media worker, sans-IO: it finds the session of every datagram, runs its timers, carries out the commands of the
// control thread and keeps the rooms. apps/server pumps it from a socket, tests/sim from virtual time.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/datagram.h"
#include "contract/command.h"
#include "core/dtls/context.h"
#include "media/room/room.h"
#include "media/session/session.h"
#include "node/deadlines.h"

namespace atm0s::node {

// Limits: named in docs/limits.md.
inline constexpr size_t kMaxSessions = 20'000;
inline constexpr size_t kMaxAddressesPerSession = 16;

struct Config {
  size_t index = 0;  // of this worker, the first part of its conn_ids
  // What the answers' candidates say, most preferred first, and the local address that each stands for.
  std::vector<SocketAddress> addresses;
  std::vector<SocketAddress> local_addresses;
  uint64_t max_incoming_video_bps = 2'500'000;  // a session's configured maximum, told by REMB
};

struct Counters {
  uint64_t sessions_opened = 0;
  uint64_t sessions_closed = 0;
  uint64_t connects_refused = 0;
  uint64_t datagrams_received = 0;
  uint64_t drop_unknown_address = 0;
  uint64_t drop_unknown_ufrag = 0;
};

class Worker {
 public:
  Worker(Config config, Now now, Rng& rng);
  ~Worker();

  void on_datagrams(Now now, std::span<Datagram> datagrams, SendBatch& out);
  void on_command(Now now, contract::Command command, SendBatch& out);
  void on_timeout(Now now, SendBatch& out);
  Instant next_timeout() const { return deadlines_.next(); }
  std::vector<contract::Reply>& replies() { return replies_; }

  size_t session_count() const { return sessions_.size(); }
  size_t room_count() const { return rooms_.size(); }
  size_t armed_deadlines() const { return deadlines_.size(); }

 private:
  struct Entry {
    std::unique_ptr<session::Session> session;
    Instant armed = kNever;
    std::vector<SocketAddress> addresses;
    std::vector<std::string> ufrags;
    bool is_in_burst = false;
  };
  struct RoomEntry {
    std::unique_ptr<room::Room> room;
    size_t sessions = 0;
  };
  using Outcome = std::variant<contract::Done, contract::ConnectDone, contract::Stats, Error>;

  Outcome on(Now now, contract::Connect& command, room::Output& out);
  Outcome on(Now now, const contract::IceRemote& command, room::Output& out);
  Outcome on(Now now, const contract::IceRestart& command, room::Output& out);
  Outcome on(Now now, const contract::Disconnect& command, room::Output& out);
  Outcome on(Now now, const contract::ReadStats& command, room::Output& out);
  Outcome on(Now now, const contract::Drain& command, room::Output& out);

  Entry* find_for_datagram(const Datagram& datagram);
  Entry* find_by_conn_id(const std::string& conn_id);
  Entry* find(SessionId id);
  contract::Stats stats() const;
  void on_replies_due();
  void register_ufrag(Entry& entry);
  void learn_address(Entry& entry, const SocketAddress& address);
  void settle(Now now, room::Output& out);
  void rearm(Now now, Entry& entry);
  void drop(Now now, Entry& entry, room::Output& out);
  room::Output output(SendBatch& datagrams) { return {datagrams, pool_, events_, touched_}; }

  // given
  Config config_;
  Rng& rng_;
  // owned
  PacketPool pool_;
  dtls::Context dtls_;
  std::map<std::string, RoomEntry> rooms_;
  std::unordered_map<uint64_t, Entry> sessions_;
  // state
  std::unordered_map<SocketAddress, SessionId> by_address_;
  std::unordered_map<std::string, SessionId> by_ufrag_;
  std::unordered_map<std::string, SessionId> by_conn_id_;
  Deadlines deadlines_;
  uint64_t next_session_id_ = 1;
  bool is_draining_ = false;
  std::vector<uint64_t> drain_tickets_;  // whoever waits for the last session to end
  Counters counters_;
  peer::Counters gone_peers_;  // of sessions that have ended: totals never go back
  session::Counters gone_sessions_;
  // reused from input to input
  std::vector<std::pair<SessionId, contract::Event>> events_;
  std::vector<SessionId> touched_;
  std::vector<SessionId> burst_;
  std::vector<contract::Reply> replies_;
};

}  // namespace atm0s::node
