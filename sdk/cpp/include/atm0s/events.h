// What happens in a session, as values: taken by Session::poll_event() or wait_event(), or given to a handler. Names
// and meanings are those of docs/session-protocol.md; the table of docs/cpp-sdk.md has the browser SDK's names.
//
//   session.on_event([](const atm0s::Event& event) {
//     if (const auto* peer = std::get_if<atm0s::PeerChanged>(&event)) greet(peer->peer);
//   });
//
// Later versions may add to the alternatives of Event, and to their fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "atm0s/config.h"
#include "atm0s/result.h"

namespace atm0s {

// Where a session is. kReconnecting: the connection is lost, and the SDK gets it back, or gives up. kDisconnected is
// the last: a session connects once.
enum class SessionState : uint8_t { kCreated, kConnecting, kConnected, kReconnecting, kDisconnected };
// How a stream can be made smaller: not at all, by layers from several encoders, by layers of one.
enum class StreamScaling : uint8_t { kSingle, kSimulcast, kSvc };
// Where the publisher of a stream is.
enum class StreamStatus : uint8_t { kNew, kConnecting, kConnected, kReconnecting, kDisconnected };
// What comes into a receiver.
enum class ReceiverState : uint8_t {
  kNoSource,         // it views nothing
  kConnecting,       // it views a stream, nothing of which has come
  kLive,             // frames come
  kPaused,           // no layer of the stream fits into what the way to here carries
  kKeyOnly,          // key frames alone come. This server does not do that
  kSourceDeactived,  // the stream has no source, or is gone
};
// What becomes of a stream that is sent.
enum class SenderState : uint8_t {
  kCreated,     // the server does not know of it yet
  kConnecting,  // it is published, and nothing of it has been sent
  kConnected,   // frames are sent
  kDeactived,   // it has no source
  kClosed,      // it was stopped, or its session has ended
};
// Whether something has come, has changed, or has gone.
enum class Presence : uint8_t { kAdded, kUpdated, kRemoved };

// The session's state. (In the browser SDK: connected, disconnected, reconnecting, reconnected.)
struct StateChanged {
  SessionState state = SessionState::kCreated;  // from now on
  std::optional<Error> why = {};  // of kReconnecting and kDisconnected; nothing: the application wanted it
};

// Which stream: who publishes it and under which name.
struct StreamKey {
  std::string peer;  // SessionConfig::peer_id of the publisher
  std::string name;  // SenderConfig::name of the publisher
  // By peer, then by name.
  auto operator<=>(const StreamKey&) const = default;
};

// What is known of a stream.
struct StreamInfo {
  StreamKey key;                                   // which one
  MediaKind kind = MediaKind::kAudio;              // what it is
  StreamScaling scaling = StreamScaling::kSingle;  // told once somebody views it
  StreamStatus status = StreamStatus::kConnected;  // of its publisher
  bool active = true;                              // has a source
  std::string label = {};                          // SenderConfig::label of the publisher
};
// A stream of the room. (In the browser SDK: stream_added, stream_updated, stream_removed; with is_own: mystream_…)
struct StreamChanged {
  Presence change = Presence::kAdded;  // what has become of it
  bool is_own = false;                 // this session publishes it
  StreamInfo stream;                   // as it is now; of kRemoved, its key and kind
};
// Another participant. (peer_added, peer_updated, peer_removed)
struct PeerChanged {
  Presence change = Presence::kAdded;  // what has become of it
  std::string peer;                    // SessionConfig::peer_id of the other
  std::string metadata = {};           // RuntimeOptions::metadata of the other
};
// How many are in the room, oneself too. (room_stats)
struct RoomStats {
  uint32_t peers = 0;  // sessions that are present
};
// The state of a sender of this session.
struct SenderStateChanged {
  std::string name;                           // of the sender
  SenderState state = SenderState::kCreated;  // from now on
};
// The state of a receiver of this session.
struct ReceiverStateChanged {
  std::string id;                                  // of the receiver
  ReceiverState state = ReceiverState::kNoSource;  // from now on
  std::string reason = {};                         // why it does not become live, a code; "" when there is none
};
// How loud a sender of this session is: when it changes, at most five times a second.
struct SenderLevel {
  std::string name;  // of the sender
  int level = -127;  // dBov: 0 the loudest, -127 silent
};
// How loud is what comes into a receiver: when it changes, at most five times a second.
struct ReceiverLevel {
  std::string id;    // of the receiver
  int level = -127;  // dBov: 0 the loudest, -127 silent
};
// How well a receiver shows its stream: when it changes by a tenth of a point, at most once a second.
struct ReceiverQuality {
  std::string id;    // of the receiver
  double mos = 0;    // mean opinion score, 1 to 5
  StreamKey stream;  // what it shows
};
// Who is in the slots of the mixer, and who of those that it may hear talks, the loudest first.
struct MixMinusChanged {
  // One who talks.
  struct Heard {
    std::string source;  // "peer-stream"
    int level = -127;    // dBov: 0 the loudest, -127 silent
  };
  std::vector<std::optional<Heard>> active;  // by slot; nothing: it is free
  std::vector<Heard> sources;                // at most 16
};
// The server ends the session. What it names as temporary (shutdown, drain) is followed by a reconnection.
struct SessionClosing {
  std::string reason;  // "shutdown", "drain", "kick", "replaced", "duplicate_peer", "token_expired", "token_revoked", …
};
// Something that was asked for in the background did not succeed: a sender or receiver that the server refuses, a STUN
// or TURN server that cannot be used.
struct Failure {
  Error error;  // ICE_SERVER_ERROR begins its message with the server's url
};

// One of all these.
using Event =
    std::variant<StateChanged, StreamChanged, PeerChanged, RoomStats, SenderStateChanged, ReceiverStateChanged,
                 SenderLevel, ReceiverLevel, ReceiverQuality, MixMinusChanged, SessionClosing, Failure>;

}  // namespace atm0s
