#include "media/share/publisher_limit.h"

#include <algorithm>

namespace atm::share {

namespace {

using contract::BitrateControlMode;

// 0 is no cap.
uint64_t capped(uint64_t bps, uint64_t cap) {
  return cap == 0 ? bps : std::min(bps, cap);
}

// Its first viewer is there, and the key frame for it is not.
bool awaits_picture(Instant now, PublishedStream& stream) {
  if (!stream.rises_after_picture || stream.demand.viewers == 0 || stream.usable_bps > 0) {
    stream.awaits_picture_since.reset();
    return false;
  }
  if (!stream.awaits_picture_since) stream.awaits_picture_since = now;
  const Instant since = *stream.awaits_picture_since;
  return now < since + kFirstPictureHold && !(stream.key_frame_at && *stream.key_frame_at >= since);
}

// Moves what viewers can use towards `wanted`: up at once, down when it has been down for kFallHold.
void hold(Instant now, PublishedStream& stream, uint64_t wanted_bps, uint8_t wanted_layers) {
  stream.usable_bps = std::max(stream.usable_bps, wanted_bps);
  stream.usable_layers |= wanted_layers;
  if (stream.usable_bps == wanted_bps && stream.usable_layers == wanted_layers) {
    stream.falling_since.reset();
    return;
  }
  // The last viewer's leaving is not kept waiting by a hold of less before it: one hold from there on.
  const bool just_left = wanted_bps == 0 && stream.falling_to_bps > 0;
  if (!stream.falling_since || just_left) {
    stream.falling_since = now;
    stream.falling_to_bps = 0;
    stream.falling_to_layers = 0;
  }
  stream.falling_to_bps = std::max(stream.falling_to_bps, wanted_bps);
  stream.falling_to_layers |= wanted_layers;
  if (now - *stream.falling_since < kFallHold) return;
  stream.usable_bps = stream.falling_to_bps;
  stream.usable_layers = stream.falling_to_layers;
  stream.falling_since.reset();
  if (stream.usable_bps == wanted_bps && stream.usable_layers == wanted_layers) return;
  // The most of the hold was more than now: the next hold begins.
  stream.falling_since = now;
  stream.falling_to_bps = wanted_bps;
  stream.falling_to_layers = wanted_layers;
}

}  // namespace

StreamLimit PublisherLimit::limit_of(const PublishedStream& stream) const {
  if (mode_ == BitrateControlMode::kSumBitrateOnly) {
    return {.max_bitrate_bps = 0, .layers = kAllLayers, .is_idle = stream.usable_bps == 0};
  }
  StreamLimit out{.max_bitrate_bps = 0, .layers = stream.usable_layers, .is_idle = stream.usable_bps == 0};
  if (out.is_idle) {
    out.max_bitrate_bps = capped(capped(kIdleBps, stream.max_bitrate_bps), max_bps_);
  } else if (mode_ == BitrateControlMode::kPerStream) {
    out.max_bitrate_bps = capped(capped(stream.usable_bps, stream.max_bitrate_bps), max_bps_);
  } else {
    out.max_bitrate_bps = stream.max_bitrate_bps;  // the client shares the sum as it likes
  }
  return out;
}

uint64_t PublisherLimit::tias_bps(uint64_t max_bitrate_bps) const {
  if (mode_ == BitrateControlMode::kSumBitrateOnly) return 0;
  if (mode_ != BitrateControlMode::kPerStream || max_bps_ == 0) return max_bitrate_bps;
  return capped(max_bps_, max_bitrate_bps);
}

void PublisherLimit::update(Instant now, std::span<PublishedStream> streams) {
  uint64_t viewed_bps = 0;
  bool any_idle = streams.empty();
  next_ = kNever;
  for (PublishedStream& stream : streams) {
    // Viewers that can use next to nothing get a trickle, too.
    const bool waits = awaits_picture(now, stream);
    if (waits) next_ = std::min(next_, *stream.awaits_picture_since + kFirstPictureHold);
    const bool is_viewed = stream.demand.viewers > 0 && !waits;
    hold(now, stream, is_viewed ? std::max(stream.demand.most_bps, kIdleBps) : 0,
         is_viewed ? stream.demand.layers : uint8_t{0});
    if (stream.falling_since) next_ = std::min(next_, *stream.falling_since + kFallHold);
    stream.limit = limit_of(stream);
    stream.changed = !stream.told || stream.told->layers != stream.limit.layers ||
                     stream.told->is_idle != stream.limit.is_idle ||
                     is_worth_telling(stream.told->max_bitrate_bps, stream.limit.max_bitrate_bps);
    if (stream.changed) {
      stream.told = stream.limit;
    } else {
      stream.limit = *stream.told;
    }
    viewed_bps += stream.usable_bps == 0 ? 0 : capped(stream.usable_bps, stream.max_bitrate_bps);
    any_idle |= stream.usable_bps == 0;
  }
  is_idle_ = mode_ != BitrateControlMode::kSumBitrateOnly && viewed_bps == 0;
  // Idle streams share one trickle, so that they take nothing from those that are viewed.
  const uint64_t usable = viewed_bps + (any_idle ? kIdleBps : 0);
  const uint64_t sum = mode_ == BitrateControlMode::kSumBitrateOnly ? max_bps_ : capped(usable, max_bps_);
  if (is_worth_telling(sum_bps_, sum) || sum_bps_ > capped(sum_bps_, max_bps_)) sum_bps_ = sum;
}

}  // namespace atm::share
