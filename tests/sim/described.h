// Video of one spatial and three temporal layers that tells of them by the dependency descriptor alone, as AV1 does:
// what a simulated publisher puts beside its frames, and a viewer that judges what came by what the descriptors say.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/peer/media_packet.h"
#include "picture.h"

namespace atm::sim {

class DescribedSource {
 public:
  // Once for each frame, before its packets.
  void begin_frame(bool is_key);
  uint16_t frame_number() const { return number_; }
  // Of a packet of the frame; as the payload's trailer.
  Bytes carried(const PictureTag& tag);

 private:
  payload::FrameStructure known_;
  bool is_key_ = false;
  size_t position_ = 0;  // in a cycle of four
  uint16_t number_ = 0xFFF0;
};

struct DescribedVerdict {
  uint64_t frames = 0;      // whole, and all that they refer to came
  uint64_t incomplete = 0;  // or it did not
  uint64_t unreadable = 0;  // packets with a descriptor that cannot be read, or none
  uint64_t wrong = 0;       // a reference is another frame than its number says
  uint64_t jumps = 0;       // of the frame number, to back or far ahead
  std::optional<uint32_t> active_targets;
};

class DescribedViewer {
 public:
  void on_packet(ByteView descriptor, int64_t sequence, const PictureTag& tag);
  // Of what came since the last call.
  DescribedVerdict judge();
  // Since then something came.
  bool has_any() const { return !packets_.empty(); }

 private:
  struct Packet {
    Bytes descriptor;
    PictureTag tag;
  };
  std::map<int64_t, Packet> packets_;  // by sequence number
  std::optional<payload::DependencyStructure> structure_;
  std::map<uint16_t, PictureTag> decoded_;  // by frame number
  std::optional<uint16_t> last_;
};

}  // namespace atm::sim
