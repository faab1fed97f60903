// Decides for one viewer which packets of a source it gets, so that all it gets can be decoded: the simulcast layer
// (one SSRC of several), and the spatial and temporal layers inside an SSRC. media/receiver owns one for each video
// receiver, asks it for each packet and then its StreamRewriter:
//
//   decision = selector.on_packet(now, info, packet);
//   if (decision.restarts) rewriter.restart();
//   kForward: rewriter.rewrite(), sent with the decision's marker and patches
//   kDrop:    rewriter.drop(); when that gives a number, an empty packet may be sent under it
//
// Promises: whole frames; another SSRC only from the first packet of its own key frame on; a frame only when what it
// depends on was forwarded (payload::FrameInfo says what that is), as long as nothing is lost; down to layers that the
// viewer has all of at the next picture, else at a key frame; VP8 picture ids without gaps, and ids of every codec
// continuous over a switch. A late packet goes the way that its frame went.
// A VP9 or AV1 layer that begins again in the middle of a picture is not a place to go up: the marker of the layer
// below has gone out already. A viewer that was at that layer gets it, others wait for a key frame. About 1 KiB,
// nothing allocated.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "core/stream/sent_packet.h"
#include "media/forward/picture_log.h"
#include "wire/payload/frame_info.h"

namespace atm::forward {

// The highest layers that a viewer gets. `spatial` is the simulcast layer where the source has several SSRCs (then all
// layers inside it are wanted), else the spatial layer inside the one SSRC.
struct Layer {
  uint8_t spatial = payload::kSpatialLayers - 1;
  uint8_t temporal = payload::kTemporalLayers - 1;
  bool operator==(const Layer&) const = default;
};

struct Target {
  Layer layer;
  bool is_paused = false;
  // There is no bitrate for what is forwarded now: while a key frame of a lower layer is waited for, the least temporal
  // layer has to do.
  bool is_urgent = false;
};

// A packet of the source, as far as the selector looks at it.
struct LayeredPacket {
  uint8_t simulcast_layer = 0;  // 0 is the lowest; of its SSRC
  bool marker = false;
  int64_t sequence = 0;  // unwrapped
  uint32_t timestamp = 0;
  ByteView payload;
};

struct Decision {
  enum class Action : uint8_t {
    kIgnore,  // of another SSRC, or nothing is forwarded: the rewriter is not told
    kDrop,
    kForward,
  };
  Action action = Action::kIgnore;
  bool restarts = false;  // the first packet of another SSRC, or after a pause
  bool marker = false;
  int64_t drop_from = 0;                // with kDrop: for StreamRewriter::drop
  stream::PayloadPatch patch;           // the ids of VP8 and VP9
  payload::DescriptorPatch descriptor;  // of codecs that have a dependency descriptor
};

class LayerSelector {
 public:
  static constexpr size_t kMaxSimulcastLayers = 4;
  // A simulcast layer that is silent for so long is taken for gone.
  static constexpr Duration kSilence = 1s;
  // One that is forwarded and silent for so long is given up for another. A still screen is sent once a second by
  // libwebrtc, and of its layers one comes first.
  static constexpr Duration kDeath = 2s;

  // After another target so many pictures say which decode targets the viewer gets, so that one that is lost does not
  // matter. As long as it does not get all of them, every packet says so.
  static constexpr uint8_t kSaidPictures = 8;

  // Another source, with so many SSRCs. Ids at the viewer go on.
  void attach(size_t simulcast_layers);
  // The SSRC that is forwarded has begun anew (its numbers have): from its next key frame on.
  void restart() { active_.reset(); }
  void set_target(const Target& target) { target_ = target; }
  // Without the dependency descriptor a viewer cannot tell spatial layers of the codecs that have one apart: it gets
  // the lowest.
  void set_takes_descriptor(bool takes) { takes_descriptor_ = takes; }
  const Target& target() const { return target_; }

  // `info` was made of this packet. Bounds: packets older than the log of pictures are ignored.
  Decision on_packet(Now now, const payload::FrameInfo& info, const LayeredPacket& packet);

  // The simulcast layer (0 for a source without) that has to send a key frame before the viewer can get its target.
  std::optional<uint8_t> wants_key_frame_of(Now now) const;
  // What the viewer gets now; nothing before the first key frame and during a pause.
  std::optional<Layer> current() const;
  bool is_forwarding() const { return active_.has_value(); }

 private:
  struct Wanted {
    unsigned spatial, temporal;
  };
  bool has_simulcast() const { return simulcast_layers_ > 1; }
  uint8_t wanted_simulcast_layer() const;
  Wanted wanted() const;
  bool is_alive(Now now, size_t simulcast_layer) const;
  std::optional<uint8_t> find_alive(Now now, uint8_t wish) const;
  bool may_begin(Now now, const payload::FrameInfo& info, uint8_t simulcast_layer) const;
  void begin(const payload::FrameInfo& info, uint8_t simulcast_layer);
  Picture* find_picture(const payload::FrameInfo& info, uint32_t timestamp);
  Picture& begin_picture(const payload::FrameInfo& info, uint32_t timestamp);
  Picture& begin_late_picture(const payload::FrameInfo& info, uint32_t timestamp, size_t age);
  payload::TargetSet reachable_with(const payload::FrameInfo& info) const;
  bool has_references(const payload::FrameInfo& info) const;
  void grant_next_picture();
  bool choose_target(const payload::FrameInfo& info);
  void decide(const payload::FrameInfo& info, Picture& picture);
  Decision drop(const payload::FrameInfo& info, const LayeredPacket& packet);
  Decision forward(const payload::FrameInfo& info, const LayeredPacket& packet, Picture& picture);
  void write_ids(const payload::FrameInfo& info, ByteView payload, const Picture& picture, Decision& out);
  void note_frame_number(uint16_t frame_number);

  // given
  size_t simulcast_layers_ = 1;
  Target target_;
  bool takes_descriptor_ = true;
  // state
  std::array<Instant, kMaxSimulcastLayers> heard_at_{};
  std::optional<Instant> waits_since_;                // nothing is forwarded, but packets come
  std::optional<uint8_t> active_;                     // the simulcast layer that is forwarded
  uint8_t current_ = 0;                               // the viewer's target inside it, as the number of its bit
  bool needs_key_frame_ = false;                      // to reach the wanted spatial layer
  bool has_dropped_lower_ = false;                    // K-SVC: going down takes a key frame, too
  payload::TargetSet intact_ = payload::kAllTargets;  // of these the viewer has all that they need
  // Of the newest picture, with SwitchRule::kNextPicture: what may be gone over to after it, from which temporal layer.
  payload::TargetSet next_ = 0, not_next_ = 0;
  uint8_t next_temporal_ = 0;
  PictureLog pictures_;
  // The packet of the highest number, when it was dropped.
  bool dropped_newest_ = false;
  uint8_t newest_spatial_ = 0;
  uint32_t newest_timestamp_ = 0;
  int64_t newest_sequence_ = 0;
  // Ids: what is added to those of the source, and the newest at the viewer.
  bool has_sent_ids_ = false, has_sent_frames_ = false;
  uint16_t picture_id_offset_ = 0, last_picture_id_ = 0;
  uint8_t tl0_offset_ = 0, last_tl0_ = 0;
  uint16_t frame_number_offset_ = 0, last_frame_number_ = 0;
  uint8_t said_pictures_ = 0;  // that are still to say the decode targets
  // Frame numbers of the source that were forwarded: bit i is newest_frame_ - i.
  static constexpr size_t kFrameWords = 4;
  std::array<uint64_t, kFrameWords> sent_frames_{};
  uint16_t newest_frame_ = 0;
};

}  // namespace atm::forward
