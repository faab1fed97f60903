// What a simulated participant sends and takes instead of the made-up video of picture.h: a test's own. Client calls it
// in virtual time. For tests/layers.
#pragma once

#include "base/time.h"
#include "core/peer/peer.h"

namespace atm::sim {

class OwnVideo {
 public:
  virtual ~OwnVideo() = default;
  // On the m-line that the client publishes: it is time for the next picture. When it is time again.
  virtual Instant send(Now now, peer::Peer& peer, size_t media, SendBatch& out) = 0;
  virtual void on_key_frame_wanted(uint32_t ssrc) = 0;
  // A compound packet of the server, decrypted.
  virtual void on_rtcp(Now now, peer::Peer& peer, size_t media, ByteView compound, SendBatch& out) = 0;
  // On an m-line that receives. True: the client has to ask for a key frame.
  virtual bool on_packet(Now now, const peer::MediaLine& line, const peer::ReceivedPacket& packet) = 0;
};

}  // namespace atm::sim
