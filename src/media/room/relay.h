// What the slices of one room say to each other: a room whose participants are on several workers has a slice on each.
// Plain values, so that a mailbox between two threads carries them as well as a datagram between two nodes could. Any
// of them may be lost: state is numbered and repeated on request (Digest, WantState), views are repeated with every
// digest, packets are media. media/room makes and reads them, node addresses them, apps/server and tests/sim carry
// them, and bring messages with packets back to where they were made once they have been read: their buffers are used
// again, so that a burst allocates nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "contract/session.h"
#include "core/negotiation/media.h"
#include "core/peer/media_packet.h"
#include "media/share/demand.h"
#include "media/share/layer_rates.h"

namespace atm::room {

enum class SliceId : uint16_t {};   // the index of the worker that has it
enum class StreamId : uint64_t {};  // of one publication, unique among all slices: the slice in the upper 16 bits

// When a participant entered. Two of one name can be there for a moment, in two slices: the later one stays.
struct Entered {
  Instant at{};
  SliceId slice{};
  auto operator<=>(const Entered&) const = default;
};

struct RelayedPeer {
  std::string peer;
  contract::PublishScope publish = contract::PublishScope::kFull;
  contract::PeerStatus status = contract::PeerStatus::kConnected;
  Entered entered;
  std::string metadata = {};
  contract::Protocol protocol = contract::Protocol::kWebrtc;
};

struct RelayedStream {
  contract::StreamKey key;
  Entered entered;  // of its peer
  StreamId id{};
  MediaKind kind = MediaKind::kAudio;
  std::string label;
  bool active = true;
  std::vector<negotiation::NegotiatedCodec> codecs;
  uint8_t simulcast_layers = 1;
  share::Scaling scaling = share::Scaling::kIndependent;
  bool screen = false;
  contract::ContentHint content_hint = contract::ContentHint::kNone;
};

// The peers and streams of a slice: all of them, or what has changed since `version` - 1.
struct SliceState {
  uint64_t version = 0;
  bool is_whole = false;  // what is not in it is gone
  std::vector<RelayedPeer> peers;
  std::vector<RelayedStream> streams;
  std::vector<std::string> gone_peers;
  std::vector<contract::StreamKey> gone_streams;
};
// A stream is viewed here, or no longer, or its viewers can use more than was told.
struct ViewStream {
  StreamId id{};
  share::Demand demand;  // of the viewers of this slice alone; none: it is not viewed any more
};
// Every second, and as the first word of a new slice: whoever has missed something finds it out. What viewers can use
// less than before is told by it alone.
struct SliceDigest {
  uint64_t version = 0;
  std::vector<ViewStream> viewed;  // the receiver's streams that are viewed here
  bool wants_levels = false;       // WantLevels
};
// Participants of the slice have mixers (or none any more): it is told of those who talk.
struct WantLevels {
  bool are_wanted = false;
};
// Who talks in a slice: those that are not in it do not, but for those beyond kMaxRelayedTalkers, the loudest.
struct SliceLevels {
  struct Talker {
    StreamId id{};
    int8_t dbov = 0;
    bool is_settled = false;
  };
  std::vector<Talker> talkers;
};
struct WantState {};
struct SliceGone {};
struct WantKeyFrame {
  StreamId id{};
  uint8_t simulcast_layer = 0;
};

struct RelayedPacket {
  peer::MediaPacket packet;  // without its payload: references do not cross threads
  size_t payload_size = 0, trailer_size = 0;
};
// A burst of one stream.
struct RelayedPackets {
  StreamId id{};
  std::optional<Duration> round_trip;  // to its publisher
  std::vector<RelayedPacket> packets;
  Bytes payloads;  // one behind the other, each with its trailer
};

struct RelayMessage {
  SliceId from{};
  SliceId to{};
  std::string room;
  std::variant<SliceState, SliceDigest, WantState, SliceGone, ViewStream, WantKeyFrame, WantLevels, SliceLevels,
               RelayedPackets>
      body;
};
// Worth bringing back to its maker: the others are rare.
inline bool has_packets(const RelayMessage& message) {
  return std::holds_alternative<RelayedPackets>(message.body);
}

}  // namespace atm::room
