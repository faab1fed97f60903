// The last packets of a published video, in order of arrival. A viewer starts at the first packet of a key frame; when
// that one was reordered, or lost and recovered, packets of the same frame have come before it: they are replayed from
// here. One per video source; payloads are shared, so it costs references.
#pragma once

#include <cstdint>
#include <vector>

#include "core/peer/media_packet.h"

namespace atm::sender {

class RecentPackets {
 public:
  // A recovered packet comes a round trip late: this is 200 ms of a 15 Mbit/s video, a second of an ordinary one.
  static constexpr size_t kCapacity = 256;

  // The number under which it can be found; numbers grow by one.
  uint64_t add(const peer::MediaPacket& packet) {
    if (ring_.empty()) ring_.resize(kCapacity);
    ring_[next_ % kCapacity] = packet;
    return next_++;
  }
  // visit(packet) for what came before packet number `end`, is of the same numbering and stands behind it in the
  // stream.
  template <typename Visit>
  void for_each_after(const peer::MediaPacket& start, uint64_t end, Visit visit) const {
    for (uint64_t n = next_ > kCapacity ? next_ - kCapacity : 0; n < end; ++n) {
      const peer::MediaPacket& packet = ring_[n % kCapacity];
      if (!packet.payload || packet.ssrc != start.ssrc || packet.epoch != start.epoch) continue;
      if (packet.sequence > start.sequence) visit(packet);
    }
  }
  // Gives the payloads back to the pool.
  void clear() { ring_.clear(); }

 private:
  std::vector<peer::MediaPacket> ring_;
  uint64_t next_ = 0;
};

}  // namespace atm::sender
