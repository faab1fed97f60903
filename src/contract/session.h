// What a client asks for and is told, as plain structs that know no encoding: JSON (first generation) today, protobuf
// later. Made by contract/json and control, consumed by media/session, and the other way round for events.
// Source of names and shapes: docs/session-protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/codec.h"
#include "base/error_code.h"
#include "base/media_kind.h"
#include "base/result.h"
#include "base/time.h"

namespace atm::contract {

using atm::Codec;
enum class MixMinusMode : uint8_t { kDisabled, kAll, kManual };
enum class SubscribeScope : uint8_t { kFull, kStreamOnly, kManual };
enum class PublishScope : uint8_t { kFull, kStreamOnly };
enum class BitrateControlMode : uint8_t { kSumBitrateWithClientSide, kSumBitrateOnly, kPerStream };
// How a client speaks to the server: the session protocol over a data channel, or HTTP alone (RFC 9725,
// draft-ietf-wish-whep), where it publishes or views without a word.
enum class Protocol : uint8_t { kWebrtc, kWhip, kWhep };
enum class ContentHint : uint8_t { kNone, kMotion, kDetail };

// A published stream as its client declares it.
struct SenderInfo {
  MediaKind kind = MediaKind::kAudio;
  std::string name;  // unique among the session's senders
  std::string uuid;  // msid track id; without a track the msid stream id
  std::string label;
  bool screen = false;
  bool simulcast = false;
  uint64_t max_bitrate_bps = 0;  // 0: no cap
  ContentHint content_hint = ContentHint::kNone;
};

struct ReceiverCounts {
  uint32_t audio = 0;
  uint32_t video = 0;
};

// The rights that a verified token gives.
struct Grant {
  bool publish = true;
  bool subscribe = true;
  std::optional<WallTime> expires_at;
  uint64_t max_bitrate_bps = 0;  // of the session's video; 0: the server's setting holds
  std::string token_id = {};     // `jti`, by which it can be revoked; "": it has none
  std::string metadata = {};     // of the token; "": the client's own counts
};

// POST /webrtc/connect, /whip/endpoint or /whep/endpoint, its token already verified by control/token.
struct ConnectRequest {
  std::string room;
  std::string peer;
  std::string sdp;  // the offer
  Protocol protocol = Protocol::kWebrtc;
  std::string client_version;
  Grant grant;
  MixMinusMode mix_minus = MixMinusMode::kDisabled;
  SubscribeScope subscribe_scope = SubscribeScope::kFull;
  PublishScope publish_scope = PublishScope::kFull;
  BitrateControlMode bitrate_control_mode = BitrateControlMode::kSumBitrateWithClientSide;
  bool applies_stream_limits = false;  // the client does what StreamLimitEvent says
  std::vector<Codec> codecs;           // in order of preference; empty: all that the server has
  std::vector<SenderInfo> senders;
  ReceiverCounts receivers;
  std::optional<Duration> playout_delay;  // latency_mode; nothing: "default", as browser and publisher see fit
  std::string metadata;
};

// A stream of a room: who publishes it and under which name.
struct StreamKey {
  std::string peer;
  std::string stream;
  auto operator<=>(const StreamKey&) const = default;
};

struct ReceiverLimit {
  uint32_t priority = 50;
  uint32_t min_spatial = 0;
  uint32_t max_spatial = 2;
  uint32_t min_temporal = 0;
  uint32_t max_temporal = 2;
};

// --- requests over the data channel -----------------------------------------------------------------------------

struct PeerPing {};
struct PeerClose {};
struct PeerUpdateSdp {
  std::string sdp;
  std::vector<SenderInfo> senders;
  ReceiverCounts receivers;
};
struct PeerToken {
  std::string token;
};
struct SenderToggle {
  enum class Track : uint8_t {
    kSwitched,  // `track` is a string: there is a track (a new one)
    kNone,      // `track` is absent: switched to no stream; viewers see active = false
    kStopped,   // `track` is null: stopped; viewers see stream_removed
  };
  std::string name;
  MediaKind kind = MediaKind::kAudio;
  Track track = Track::kNone;
  std::string track_id;
  std::optional<std::string> label;
};
struct ReceiverSwitch {
  std::string id;  // "video_0"
  uint32_t priority = 50;
  StreamKey remote;
};
struct ReceiverSetLimit {
  std::string id;
  ReceiverLimit limit;
};
struct ReceiverDisconnect {
  std::string id;
};
struct MixMinusSource {
  std::string id;
  StreamKey remote;
  bool add = true;  // false: mix_minus.remove
};
struct MixMinusToggle {
  std::string id;
  bool enable = true;
};
struct RoomSubscription {
  std::string peer;
  bool subscribe = true;  // false: room.unsubscribe
};

using RpcBody = std::variant<PeerPing, PeerClose, PeerUpdateSdp, PeerToken, SenderToggle, ReceiverSwitch,
                             ReceiverSetLimit, ReceiverDisconnect, MixMinusSource, MixMinusToggle, RoomSubscription>;

struct RpcRequest {
  uint64_t req_id = 0;
  RpcBody body;
};

// Why a message could not become an RpcRequest. With a req_id it can still be answered.
struct RpcReject {
  std::optional<uint64_t> req_id;
  ErrorCode code = ErrorCode::kInvalidRequest;
  std::string why;
};

// --- what the server sends over the data channel ----------------------------------------------------------------

struct RpcAnswer {
  uint64_t req_id = 0;
  // success: null, true, or {"sdp": …}
  struct Done {};
  struct Sdp {
    std::string sdp;
  };
  std::variant<Done, Sdp, Error> data;
};

enum class StreamStatus : uint8_t { kNew, kConnecting, kConnected, kReconnecting, kDisconnected };
enum class StreamScaling : uint8_t { kSingle, kSimulcast, kSvc };
enum class PeerStatus : uint8_t { kNew, kConnecting, kConnected, kReconnecting };
enum class ReceiverState : uint8_t { kNoSource, kConnecting, kLive, kPaused, kKeyOnly, kSourceDeactived };
enum class SenderState : uint8_t { kCreated, kConnecting, kConnected, kDeactived, kClosed };
enum class PresenceChange : uint8_t { kAdded, kUpdated, kRemoved };

// stream_added, stream_updated, stream_removed
struct StreamEvent {
  PresenceChange change = PresenceChange::kAdded;
  std::string peer;
  std::string stream;
  MediaKind kind = MediaKind::kAudio;
  StreamScaling scaling = StreamScaling::kSingle;
  StreamStatus status = StreamStatus::kConnected;
  bool active = true;
  std::string label;
};
// peer_added, peer_updated, peer_removed
struct PeerEvent {
  PresenceChange change = PresenceChange::kAdded;
  std::string peer;
  PeerStatus status = PeerStatus::kConnecting;
  std::string metadata = {};
  Protocol protocol = Protocol::kWebrtc;
};
struct RoomStats {
  uint32_t peers = 0;
};
// local_stream_{id}_state
struct ReceiverStateEvent {
  std::string id;
  ReceiverState state = ReceiverState::kNoSource;
  std::optional<ErrorCode> reason = {};  // why it does not become live
};
// local_stream_{id}_quality: of what a receiver shows, as its participant gets it.
struct QualityEvent {
  std::string id;
  uint32_t mos = 0;  // in thousandths, 1,000 to 5,000
  StreamKey remote;
};
// remote_stream_{name}_state
struct SenderStateEvent {
  std::string name;
  SenderState state = SenderState::kCreated;
};
// remote_stream_{name}_audio_level, local_stream_{id}_audio_level: in dBov, 0 the loudest there is, -127 silence
struct SenderLevelEvent {
  std::string name;
  int dbov = -127;
};
struct ReceiverLevelEvent {
  std::string id;
  int dbov = -127;
};
// remote_stream_{name}_limit: what a video sender may send now
struct StreamLimitEvent {
  std::string name;
  uint64_t max_bitrate_bps = 0;  // 0: no limit of its own
  std::vector<uint8_t> layers;   // spatial or simulcast layers that somebody wants, lowest first
};
// mix_minus_{id}_state: who is in the slots of a mixer, and who of those that it may hear talks.
struct MixMinusStateEvent {
  struct Heard {
    std::string source;  // name_of() its stream
    int dbov = -127;     // 0 the loudest, -127 silent
    bool operator==(const Heard&) const = default;
  };
  static std::string name_of(const StreamKey& key) { return key.peer + "-" + key.stream; }

  std::string id;                            // of the mixer
  std::vector<std::optional<Heard>> active;  // by slot; nothing: it is free
  std::vector<Heard> sources;                // the loudest first
};
// session_closing, before the server ends a session
struct SessionClosing {
  std::string reason;
  std::optional<uint32_t> retry_ms;
};

using Event = std::variant<StreamEvent, PeerEvent, RoomStats, ReceiverStateEvent, QualityEvent, SenderStateEvent,
                           StreamLimitEvent, SenderLevelEvent, ReceiverLevelEvent, MixMinusStateEvent, SessionClosing>;

}  // namespace atm::contract
