// What stands between the network and the decoder at a viewer, as strict as those of browsers: it puts frames together
// from packets in order of their sequence numbers, waits a moment for what is missing, holds each picture against the
// ids and references that its descriptors tell (as libwebrtc's reference finders for VP8, VP9 and the dependency
// descriptor), and after a loss or a fault shows nothing before the next key frame. It mends nothing. For one SSRC of
// one codec; see it replay what another has recorded for the seeded bugs.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/time.h"
#include "clip.h"
#include "wire/payload/dependency_descriptor.h"

namespace atm::layers {

struct ViewedPacket {
  int64_t sequence = 0;
  uint32_t timestamp = 0;
  bool marker = false;
  Bytes payload, descriptor;
  Instant at{};
};

// One that goes to the decoder. VP8, VP9: the frames of all its layers; H264: NAL units behind four-byte start codes;
// AV1: OBUs with their sizes, no temporal delimiter.
struct Picture {
  Bytes bytes;
  uint32_t timestamp = 0;
  int64_t first_sequence = 0;
  bool is_key = false;
  bool is_after_loss = false;  // between it and the one before something was lost or refused
  Instant at{};
};

// The same bytes for frames of a clip.
Bytes picture_bytes(Codec codec, const std::vector<const ClipFrame*>& frames);

class FrameReceiver {
 public:
  // For what is missing: several round trips.
  static constexpr Duration kPatience = 400ms;

  explicit FrameReceiver(Codec codec) : codec_(codec) {}

  // True: it asks for a key frame.
  bool on_packet(const ViewedPacket& packet);

  const std::vector<Picture>& pictures() const { return pictures_; }
  // What was wrong with packets that came; what did not come is in losses().
  const std::vector<std::string>& faults() const { return faults_; }
  uint64_t losses() const { return losses_; }
  uint64_t key_frames_asked() const { return asked_; }

 private:
  // What a packet is, in any codec.
  struct Piece {
    ByteView data;
    bool begins = false, ends = false;  // a frame of a layer
    bool is_key = false;                // begins a key picture
    uint8_t spatial = 0, temporal = 0;
    bool is_sync = false, uses_below = false;
    std::optional<uint16_t> picture_id;
    std::optional<uint8_t> tl0;
    std::vector<uint16_t> back;  // VP9: pictures
    std::optional<payload::DependencyDescriptor> descriptor;
  };
  enum class Outcome { kTaken, kFault, kFaultBefore };

  void advance(Instant now);
  bool begins_key_frame(ByteView payload) const;
  bool find_key_frame();
  Outcome take(const ViewedPacket& packet);
  Outcome close_picture(const ViewedPacket& packet);
  std::optional<Piece> read(const ViewedPacket& packet);
  bool read_vp8(ByteView payload, Piece& out) const;
  bool read_vp9(ByteView payload, Piece& out);
  bool append(const Piece& piece);
  bool append_h264(ByteView payload);
  bool append_av1(ByteView payload);
  // An empty text: it can be decoded.
  std::string check_frame(const Piece& piece);
  std::string check_vp8(const Piece& piece);
  std::string check_vp9(const Piece& piece);
  std::string check_dependencies(const Piece& piece);
  Outcome fault(std::string what, Outcome outcome);

  Codec codec_;
  std::map<int64_t, ViewedPacket> waiting_;
  std::optional<int64_t> next_;  // what is taken next; before it nothing is taken any more
  bool needs_key_frame_ = true;
  std::optional<Instant> stalled_since_, last_asked_;
  // The picture that is put together.
  bool is_open_ = false, is_frame_open_ = false;
  Picture picture_;
  std::vector<Bytes> obus_;
  bool obu_continues_ = false;
  uint8_t spatial_ = 0;
  std::optional<uint32_t> last_timestamp_;
  // What was decoded since the key frame.
  bool knows_ids_ = false;
  uint16_t last_id_ = 0;
  uint8_t last_tl0_ = 0;
  std::array<bool, 8> seen_temporal_{};
  std::deque<std::pair<uint16_t, uint8_t>> decoded_;  // VP9: picture id and spatial layer
  std::deque<uint16_t> decoded_numbers_;              // of the dependency descriptor
  std::optional<payload::DependencyStructure> structure_;
  struct GroupPicture {
    uint8_t temporal = 0;
    std::vector<uint16_t> back;
  };
  std::vector<GroupPicture> group_;
  uint16_t group_begin_ = 0;
  // out
  bool is_after_loss_ = false;
  std::vector<Picture> pictures_;
  std::vector<std::string> faults_;
  uint64_t losses_ = 0, asked_ = 0;
};

}  // namespace atm::layers
