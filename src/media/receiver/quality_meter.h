// How good the stream of one receiver is for its participant (session protocol: local_stream_{id}_quality), judged once
// a second from what the server knows anyway. media/receiver feeds and asks it; media/quality has the models.
// Audio: what is lost on the publisher's way shows in the numbers of what is passed on; the viewer's reports count both
// ways together, for those gaps are passed on to it, so its own way is the difference. Video: what goes out, when, and
// what the viewer says it has lost; a loss that a retransmission mends is none.
// What is simplified:
// - Loss on the viewer's way is taken to be random: reports tell no bursts. RED then repairs all but so many in a row.
// - The listener's jitter buffer is a packet and twice the jitter that it reports.
// - The highest bitrate of the last seconds is the codec's: speech that pauses takes few bits and is not worse for it.
// - Nothing is remembered of a picture's size beyond the last key frame that told it.
// Nothing is allocated.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/media_kind.h"
#include "base/sequence.h"
#include "base/time.h"
#include "core/peer/peer.h"
#include "media/forward/layer_selector.h"
#include "media/quality/frame_watch.h"
#include "media/quality/gate.h"
#include "media/quality/heard.h"
#include "media/quality/reported_loss.h"
#include "media/sender/source.h"

namespace atm::receiver {

class QualityMeter {
 public:
  explicit QualityMeter(MediaKind kind) : kind_(kind) {}

  // It shows another stream, or nothing.
  void restart() { *this = QualityMeter(kind_); }
  // A packet has gone out, under this timestamp of the outgoing stream, with so many earlier frames (RED).
  void on_sent(Instant now, const peer::MediaPacket& packet, uint32_t timestamp, size_t copies) {
    if (kind_ == MediaKind::kAudio) {
      copies_ = copies;
      return;
    }
    bytes_ += packet.payload.bytes().size();
    if (packet.starts_key_frame) watch_.on_key_frame(now);
    if (watch_.has_begun() && !is_newer(timestamp, timestamp_)) return;
    timestamp_ = timestamp;
    watch_.on_frame(now);
  }
  void on_picture_lost(Instant now, Duration round_trip) { watch_.on_picture_lost(now, round_trip); }

  // What the stream is on its last hop.
  struct Hop {
    const peer::Peer& peer;
    size_t media = 0;
    Codec codec = Codec::kOpus;
    uint8_t layer = 0;  // video: the simulcast or spatial layer that is shown
  };
  // Once in quality::kTellInterval, while the receiver is live: the MOS in thousandths, if it has to be told.
  std::optional<uint32_t> judge(Instant now, const sender::Source& source, const Hop& hop);

 private:
  std::optional<uint32_t> judge_audio(Instant now, const sender::Source& source, const Hop& hop);
  std::optional<uint32_t> judge_video(Instant now, const sender::Source& source, const Hop& hop);
  void learn_losses(Instant now, const sender::Source& source, const Hop& hop);

  MediaKind kind_;
  quality::QualityGate gate_;
  bool has_begun_ = false;  // there is something to take differences from
  Instant judged_at_{};
  uint32_t bitrate_bps_ = 0;
  // audio
  quality::Heard::Totals heard_, heard_at_report_;
  quality::ReportedLoss reported_;
  double publisher_loss_ = 0, viewer_loss_ = 0, mean_burst_ = 1;
  bool has_fec_ = false;
  size_t copies_ = 0;
  // video
  quality::FrameWatch watch_;
  uint32_t timestamp_ = 0;
  uint64_t bytes_ = 0;
  double frame_rate_ = 0;
};

}  // namespace atm::receiver
