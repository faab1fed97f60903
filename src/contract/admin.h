// The admin API between the control thread and the workers: what is asked, and what a worker tells of its slice of a
// room. Plain structs beside those of command.h. Made by control/http and media/session, encoded by contract/json;
// docs/openapi.json says what becomes of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/codec.h"
#include "contract/session.h"

namespace atm::contract {

// --- commands, to all workers

struct ReadRooms {};
// Everybody in it, or one peer.
struct ReadRoom {
  std::string room;
  std::optional<std::string> peer;
};
// Over those of the token, until the session ends; absent: as it is. The reply is a Count of sessions.
struct SetRights {
  std::string room, peer;
  std::optional<bool> publish, subscribe;
};
// Viewers get nothing of the stream, whatever its publisher does. The reply is a Count of streams.
struct MuteStream {
  StreamKey key;
  std::string room;
  bool is_muted = true;
};
// Takes no new sessions (or does again), and may end those that are there. The reply is a Count of those that were.
struct TakeSessions {
  bool takes = false;
  bool ends = false;  // with Ending::kDrain
};

// --- replies

struct RoomsRead {
  struct Room {
    std::string room;
    size_t peers = 0, streams = 0;  // of that worker
  };
  std::vector<Room> rooms;
};

struct LayerReport {
  uint8_t spatial = 0, temporal = 0;
  uint64_t bps = 0;                // with all that is under it
  uint32_t width = 0, height = 0;  // 0: not known
};
struct StreamReport {
  std::string name, label;
  MediaKind kind = MediaKind::kAudio;
  std::optional<Codec> codec;  // the first of those that were negotiated
  StreamScaling scaling = StreamScaling::kSingle;
  bool active = true, muted = false;
  uint32_t viewers = 0;
  std::optional<int> level_dbov;    // audio whose packets say it
  std::vector<LayerReport> layers;  // video: those that are measured, so while somebody views it
};
struct ReceiverReport {
  std::string id;
  MediaKind kind = MediaKind::kAudio;
  ReceiverState state = ReceiverState::kNoSource;
  std::optional<StreamKey> remote;
  std::optional<uint8_t> spatial, temporal;  // video: the layer that it gets
  ReceiverLimit limit;
};
struct PeerReport {
  std::string peer;
  PeerStatus status = PeerStatus::kConnecting;
  std::string version, metadata;  // as the client said
  bool publish = true, subscribe = true;
  std::optional<WallTime> token_expires_at;
  std::string token_id;
  std::string address;  // of the client; "" before ICE is up
  uint64_t age_ms = 0;  // since the connect call
  std::optional<uint64_t> round_trip_ms;
  std::optional<uint64_t> estimate_bps;  // what its way from here carries
  std::vector<StreamReport> streams;
  std::vector<ReceiverReport> receivers;
};
struct RoomRead {
  std::string room;
  std::vector<PeerReport> peers;  // those of that worker
};

}  // namespace atm::contract
