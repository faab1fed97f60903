// One media worker, sans-IO: it finds the session of every datagram, runs its timers, carries out the commands of the
// control thread and keeps the rooms, or its slices of them. Media comes first: datagrams of DTLS (handshakes,
// requests) wait in the slow lane, which the pump works off within a budget of its own. apps/server pumps it from a
// socket, tests/sim from virtual time.
#pragma once

#include <deque>
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

namespace atm::node {

// Limits: named in docs/limits.md.
inline constexpr size_t kMaxSessions = 20'000;
inline constexpr size_t kMaxAddressesPerSession = 16;
inline constexpr size_t kMaxRoomSessions = 200;     // of one room on one worker, before another is used
inline constexpr size_t kMaxSlowDatagrams = 4'096;  // that wait in the slow lane
// bit/s of all video of a session, unless the server is set otherwise: a camera of 1280x720 at its best (libwebrtc).
inline constexpr uint64_t kUsualMaxBitrate = 2'500'000;
// Bursts that were given back by the other workers and wait to be used again: as many as are ever on their way at once
// while the others keep up. About 20 kB each.
inline constexpr size_t kMaxSpareBursts = 1'024;
inline constexpr size_t kMaxSlowPerSession = 64;  // of one session among them: a handshake's flight and some requests

struct Config {
  size_t index = 0;  // of this worker, the first part of its conn_ids
  size_t worker_count = 1;
  size_t max_room_sessions = kMaxRoomSessions;
  // What the answers' candidates say, most preferred first, and the local address that each stands for.
  std::vector<SocketAddress> addresses;
  std::vector<SocketAddress> local_addresses;
  std::vector<SocketAddress> tcp_addresses;            // of candidates over TCP; none: over UDP alone
  uint64_t max_incoming_video_bps = kUsualMaxBitrate;  // of all video of a session; a token may lower it
  room::Duplicates duplicates = room::Duplicates::kReplace;
};

struct Counters {
  uint64_t sessions_opened = 0;
  uint64_t sessions_closed = 0;
  uint64_t connects_refused = 0;
  uint64_t datagrams_received = 0;
  uint64_t drop_unknown_address = 0;
  uint64_t drop_unknown_ufrag = 0;
  uint64_t drop_slow_lane_full = 0;
  uint64_t relay_messages_received = 0;
};

class Worker {
 public:
  Worker(Config config, Now now, Rng& rng);
  ~Worker();

  void on_datagrams(Now now, std::span<Datagram> datagrams, SendBatch& out);
  // Whether the first frame of a TCP connection is a Binding request for one of the sessions here (RFC 6544 7.2): only
  // then may its connection stay. Proves nothing about the sender.
  bool admits(ByteView first_frame) const;
  // A connection that was admitted has closed.
  void on_path_closed(Now now, const Path& path, SendBatch& out);
  void on_command(Now now, contract::Command command, SendBatch& out);
  void on_timeout(Now now, SendBatch& out);
  Instant next_timeout() const { return std::min({deadlines_.next(), digest_due_, rooms_due_}); }
  std::vector<contract::Reply>& replies() { return replies_; }

  // The slow lane: one step is one datagram of DTLS. The pump takes steps for as long as its budget allows.
  bool has_slow_work() const { return !slow_lane_.empty(); }
  void do_slow_step(Now now, SendBatch& out);

  // What goes to the other workers, each message to its `to`; taken and emptied by the pump. Losing one costs media or
  // time, never consistency.
  std::vector<room::RelayMessage>& relayed() { return relayed_; }
  void on_relay(Now now, const room::RelayMessage& message, SendBatch& out);
  // By the pump: a message with packets that another worker has read. Its buffers are used for the next burst. Without
  // it, and beyond kMaxSpareBursts, all is the same but that bursts allocate.
  void give_back(room::RelayMessage message);

  size_t session_count() const { return sessions_.size(); }
  size_t room_count() const { return rooms_.size(); }
  size_t armed_deadlines() const { return deadlines_.size(); }

 private:
  // Where a session's datagrams come from; its local address is left out, as an address of a client is no other
  // client's at the same time.
  struct Origin {
    SocketAddress address;
    Transport transport = Transport::kUdp;
    bool operator==(const Origin&) const = default;
  };
  struct OriginHash {
    size_t operator()(const Origin& origin) const noexcept {
      return std::hash<SocketAddress>{}(origin.address) ^ static_cast<size_t>(origin.transport);
    }
  };
  static Origin origin_of(const Path& path) { return {path.remote, path.transport}; }
  struct Entry {
    std::unique_ptr<session::Session> session;
    Instant armed = kNever;
    std::vector<Origin> origins;
    std::vector<std::string> ufrags;
    bool is_in_burst = false;
    size_t slow_datagrams = 0;
  };
  struct SlowDatagram {
    SessionId session;
    Path path;
    Instant arrived;
    Bytes bytes;
  };
  struct RoomEntry {
    std::unique_ptr<room::Room> room;
    size_t sessions = 0;
  };
  // Nothing: no reply.
  using Outcome =
      std::variant<std::monostate, contract::Done, contract::ConnectDone, contract::IceRestarted, contract::Stats,
                   Error, contract::Elsewhere, contract::Count, contract::RoomsRead, contract::RoomRead>;

  Outcome on(Now now, contract::Connect& command, room::Output& out);
  Outcome on(Now now, const contract::IceRemote& command, room::Output& out);
  Outcome on(Now now, const contract::IceRestart& command, room::Output& out);
  Outcome on(Now now, const contract::Disconnect& command, room::Output& out);
  Outcome on(Now now, const contract::PatchIce& command, room::Output& out);
  Outcome on(Now now, const contract::FindSession& command, room::Output& out);
  Outcome on(Now now, const contract::ReadStats& command, room::Output& out);
  Outcome on(Now now, const contract::Drain& command, room::Output& out);
  Outcome on(Now now, const contract::EndSessions& command, room::Output& out);
  Outcome on(Now now, contract::TokenVerdict& command, room::Output& out);
  Outcome on(Now now, const contract::ReadRooms& command, room::Output& out);
  Outcome on(Now now, const contract::ReadRoom& command, room::Output& out);
  Outcome on(Now now, const contract::SetRights& command, room::Output& out);
  Outcome on(Now now, const contract::MuteStream& command, room::Output& out);
  Outcome on(Now now, const contract::TakeSessions& command, room::Output& out);
  template <typename Do>
  contract::Count for_each_session(const std::string& room, const std::string& peer, Do&& act);
  bool is_refused_as_duplicate(const std::string& room, const std::string& peer) const;

  Entry* find_for_datagram(const Datagram& datagram);
  Entry* find_by_conn_id(std::string_view conn_id);
  Entry* find(SessionId id);
  contract::Stats stats() const;
  void on_replies_due();
  void register_ufrag(Entry& entry);
  void learn_origin(Entry& entry, const Origin& origin);
  void postpone(Entry& entry, const Datagram& datagram);
  void settle(Now now, room::Output& out);
  void send_digests(Now now, room::Output& out);
  RoomEntry& open_room(Now now, const std::string& name, room::Output& out);
  void rearm(Now now, Entry& entry);
  void drop(Now now, Entry& entry, room::Output& out);
  room::Output output(SendBatch& datagrams) {
    return {datagrams, pool_, events_, touched_, relayed_, spare_bursts_, rooms_due_, questions_};
  }

  // given
  Config config_;
  Rng& rng_;
  // owned
  PacketPool pool_;
  dtls::Context dtls_;
  std::map<std::string, RoomEntry> rooms_;
  std::unordered_map<uint64_t, Entry> sessions_;
  // state
  std::unordered_map<Origin, SessionId, OriginHash> by_origin_;
  std::unordered_map<std::string, SessionId> by_ufrag_;
  Deadlines deadlines_;
  std::deque<SlowDatagram> slow_lane_;
  std::vector<room::SliceId> others_;  // the other workers
  Instant digest_due_ = kNever;        // only with other workers, and with rooms
  Instant rooms_due_ = kNever;         // the earliest next_timeout() of all rooms
  uint64_t next_session_id_ = 1;
  bool is_draining_ = false;
  bool takes_sessions_ = true;           // by the admin API
  std::vector<uint64_t> drain_tickets_;  // whoever waits for the last session to end
  Counters counters_;
  peer::Totals gone_peers_;  // of sessions that have ended: totals never go back
  session::Counters gone_sessions_;
  // reused from input to input
  std::vector<std::pair<SessionId, contract::Event>> events_;
  std::vector<SessionId> touched_;
  std::vector<Entry*> burst_;
  std::vector<contract::Reply> replies_;
  std::vector<contract::TokenQuestion> questions_;
  std::vector<room::RelayMessage> relayed_, spare_bursts_;
};

}  // namespace atm::node
