#include "media/forward/layer_selector.h"

#include <algorithm>
#include <limits>

namespace atm::forward {
namespace {

using payload::FrameInfo;
using payload::kAllTargets;
using payload::kSpatialLayers;
using payload::kTemporalLayers;
using payload::SwitchRule;
using payload::target_bit;
using payload::TargetSet;

unsigned spatial_of(uint8_t target) {
  return target / kTemporalLayers;
}
unsigned temporal_of(uint8_t target) {
  return target % kTemporalLayers;
}
bool has(TargetSet set, uint8_t target) {
  return (set >> target & 1) != 0;
}

// Targets with spatial layers from..to and temporal layers up to `temporal`.
TargetSet targets_up_to(unsigned from, unsigned to, unsigned temporal) {
  return payload::targets_of(from, to, 0) & ~payload::targets_of(from, to, temporal + 1);
}

// Picture ids have 7 or 15 bits; at the viewer they are counted with 15, and cut when they are written.
int step(const FrameInfo& info, uint16_t from) {
  const int circle = info.picture_id_is_long ? 0x8000 : 0x80;
  const int ahead = (info.picture_id - from) & (circle - 1);
  return ahead < circle / 2 ? ahead : ahead - circle;
}
bool is_newer_id(uint16_t id, uint16_t than) {
  const unsigned ahead = (id - than) & 0x7FFFu;
  return ahead != 0 && ahead < 0x4000;
}

}  // namespace

void LayerSelector::attach(size_t simulcast_layers) {
  simulcast_layers_ = std::clamp<size_t>(simulcast_layers, 1, kMaxSimulcastLayers);
  active_.reset();
  waits_since_.reset();
  heard_at_ = {};
}

uint8_t LayerSelector::wanted_simulcast_layer() const {
  return has_simulcast() ? static_cast<uint8_t>(std::min<size_t>(target_.layer.spatial, simulcast_layers_ - 1))
                         : uint8_t{0};
}

LayerSelector::Wanted LayerSelector::wanted() const {
  const unsigned temporal = std::min<unsigned>(target_.layer.temporal, kTemporalLayers - 1);
  if (!has_simulcast()) return {std::min<unsigned>(target_.layer.spatial, kSpatialLayers - 1), temporal};
  if (*active_ > wanted_simulcast_layer()) return {kSpatialLayers - 1, target_.is_urgent ? 0 : temporal_of(current_)};
  return {kSpatialLayers - 1, temporal};
}

bool LayerSelector::is_alive(Now now, size_t simulcast_layer) const {
  const Instant heard = heard_at_[simulcast_layer];
  return heard != Instant{} && now.mono - heard < kSilence;
}

bool LayerSelector::may_begin(Now now, const FrameInfo& info, uint8_t simulcast_layer) const {
  if (target_.is_paused || !info.is_key_frame || !info.starts_frame) return false;
  const uint8_t wanted = wanted_simulcast_layer();
  if (simulcast_layer == wanted) return true;
  if (active_) return now.mono - heard_at_[*active_] >= kSilence;
  // To begin with, a lower layer is better than none; a higher one only when it seems that there is no other.
  return simulcast_layer < wanted || (waits_since_ && now.mono - *waits_since_ >= kSilence);
}

void LayerSelector::begin(const FrameInfo& info, uint8_t simulcast_layer) {
  active_ = simulcast_layer;
  waits_since_.reset();
  current_ = kSpatialLayers * kTemporalLayers - 1;
  needs_key_frame_ = has_dropped_lower_ = dropped_newest_ = false;
  intact_ = kAllTargets;
  next_ = not_next_ = 0;
  pictures_.clear();
  newest_sequence_ = std::numeric_limits<int64_t>::min();
  if (has_sent_ids_) {
    picture_id_offset_ = static_cast<uint16_t>(last_picture_id_ + 1 - info.picture_id);
    tl0_offset_ = static_cast<uint8_t>(last_tl0_ + 1 - info.tl0_picture_index);
  }
  if (has_sent_frames_) frame_number_offset_ = static_cast<uint16_t>(last_frame_number_ + 1 - info.frame_number);
  sent_frames_ = {};
  newest_frame_ = info.frame_number;
}

Decision LayerSelector::on_packet(Now now, const FrameInfo& info, const LayeredPacket& packet) {
  if (packet.simulcast_layer >= simulcast_layers_) return {};
  const bool begins = active_ != packet.simulcast_layer;
  if (begins && !may_begin(now, info, packet.simulcast_layer)) {
    if (!active_ && !waits_since_) waits_since_ = now.mono;
    heard_at_[packet.simulcast_layer] = now.mono;
    return {};
  }
  heard_at_[packet.simulcast_layer] = now.mono;
  if (begins) begin(info, packet.simulcast_layer);
  if (target_.is_paused && pictures_.is_newest(packet.timestamp)) {
    active_.reset();
    return {};
  }
  Picture* picture = find_picture(info, packet.timestamp);
  if (picture == nullptr) return {};
  const unsigned layer = 1u << info.spatial_layer;
  if ((picture->decided & layer) == 0) decide(info, *picture);
  Decision out = (picture->forwarded & layer) != 0 ? forward(info, packet, *picture) : drop(info, packet);
  out.restarts = begins;
  return out;
}

// Null for a picture that is older than all that are remembered.
Picture* LayerSelector::find_picture(const FrameInfo& info, uint32_t timestamp) {
  if (pictures_.empty()) return &begin_picture(info, timestamp);
  const size_t age = pictures_.find_until(timestamp);
  if (age == PictureLog::kPictures) return nullptr;
  Picture& found = pictures_.at(age);
  if (found.timestamp == timestamp) {
    // The first packet of a key frame came after others of it.
    if (info.is_key_frame && !found.is_key && age == 0 && !found.is_closed && found.decided == found.forwarded) {
      found.is_key = true;
      found.switches |= choose_target(info);
      found.target = current_;
    }
    return &found;
  }
  return age == 0 ? &begin_picture(info, timestamp) : &begin_late_picture(info, timestamp, age);
}

Picture& LayerSelector::begin_picture(const FrameInfo& info, uint32_t timestamp) {
  grant_next_picture();
  if (said_pictures_ > 0) --said_pictures_;
  Picture made;
  made.switches = choose_target(info);
  made.timestamp = timestamp;
  made.is_key = info.is_key_frame;
  made.target = current_;
  made.picture_id = info.picture_id;
  made.next_picture_id = static_cast<uint16_t>(info.picture_id + picture_id_offset_);
  if (info.closes_picture_ids && !pictures_.empty()) {
    const Picture& before = pictures_.at(0);
    made.next_picture_id = static_cast<uint16_t>(before.next_picture_id + step(info, before.picture_id) - 1);
  }
  return pictures_.add_newest(made);
}

// No packet of it has come before newer pictures have. It is of the target of the picture before it, or already of that
// of the one behind it, where it is of a temporal layer that only that has.
Picture& LayerSelector::begin_late_picture(const FrameInfo& info, uint32_t timestamp, size_t age) {
  Picture made = pictures_.at(age);
  const Picture& behind = pictures_.at(age - 1);
  made.next_picture_id =
      static_cast<uint16_t>(info.closes_picture_ids ? made.next_picture_id + step(info, made.picture_id) - 1
                                                    : info.picture_id + picture_id_offset_);
  if (!behind.switches && info.temporal_layer > temporal_of(made.target)) made.target = behind.target;
  made.timestamp = timestamp;
  made.picture_id = info.picture_id;
  made.decided = made.forwarded = 0;
  made.is_key = made.switches = made.is_closed = false;
  return pictures_.insert_after(age, made);
}

// RFC 9628 4.2, U: what the newest picture allowed is allowed now, to who has got all up to its temporal layer.
void LayerSelector::grant_next_picture() {
  for (unsigned s = 0; s < kSpatialLayers; ++s) {
    if ((intact_ & target_bit(s, next_temporal_)) != 0) {
      intact_ |= next_ & ~not_next_ & payload::targets_of(s, s, next_temporal_);
    }
  }
  next_ = not_next_ = 0;
}

bool LayerSelector::has_references(const FrameInfo& info) const {
  for (size_t i = 0; i < info.reference_count; ++i) {
    const int age = static_cast<int16_t>(newest_frame_ - info.frame_number + info.references[i]);
    if (age < 0 || age >= static_cast<int>(64 * kFrameWords)) return false;
    if ((sent_frames_[static_cast<size_t>(age) / 64] >> (age % 64) & 1) == 0) return false;
  }
  return true;
}

TargetSet LayerSelector::reachable_with(const FrameInfo& info) const {
  if (info.is_key_frame) return kAllTargets;
  // A target's bit is one above that with one temporal layer less.
  if (info.rule == SwitchRule::kFromBelow) return intact_ | (info.switches_to & intact_ << 1);
  if (info.rule == SwitchRule::kReferences && has_references(info)) return intact_ | info.switches_to;
  return intact_;
}

// At the first packet of a picture: the best target that the viewer can have from this picture on. True when it could
// not have had that from an earlier one on.
bool LayerSelector::choose_target(const FrameInfo& info) {
  const TargetSet reachable = reachable_with(info);
  const uint8_t before = current_;
  Wanted wish = wanted();
  if (info.has_frame_number && !takes_descriptor_) wish.spatial = 0;
  const auto find_up_to = [reachable](unsigned from, unsigned to, unsigned temporal) -> std::optional<uint8_t> {
    for (unsigned s = to + 1; s-- > from;) {
      for (unsigned t = temporal + 1; t-- > 0;) {
        if ((reachable & target_bit(s, t)) != 0) return static_cast<uint8_t>(s * kTemporalLayers + t);
      }
    }
    return std::nullopt;
  };
  if (const auto best = find_up_to(0, wish.spatial, wish.temporal)) {
    current_ = *best;
  } else if (target_.is_urgent) {
    current_ = find_up_to(spatial_of(current_), spatial_of(current_), 0).value_or(current_);
  }
  if (current_ != before) said_pictures_ = kSaidPictures;
  const bool begins_here = !has(intact_, current_);
  const unsigned spatial = spatial_of(current_);
  needs_key_frame_ = spatial > wish.spatial || spatial < std::min<unsigned>(wish.spatial, info.top_spatial_layer);
  // What is above is dropped from now on. Below, in K-SVC, it has been since the last key frame.
  const unsigned lowest = has_dropped_lower_ && !info.is_key_frame ? spatial : 0;
  intact_ = reachable & targets_up_to(lowest, spatial, temporal_of(current_));
  return begins_here;
}

// At the first packet of a frame: does the viewer get it?
void LayerSelector::decide(const FrameInfo& info, Picture& picture) {
  const auto layer = static_cast<uint8_t>(1u << info.spatial_layer);
  const bool is_newest = &picture == &pictures_.at(0);
  picture.decided |= layer;
  if (is_newest && info.rule == SwitchRule::kNextPicture) next_ |= info.switches_to;
  if (is_newest) {
    not_next_ |= info.needed_by & ~info.switches_to;
    next_temporal_ = info.temporal_layer;
  }
  if (has(info.needed_by, picture.target)) {
    picture.forwarded |= layer;
    if (info.closes_picture_ids) ++picture.next_picture_id;
    // With the frame of a higher spatial layer; it counts from the next picture on.
    if (is_newest && info.rule == SwitchRule::kReferences && has_references(info)) {
      intact_ |= info.switches_to & payload::targets_of(0, spatial_of(current_), 0);
    }
    return;
  }
  if (!is_newest) return;
  intact_ &= ~info.needed_by;
  const unsigned spatial = spatial_of(current_);
  has_dropped_lower_ |=
      info.spatial_layer < spatial && (info.needed_by & target_bit(spatial, kTemporalLayers - 1)) == 0;
}

Decision LayerSelector::drop(const FrameInfo& info, const LayeredPacket& packet) {
  Decision out;
  out.action = Decision::Action::kDrop;
  out.drop_from = packet.sequence;
  if (packet.sequence <= newest_sequence_) return out;
  // Between two packets of one dropped frame, or of two above the target in one picture, all are dropped.
  if (dropped_newest_ && packet.timestamp == newest_timestamp_ &&
      (info.spatial_layer == newest_spatial_ ||
       (newest_spatial_ > spatial_of(current_) && info.spatial_layer > newest_spatial_))) {
    out.drop_from = newest_sequence_ + 1;
  }
  dropped_newest_ = true;
  newest_spatial_ = info.spatial_layer;
  newest_timestamp_ = packet.timestamp;
  newest_sequence_ = packet.sequence;
  return out;
}

Decision LayerSelector::forward(const FrameInfo& info, const LayeredPacket& packet, Picture& picture) {
  Decision out;
  out.action = Decision::Action::kForward;
  // RFC 9628 4.1, AV1 RTP specification 4.2: the marker ends a picture with all its layers that are sent.
  out.marker =
      packet.marker || (info.is_layered && info.ends_frame && info.spatial_layer == spatial_of(picture.target));
  picture.is_closed |= out.marker;
  write_ids(info, packet.payload, picture, out);
  if (packet.sequence > newest_sequence_) {
    dropped_newest_ = false;
    newest_sequence_ = packet.sequence;
  }
  return out;
}

void LayerSelector::write_ids(const FrameInfo& info, ByteView payload, const Picture& picture, Decision& out) {
  if (info.picture_id_at != 0 || info.tl0_picture_index_at != 0) {
    const auto id = static_cast<uint16_t>(info.closes_picture_ids ? picture.next_picture_id - 1
                                                                  : info.picture_id + picture_id_offset_);
    const auto tl0 = static_cast<uint8_t>(info.tl0_picture_index + tl0_offset_);
    const payload::IdPatch patch = payload::patch_picture_ids(info, payload, id, tl0);
    out.patch.at = patch.at;
    out.patch.size = patch.size;
    out.patch.bytes = patch.bytes;
    if (!has_sent_ids_ || is_newer_id(id, last_picture_id_)) last_picture_id_ = id;
    if (!has_sent_ids_ || static_cast<int8_t>(tl0 - last_tl0_) > 0) last_tl0_ = tl0;
    has_sent_ids_ = true;
  }
  if (!info.has_frame_number) return;
  note_frame_number(info.frame_number);
  const auto number = static_cast<uint16_t>(info.frame_number + frame_number_offset_);
  out.descriptor = {number, picture.target, true, said_pictures_ > 0};
  if (!has_sent_frames_ || static_cast<int16_t>(number - last_frame_number_) > 0) last_frame_number_ = number;
  has_sent_frames_ = true;
}

void LayerSelector::note_frame_number(uint16_t frame_number) {
  int age = static_cast<int16_t>(newest_frame_ - frame_number);
  if (age < 0) {
    const size_t by = static_cast<size_t>(-age);
    for (size_t i = kFrameWords; i-- > 0;) {
      const size_t word = by / 64, bit = by % 64;
      uint64_t made = i >= word ? sent_frames_[i - word] << bit : 0;
      if (bit != 0 && i > word) made |= sent_frames_[i - word - 1] >> (64 - bit);
      sent_frames_[i] = made;
    }
    newest_frame_ = frame_number;
    age = 0;
  }
  if (age < static_cast<int>(64 * kFrameWords)) {
    sent_frames_[static_cast<size_t>(age) / 64] |= uint64_t{1} << (age % 64);
  }
}

std::optional<uint8_t> LayerSelector::wants_key_frame_of(Now now) const {
  if (target_.is_paused) return std::nullopt;
  const uint8_t wish = wanted_simulcast_layer();
  // What it gets is sent no more: the next best that is, if any.
  if (active_ && now.mono - heard_at_[*active_] >= kDeath) return find_alive(now, wish);
  if (active_) {
    if (*active_ == wish) return needs_key_frame_ ? active_ : std::nullopt;
    return is_alive(now, wish) ? std::optional(wish) : std::nullopt;
  }
  return find_alive(now, wish).value_or(wish);
}

// The best that is not above `wish`, else the one above that is nearest.
std::optional<uint8_t> LayerSelector::find_alive(Now now, uint8_t wish) const {
  for (size_t layer = size_t{wish} + 1; layer-- > 0;) {
    if (is_alive(now, layer)) return static_cast<uint8_t>(layer);
  }
  for (size_t layer = wish; layer < simulcast_layers_; ++layer) {
    if (is_alive(now, layer)) return static_cast<uint8_t>(layer);
  }
  return std::nullopt;
}

std::optional<Layer> LayerSelector::current() const {
  if (!active_) return std::nullopt;
  return Layer{has_simulcast() ? *active_ : static_cast<uint8_t>(spatial_of(current_)),
               static_cast<uint8_t>(temporal_of(current_))};
}

}  // namespace atm::forward
