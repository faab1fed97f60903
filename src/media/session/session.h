// One participant's session: its connection, its senders and receivers, its requests, and its life from the connect
// call to the end. node owns it and gives it datagrams, time and commands; room gives it events to tell. It promises: a
// request is always answered, a malformed one never ends the session, and is_over() turns true once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/budget.h"
#include "contract/admin.h"
#include "contract/command.h"
#include "contract/ending.h"
#include "contract/renewal.h"
#include "contract/session.h"
#include "core/peer/peer.h"
#include "media/receiver/receiver.h"
#include "media/room/room.h"
#include "media/session/admission.h"
#include "media/session/level_gate.h"
#include "media/session/line_bindings.h"
#include "media/session/sharing.h"
#include "media/share/publisher_limit.h"

namespace atm::session {

using room::Output;
using sender::SessionId;

// The timers of a session, once for all (docs/session-protocol.md 3).
inline constexpr Duration kConnectTimeout = 10s;         // from the connect call to ICE and DTLS
inline constexpr Duration kChannelTimeout = 10s;         // from there to the open data channel, where there is one
inline constexpr Duration kReconnectingAfter = 5s;       // without authenticated traffic
inline constexpr Duration kDroppedAfter = 30s;           // without authenticated traffic
inline constexpr Duration kPendingRequestTimeout = 10s;  // a request for what is not negotiated yet
// What session_closing and the last answer get to be confirmed by the client: two retransmissions of SCTP, at most.
inline constexpr Duration kCloseLinger = 1'500ms;
// A client that may come back is told when: clients of a server that ends do not all come at one instant.
inline constexpr Duration kRetryAfterShutdown = 2s;  // a restart, with its own drain
inline constexpr Duration kRetrySpread = 2s;
inline constexpr Duration kLimitInterval = 1s;  // viewers are asked again what they can use of our video

// Limits: named in docs/limits.md.
inline constexpr size_t kMaxPendingRequests = 64;
inline constexpr size_t kMaxSenders = 64;
inline constexpr size_t kMaxReceiversPerKind = 256;
// A page that rearranges a hundred tiles at once stays within the first; the SDK asks for a few a minute.
inline constexpr int64_t kRequestsPerSecond = 50;
inline constexpr int64_t kRequestsAtOnce = 300;
inline constexpr int64_t kMessagesPerSecond = 500;  // also those that are refused: beyond it they are not read

struct Counters {
  uint64_t requests = 0;
  uint64_t requests_refused = 0;
  uint64_t messages_malformed = 0;
  uint64_t requests_rate_limited = 0;
  uint64_t messages_unread = 0;
};

class Session {
 public:
  Session(SessionId id, std::string conn_id, contract::ConnectRequest request, const peer::Config& peer_config,
          room::Room& room, Now now, Rng& rng);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The answer to the connect call's offer. An error leaves a session that must be dropped.
  Result<std::string> connect(Now now, Output& out);
  // Idempotent and cheap: the same offer gets the same answer.
  Result<std::string> restart_ice(Now now, const std::string& sdp, Output& out);
  void add_remote_candidate(std::string_view candidate) { peer_.add_remote_candidate(candidate); }
  // Of WHIP and WHEP, RFC 9725 4.3: candidates (nothing comes back), or an ICE restart. Idempotent as well.
  Result<std::optional<contract::IceRestarted>> patch_ice(Now now, const contract::PatchIce& patch, Output& out);

  void on_datagram(Now now, const Datagram& datagram, Output& out);
  // After the last datagram of a burst: what it brought goes to the subscribers, then to this session's logic.
  void on_burst_end(Now now, Output& out);
  void on_timeout(Now now, Output& out);
  Instant next_timeout() const;

  void tell(Now now, const contract::Event& event, Output& out);
  // Tells the client, lingers until it has confirmed that, for kCloseLinger at most, then is over.
  void close(Now now, contract::Ending ending, Output& out);
  // The answer to a TokenQuestion of this session.
  void on_verdict(Now now, contract::TokenVerdict verdict, Output& out);
  // By the admin API: what the client may do from now on; what it may not any more ends.
  void override_rights(std::optional<bool> publish, std::optional<bool> subscribe, Output& out);
  // Whether viewers get nothing of that sender, whatever its client does; false: there is none.
  bool mute(const std::string& name, bool is_muted, Output& out);
  contract::PeerReport report(Now now) const;
  // What its application says of it: signed with its token, or else as it came with the connect call.
  const std::string& metadata() const {
    const std::string& signed_one = admission_.grant().metadata;
    return signed_one.empty() ? request_.metadata : signed_one;
  }
  // Withdraws streams, views and presence; again has no effect. Called before the session is destroyed.
  void leave_room(Output& out);
  // The client's connection closes now, and not only when its ICE gives up. Called once, last.
  void hang_up(Now now, Output& out);

  bool is_over() const { return is_over_; }
  bool is_closing() const { return is_over_ || closing_at_.has_value(); }
  // It is there, or on its way in, and nothing says that its client is gone.
  bool is_alive() const { return !is_closing() && !is_reconnecting_; }
  const char* end_reason() const { return end_reason_; }
  SessionId id() const { return id_; }
  const std::string& conn_id() const { return conn_id_; }
  const std::string& peer_id() const { return request_.peer; }
  contract::Protocol protocol() const { return request_.protocol; }
  room::Room& room() const { return room_; }
  peer::Peer& peer() { return peer_; }
  const Counters& counters() const { return counters_; }
  const Admission& admission() const { return admission_; }

 private:
  struct Sender {
    contract::SenderInfo info;
    size_t media = 0;
    bool has_track = true;
    bool is_stopped = false;
    std::optional<uint64_t> newest_toggle = {};
    room::Source* source = nullptr;  // once it is published
    contract::SenderState told_state = contract::SenderState::kCreated;
    share::PublishedStream published = {};  // video
    LevelGate level = {};                   // audio
  };
  struct ReceiverEntry {
    std::unique_ptr<receiver::Receiver> receiver;
    // The newest request of each kind that was carried out: an older one that arrives later has no effect.
    std::optional<uint64_t> newest_binding;
    std::optional<uint64_t> newest_limit;
    std::optional<uint64_t> newest_priority;  // told by both
    share::Claim claim;                       // video
    LevelGate level;                          // audio
  };
  struct Pending {
    contract::RpcRequest request;
    Instant deadline;
  };

  Result<std::string> negotiate(Now now, const std::string& sdp, const std::vector<contract::SenderInfo>& senders,
                                const contract::ReceiverCounts& receivers, Output& out);
  void add_receiver(const LineBindings::AddedReceiver& added);
  void publish(Sender& sender, Output& out);
  // Tells the client of its own sender (remote_stream_{name}_state) when the state is a new one.
  void set_state(Sender& sender, contract::SenderState state, Output& out);
  void unpublish(Sender& sender, Output& out);
  void on_peer_events(Now now, Output& out);
  void on_channel_opened(Now now, const peer::ChannelOpened& event, Output& out);
  void enter_room(Now now, Output& out);
  void view(Now now, ReceiverEntry& entry, const contract::StreamKey& remote, Output& out);
  // WHIP and WHEP (session_http.cpp)
  bool has_channel() const { return request_.protocol == contract::Protocol::kWebrtc; }
  Result<void> check_http_offer(const negotiation::Offer& offer) const;
  Result<void> check_http_answer(const LineBindings::Plan& plan) const;
  void make_one_stream(LineBindings::Plan& plan) const;
  void follow(Now now, MediaKind kind, Output& out);
  void on_key_frame_wanted(Now now, size_t media, Output& out);
  void on_picture_lost(Now now, const peer::PictureLost& lost, Output& out);
  void renew_pictures(Now now, Output& out);
  void forward_packets(Now now, Output& out);
  void listen(Now now, Sender& sender, Output& out);
  // What can be sent now goes to the video receivers, as layers.
  void share_bandwidth(Now now, Output& out);
  // publishing (session_publishing.cpp): what the client's video may take goes to the client.
  void take_max_bitrates(const std::vector<contract::SenderInfo>& senders);
  void write_max_bitrates(LineBindings::Plan& plan, const std::vector<contract::SenderInfo>& senders) const;
  uint64_t max_video_bps() const;
  peer::Config limited(peer::Config config) const;
  Instant limit_due() const;
  void limit_publishing(Now now, Output& out);
  void tell_limit(const Sender& sender, Output& out);
  // All receivers at once, so that what has to be told goes out together.
  void tell_quality(Now now, Output& out);
  // levels (session_levels.cpp)
  void tell_levels(Now now, Output& out);
  void watch_levels(Now now, Output& out);
  void check_life(Now now, Output& out);
  // rights (session_rights.cpp)
  void check_admission(Now now, Output& out);
  void apply_rights(Output& out);
  void open_mixer(Output& out);  // that of the connect call, unless it is there
  // The sender has a source, and whether there is something to be seen of it may have changed.
  void take_active(Sender& sender, Output& out);
  bool is_active(const Sender& sender) const { return sender.has_track && !muted_.contains(sender.info.name); }
  void linger(Now now, const char* reason, Output& out);
  void end(const char* reason);
  peer::Output peer_output(Output& out);

  // requests (session_rpc.cpp)
  // Nothing: not yet, a negotiation may bring what it is about; the string is the SDP of an updateSdp, else "".
  struct Later {};  // whoever was asked answers it
  using Answer = std::optional<std::variant<Result<std::string>, Later>>;
  void on_message(Now now, const peer::ChannelMessage& message, Output& out);
  void on_request(Now now, contract::RpcRequest request, Output& out);
  void retry_pending(Now now, Output& out);
  void expire_pending(Now now, Output& out);
  void answer(Now now, uint64_t req_id, const Result<std::string>& result, Output& out);
  void send_text(Now now, const std::string& text, Output& out);
  bool is_newest_subscription(const std::string& peer, uint64_t req_id);
  Answer handle(Now now, const contract::RpcRequest& request, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::PeerPing& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::PeerClose& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::PeerUpdateSdp& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::PeerToken& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::SenderToggle& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::ReceiverSwitch& body, Output& out);
  Answer bind_slot(Now now, uint64_t req_id, receiver::Receiver& receiver, const contract::StreamKey& remote,
                   Output& out);
  Answer on(Now now, uint64_t req_id, const contract::ReceiverSetLimit& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::ReceiverDisconnect& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::MixMinusSource& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::MixMinusToggle& body, Output& out);
  Answer on(Now now, uint64_t req_id, const contract::RoomSubscription& body, Output& out);

  // given
  SessionId id_;
  std::string conn_id_;
  contract::ConnectRequest request_;
  room::Room& room_;
  Rng& rng_;
  // owned
  Admission admission_;
  uint64_t server_max_bps_;  // of its video; its token may say less
  peer::Peer peer_;
  LineBindings lines_;
  std::map<std::string, Sender> senders_;
  std::map<std::string, ReceiverEntry> receivers_;
  std::vector<Pending> pending_;
  std::map<std::string, uint64_t> newest_subscriptions_;  // by peer, kMaxSubscribedPeers at most
  std::set<std::string> muted_;                           // senders, by the admin API; as many as it named
  // state
  Instant started_at_;
  std::optional<Instant> connected_at_;
  std::optional<uint16_t> channel_;
  bool is_present_ = false;
  bool is_reconnecting_ = false;
  std::optional<Instant> closing_at_;
  bool is_over_ = false;
  const char* end_reason_ = "";
  Sharing sharing_;
  share::PublisherLimit publisher_limit_;
  Instant limit_due_ = kNever;
  Instant next_quality_ = kNever;  // while receivers show something
  Instant next_levels_ = kNever;   // while there is audio to watch
  Counters counters_;
  Budget requests_{kRequestsPerSecond, kRequestsAtOnce};
  Budget messages_{kMessagesPerSecond};
  // reused from burst to burst
  std::vector<peer::ReceivedPacket> packets_;
  std::vector<peer::Event> peer_events_;
  std::vector<peer::MediaPacket> media_packets_;
  std::vector<Sharing::Viewed> viewed_;
  std::vector<share::PublishedStream> published_;
};

}  // namespace atm::session
