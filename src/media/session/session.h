// One participant's session: its connection, its senders and receivers, its requests, and its life from the connect
// call to the end. node owns it and gives it datagrams, time and commands; room gives it events to tell. It promises: a
// request is always answered, a malformed one never ends the session, and is_over() turns true once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "contract/session.h"
#include "core/peer/peer.h"
#include "media/receiver/receiver.h"
#include "media/room/room.h"
#include "media/session/line_bindings.h"
#include "media/session/sharing.h"
#include "media/share/publisher_limit.h"

namespace atm0s::session {

using room::Output;
using sender::SessionId;

// The timers of a session, once for all (docs/protocol.md 3).
inline constexpr Duration kConnectTimeout = 10s;         // from the connect call to ICE and DTLS
inline constexpr Duration kChannelTimeout = 10s;         // from there to the open data channel
inline constexpr Duration kReconnectingAfter = 5s;       // without authenticated traffic
inline constexpr Duration kDroppedAfter = 30s;           // without authenticated traffic
inline constexpr Duration kPendingRequestTimeout = 10s;  // a request for what is not negotiated yet
inline constexpr Duration kCloseLinger = 500ms;          // session_closing gets this long to reach the client
inline constexpr Duration kLimitInterval = 1s;           // viewers are asked again what they can use of our video

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

  void on_datagram(Now now, const Datagram& datagram, Output& out);
  // After the last datagram of a burst: what it brought goes to the subscribers, then to this session's logic.
  void on_burst_end(Now now, Output& out);
  void on_timeout(Now now, Output& out);
  Instant next_timeout() const;

  void tell(Now now, const contract::Event& event, Output& out);
  // Tells the client, lingers until the message had time to arrive, then is over.
  void close(Now now, const char* reason, Output& out);
  // Withdraws streams, views and presence; again has no effect. Called before the session is destroyed.
  void leave_room(Output& out);
  // The client's connection closes now, and not only when its ICE gives up. Called once, last.
  void hang_up(Now now, Output& out);

  bool is_over() const { return is_over_; }
  const char* end_reason() const { return end_reason_; }
  SessionId id() const { return id_; }
  const std::string& conn_id() const { return conn_id_; }
  const std::string& peer_id() const { return request_.peer; }
  room::Room& room() { return room_; }
  peer::Peer& peer() { return peer_; }
  const Counters& counters() const { return counters_; }

 private:
  struct Sender {
    contract::SenderInfo info;
    size_t media = 0;
    bool has_track = true;
    bool is_stopped = false;
    room::Source* source = nullptr;  // once it is published
    contract::SenderState told_state = contract::SenderState::kCreated;
    share::PublishedStream published = {};  // video
  };
  struct ReceiverEntry {
    std::unique_ptr<receiver::Receiver> receiver;
    // The newest request of each kind that was carried out: an older one that arrives later has no effect.
    std::optional<uint64_t> newest_binding;
    std::optional<uint64_t> newest_limit;
    share::Claim claim;  // video
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
  void on_key_frame_wanted(Now now, size_t media, Output& out);
  void on_picture_lost(Now now, const peer::PictureLost& lost, Output& out);
  void forward_packets(Now now, Output& out);
  void listen(Now now, Sender& sender, Output& out);
  // What can be sent now goes to the video receivers, as layers.
  void share_bandwidth(Now now, Output& out);
  // publishing (session_publishing.cpp): what the client's video may take goes to the client.
  void take_max_bitrates(const std::vector<contract::SenderInfo>& senders);
  void write_max_bitrates(LineBindings::Plan& plan, const std::vector<contract::SenderInfo>& senders) const;
  Instant limit_due() const;
  void limit_publishing(Now now, Output& out);
  void tell_limit(const Sender& sender, Output& out);
  // All receivers at once, so that what has to be told goes out together.
  void tell_quality(Now now, Output& out);
  void check_life(Now now, Output& out);
  void linger(Now now, const char* reason, Output& out);
  void end(const char* reason);
  peer::Output peer_output(Output& out);

  // requests (session_rpc.cpp)
  using Answer =
      std::optional<Result<std::string>>;  // nothing: not yet; the string is the SDP of an updateSdp, else ""
  void on_message(Now now, const peer::ChannelMessage& message, Output& out);
  void on_request(Now now, contract::RpcRequest request, Output& out);
  void retry_pending(Now now, Output& out);
  void expire_pending(Now now, Output& out);
  void answer(Now now, uint64_t req_id, const Result<std::string>& result, Output& out);
  void send_text(Now now, const std::string& text, Output& out);
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
  peer::Peer peer_;
  LineBindings lines_;
  std::map<std::string, Sender> senders_;
  std::map<std::string, ReceiverEntry> receivers_;
  std::vector<Pending> pending_;
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

}  // namespace atm0s::session
