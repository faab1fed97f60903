// A published stream as its room sees it: who publishes it, under which name, on which m-line of whose connection.
// media/room owns one per stream; media/receiver reads it; the publisher's media/session feeds it packets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contract/session.h"
#include "core/peer/peer.h"
#include "media/sender/key_frame_ask.h"
#include "media/sender/recent_packets.h"

namespace atm0s::sender {

enum class SessionId : uint64_t {};

struct Source {
  contract::StreamKey key;
  MediaKind kind = MediaKind::kAudio;
  std::string label;
  bool active = true;  // has a track
  SessionId owner{};
  peer::Peer* publisher = nullptr;
  size_t media = 0;  // index of the m-line in `publisher`
  KeyFrameAsk key_frames;
  RecentPackets recent;  // video only

  const peer::MediaLine& line() const { return publisher->media(media); }
};

// What the room passes on of a received packet: its body copied into `pool` once for all subscribers.
// Nothing when the payload type was not negotiated, or the packet is too large to be carried.
std::optional<peer::MediaPacket> make_media_packet(const Source& source, const peer::ReceivedPacket& packet,
                                                   PacketPool& pool);

}  // namespace atm0s::sender
