// What happens in a session, as values: taken by Session::poll_event() or wait_event(), or given to a handler. Names
// and meanings are those of docs/session-protocol.md.
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

enum class SessionState : uint8_t { kCreated, kConnecting, kConnected, kReconnecting, kDisconnected };
enum class StreamScaling : uint8_t { kSingle, kSimulcast, kSvc };
enum class StreamStatus : uint8_t { kNew, kConnecting, kConnected, kReconnecting, kDisconnected };
enum class ReceiverState : uint8_t { kNoSource, kConnecting, kLive, kPaused, kKeyOnly, kSourceDeactived };
enum class SenderState : uint8_t { kCreated, kConnecting, kConnected, kDeactived, kClosed };
enum class Presence : uint8_t { kAdded, kUpdated, kRemoved };

// connected, disconnected, reconnecting, reconnected
struct StateChanged {
  SessionState state = SessionState::kCreated;
  std::optional<Error> why = {};  // of kReconnecting and kDisconnected; nothing: the application wanted it
};

// Which stream: who publishes it and under which name.
struct StreamKey {
  std::string peer;
  std::string name;
  auto operator<=>(const StreamKey&) const = default;
};

struct StreamInfo {
  StreamKey key;
  MediaKind kind = MediaKind::kAudio;
  StreamScaling scaling = StreamScaling::kSingle;
  StreamStatus status = StreamStatus::kConnected;
  bool active = true;  // has a source
  std::string label = {};
};
// stream_added, stream_updated, stream_removed; with is_own: mystream_…
struct StreamChanged {
  Presence change = Presence::kAdded;
  bool is_own = false;
  StreamInfo stream;
};
struct PeerChanged {
  Presence change = Presence::kAdded;
  std::string peer;
  std::string metadata = {};
};
struct RoomStats {
  uint32_t peers = 0;
};
struct SenderStateChanged {
  std::string name;
  SenderState state = SenderState::kCreated;
};
struct ReceiverStateChanged {
  std::string id;
  ReceiverState state = ReceiverState::kNoSource;
  std::string reason = {};  // why it does not become live, a code; "" when there is none
};
// dBov: 0 the loudest, -127 silent
struct SenderLevel {
  std::string name;
  int level = -127;
};
struct ReceiverLevel {
  std::string id;
  int level = -127;
};
struct ReceiverQuality {
  std::string id;
  double mos = 0;  // mean opinion score, 1 to 5
  StreamKey stream;
};
// Who is in the slots of the mixer, and who of those that it may hear talks, the loudest first.
struct MixMinusChanged {
  struct Heard {
    std::string source;  // "peer-stream"
    int level = -127;
  };
  std::vector<std::optional<Heard>> active;  // by slot; nothing: it is free
  std::vector<Heard> sources;
};
// Before the server ends the session.
struct SessionClosing {
  std::string reason;
};
// Something that was asked for in the background did not succeed.
struct Failure {
  Error error;
};

using Event =
    std::variant<StateChanged, StreamChanged, PeerChanged, RoomStats, SenderStateChanged, ReceiverStateChanged,
                 SenderLevel, ReceiverLevel, ReceiverQuality, MixMinusChanged, SessionClosing, Failure>;

}  // namespace atm0s
