// A session of the SDK, sans-IO: one connection after the other to a server, kept alive; the requests of the session
// protocol; frames out and in. sdk/cpp owns one for each atm::Session and pumps it with real sockets and an HTTP
// client; the simulation does so in virtual time. Datagrams, answers of calls and the time go in; datagrams, calls,
// events and the next deadline come out (client/event.h).
// Senders and receivers are named by their place, which never changes. What the application asks for is kept as a wish:
// without a connection it succeeds at once, and every new connection is told of it first.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/config.h"
#include "client/event.h"
#include "client/lines.h"
#include "client/publisher.h"
#include "client/receiver_ids.h"
#include "client/recovery.h"
#include "client/rpc.h"
#include "client/viewer.h"
#include "contract/json/http_answer.h"
#include "core/peer/peer.h"
#include "core/playout/lip_sync.h"
#include "core/turn/gatherer.h"

namespace atm::client {

inline constexpr size_t kMixMinusSlots = 3;
// ICE and DTLS have 10 s of the server, then the data channel has 10 s.
inline constexpr Duration kFirstOpen = 20s;
inline constexpr Duration kOpenAgain = 10s;  // of a new connection in a recovery: the next try may do better
inline constexpr Duration kCallTimeout = 10s;
inline constexpr Duration kPingTimeout = 1s;
inline constexpr Duration kRestartPatience = 5s;  // from a restart's answer to the first answered ping
// Silence after which the server is asked whether it is there. It reports every second on what it gets and sends.
inline constexpr Duration kQuiet = 2s;
inline constexpr Duration kGather = 20ms;  // lines that come together go into one offer
inline constexpr Duration kKeyFrameInterval = 500ms;
inline constexpr Duration kRateInterval = 100ms;

class Session {
 public:
  Session(Config config, const dtls::Context& dtls, Rng& rng);

  // --- connection
  // Of this host, with the ports of the sockets; before connect(), and again when the network has changed.
  void set_addresses(Now now, std::vector<SocketAddress> addresses, Output& out);
  void connect(Now now, Output& out);
  // The server is told by DELETE and by the channel; nothing is waited for.
  void disconnect(Now now, Output& out);
  // The server has, or is about to have, a connection that is not wanted any more: its answer has to come here yet, so
  // that the server can be told, or the server has not confirmed that it was.
  bool owes_last_word() const;
  // New ICE credentials, as when the network has changed; RequestDone when media can flow again.
  void restart_ice(Now now, uint64_t request, Output& out);
  void ping(Now now, uint64_t request, Output& out);
  void set_token(Now now, uint64_t request, std::string token, Output& out);

  void on_datagram(Now now, const Datagram& datagram, Output& out);
  // Of ResolveWanted; none: there is no such host.
  void on_resolved(Now now, const std::string& host, const std::vector<IpAddress>& addresses, Output& out);
  // Of StreamWanted. `why` follows the server's name: "could not be reached: connection refused".
  void on_stream_open(Now now, uint16_t stream, Output& out);
  void on_stream_bytes(Now now, uint16_t stream, MutByteView bytes, Output& out);
  void on_stream_closed(Now now, uint16_t stream, const std::string& why, Output& out);
  // `body`: of an HTTP answer with a body, whatever its status.
  void on_reply(Now now, uint64_t call, Result<std::string> body, Output& out);
  void on_timeout(Now now, Output& out);
  Instant next_timeout() const;

  State state() const { return state_; }
  const std::string& url() const { return connection_.url; }
  const peer::Peer* peer() const { return peer_.get(); }
  // How the selected path's relay is reached; nothing: it has none.
  std::optional<turn::Protocol> relay_protocol() const;

  // --- senders
  size_t add_sender(Now now, const SenderConfig& config);
  // Another source, or none for now: viewers see the stream inactive.
  void set_track(Now now, size_t sender, bool has_track, std::optional<std::string> label, uint64_t request,
                 Output& out);
  void stop_sender(Now now, size_t sender, uint64_t request, Output& out);
  Result<void> send_frame(Now now, size_t sender, const OutgoingFrame& frame, Output& out);
  const Publisher& publisher(size_t sender) const { return senders_[sender].publisher; }
  size_t sender_count() const { return senders_.size(); }
  // As it was told last, bit/s by simulcast layer; empty: not yet.
  const std::vector<uint64_t>& target_of(size_t sender) const { return senders_[sender].told_bps; }
  // Of the connection; null: it has none for it yet.
  const peer::MediaLine* line_of_sender(size_t sender) const { return line_at(lines_.of_sender(sender)); }
  const peer::MediaLine* line_of_receiver(size_t receiver) const { return line_at(lines_.of_receiver(receiver)); }
  // The codec that the m-line prefers; nothing before the first answer.
  std::optional<Codec> codec_of(size_t sender) const;

  // --- receivers
  size_t add_receiver(Now now, MediaKind kind);
  const std::string& receiver_id(size_t receiver) const { return receivers_[receiver].id; }
  MediaKind receiver_kind(size_t receiver) const { return receivers_[receiver].viewer->kind(); }
  size_t receiver_count() const { return receivers_.size(); }
  void view(Now now, size_t receiver, contract::StreamKey remote, uint32_t priority, uint64_t request, Output& out);
  void limit(Now now, size_t receiver, contract::ReceiverLimit limit, uint64_t request, Output& out);
  void unview(Now now, size_t receiver, uint64_t request, Output& out);
  void request_key_frame(Now now, size_t receiver, Output& out);
  const Viewer& viewer(size_t receiver) const { return *receivers_[receiver].viewer; }

  // --- mix-minus: the receivers of its slots, empty without
  const std::vector<size_t>& mix_minus_receivers() const { return slots_; }
  void mix_minus_source(Now now, contract::StreamKey remote, bool add, uint64_t request, Output& out);
  void mix_minus_toggle(Now now, bool enable, uint64_t request, Output& out);

  void subscribe(Now now, std::string peer, bool subscribe, uint64_t request, Output& out);

 private:
  struct Sender {
    Publisher publisher;
    std::string track_id;
    bool is_stopped = false;
    std::optional<contract::StreamLimitEvent> limit;
    std::vector<uint64_t> told_bps;
  };
  struct Receiver {
    std::string id;
    std::unique_ptr<Viewer> viewer;
    std::optional<contract::StreamKey> remote;
    uint32_t priority = 50;
    std::optional<contract::ReceiverLimit> limit;
    Instant key_frame_asked_at{};
    Instant reported_at{};  // when the sender report came that lip sync knows
  };
  struct Connection {
    std::string url, conn_id;
    uint64_t node_id = 0;
    std::optional<uint16_t> channel;
  };
  const peer::MediaLine* line_at(std::optional<size_t> media) const {
    return peer_ && media && *media < peer_->media_count() ? &std::as_const(*peer_).media(*media) : nullptr;
  }
  // One URL of ice_servers.
  struct IceServer {
    std::string text;
    turn::Server server;
    bool is_own = false;      // of the configuration, not the server's
    bool is_waiting = false;  // for its address
  };
  // kAbandoned: a connect whose connection is not wanted any more; kGiveBack: that is told to the server.
  enum class CallUse : uint8_t { kConnect, kRestart, kAbandoned, kGiveBack, kOther };
  struct Call {
    CallUse use = CallUse::kOther;
    std::string server;  // its url, of kConnect and kAbandoned
  };

  // connection (session_connection.cpp)
  void open(Now now, Output& out);
  void try_url(Now now, Output& out);
  void make_peer(Now now);
  void abandon_connect();
  void give_back(const std::string& server, const Result<std::string>& body, Output& out);
  void on_connect_reply(Now now, Result<std::string> body, Output& out);
  void on_restart_reply(Now now, Result<std::string> body, Output& out);
  void on_open_failed(Now now, Error error, Output& out);
  void on_opened(Now now, uint16_t channel, Output& out);
  void on_recovered(Output& out);
  void on_lost(Now now, Error why, Output& out);
  void recover(Now now, Recovery::Way way, std::optional<Error> why, Output& out);
  void try_recovery(Now now, Output& out);
  void restart(Now now, Output& out);
  void check_quiet(Now now, Output& out);
  void on_ping_done(Now now, const std::optional<Error>& error, Output& out);
  void on_server_closes(Now now, const contract::SessionClosing& closing, Output& out);
  void end(Now now, std::optional<Error> why, Output& out);
  void close_peer(Now now, Output& out);
  void set_state(State state, std::optional<Error> why, Output& out);
  uint64_t call(CallUse use, HttpCall::Method method, std::string url, std::string body, Output& out);
  // STUN and TURN servers (session_network.cpp)
  peer::Output peer_output(Output& out) { return {peer_batch(out), packets_, peer_events_}; }
  SendBatch& peer_batch(Output& out) { return gatherer_ ? from_peer_ : out.datagrams; }
  turn::Output gatherer_output(Output& out) { return {out.datagrams, relayed_, gathered_}; }
  void route(Now now, Output& out);
  void use_ice_servers(Now now, const std::vector<contract::IceServer>& servers, bool are_own, Output& out);
  void renew_credentials(Now now, IceServer& known, const contract::IceServer& server, Output& out);
  void use_ice_server(Now now, const IceServer& server, const IpAddress& address, Output& out);
  void on_server_failed(std::string url, std::string why, Output& out);
  void gather_again(Now now, Output& out);
  void after_gatherer(Now now, Output& out);
  void on_gathered(Now now, turn::Event event, Output& out);
  void tell_candidate(const ice::Candidate& candidate, Output& out);
  void check_relays(Now now, Output& out);
  void stop_gathering(Now now, Output& out);
  // requests (session_requests.cpp)
  void resync(Now now, Output& out);
  void resync_receiver(Now now, const Receiver& receiver, Output& out);
  void ask(Now now, contract::RpcBody body, Rpc::Use use, uint64_t request, Output& out);
  void send_text(Now now, const std::string& text, Output& out);
  void finish(uint64_t request, std::optional<Error> error, Output& out);
  void on_rpc_done(Now now, Rpc::Done done, Output& out);
  void renegotiate(Now now);
  void update_sdp(Now now, Output& out);
  std::vector<contract::SenderInfo> sender_infos() const;
  void on_server_event(Now now, contract::Event event, Output& out);
  // media (session_media.cpp)
  void take_peer_output(Now now, Output& out);
  void on_peer_event(Now now, const peer::Event& event, Output& out);
  void on_packet(Now now, const peer::ReceivedPacket& packet);
  void ask_for_key_frames(Now now, Output& out);
  void share_rate(Output& out);
  void sync_receiver(Now now, size_t index);
  void tell_sender_report(size_t index);
  void step_lip_sync(Now now);
  uint64_t wanted_bps(const Sender& sender) const;
  std::vector<uint64_t> split_layers(const Sender& sender, uint64_t bps) const;

  // given
  Config config_;
  const dtls::Context& dtls_;
  Rng& rng_;
  // state
  PacketPool pool_;
  State state_ = State::kCreated;
  std::vector<SocketAddress> addresses_;
  Lines lines_;
  std::deque<Sender> senders_;
  std::deque<Receiver> receivers_;
  std::vector<size_t> slots_;
  ReceiverIds receiver_ids_;
  std::map<std::pair<std::string, std::string>, bool> mix_sources_;
  bool mix_enabled_ = true;
  std::map<std::string, bool> subscribed_peers_;
  // connection
  Connection connection_;
  std::unique_ptr<peer::Peer> peer_;
  Rpc rpc_;
  Recovery recovery_;
  std::vector<std::string> urls_;  // the one to be tried first in front
  size_t url_tried_ = 0;
  uint64_t next_call_ = 1;
  std::map<uint64_t, Call> calls_;
  bool was_open_ = false;
  Instant open_due_ = kNever;
  Instant restart_due_ = kNever;
  Instant pinged_at_{};
  bool is_pinging_ = false;
  std::vector<uint64_t> restart_requests_;
  bool is_dirty_ = false, is_updating_ = false;
  Instant update_at_ = kNever;
  Instant rates_at_ = kNever;
  playout::LipSync lip_sync_;
  std::vector<IceServer> ice_servers_;
  std::unique_ptr<turn::Gatherer> gatherer_;  // null: there are no such servers
  std::string server_error_;                  // of the last one that failed
  SendBatch from_peer_;
  std::vector<Datagram> relayed_;
  std::vector<turn::Event> gathered_;
  std::vector<peer::ReceivedPacket> packets_;
  std::vector<peer::Event> peer_events_;
  std::vector<Rpc::Done> done_;
};

}  // namespace atm::client
