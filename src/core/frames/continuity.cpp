#include "core/frames/continuity.h"

#include <algorithm>

namespace atm::frames {
namespace {

constexpr uint8_t kUpperLayers = 0xFE;
constexpr int64_t kFirstId = int64_t{1} << 20;  // far from 0, which stands for no picture

constexpr uint8_t layers_from(unsigned layer) {
  return static_cast<uint8_t>(0xFFu << layer);
}

}  // namespace

Continuity::Verdict Continuity::judge(const FrameIds& frame) {
  const int64_t id = unwrap(frame);
  const bool is_next = frame.picture_id && last_has_id_ && id == last_id_ + 1;
  if (frame.is_key) {
    has_key_ = true;
    has_hole_ = is_damaged_ = false;
    broken_layers_ = 0;
    decoded_.fill(0);
    accept(frame, id);
    return Verdict::kDecodable;
  }
  if (!has_key_) return Verdict::kNeedsKeyFrame;
  if (is_next) has_hole_ = false;  // what was lost was padding
  Verdict verdict = Verdict::kDecodable;
  if (has_hole_ || is_damaged_) {
    is_damaged_ = true;
    if (has_hole_) broken_layers_ |= kUpperLayers;
    if (!frame.picture_id) {
      verdict = Verdict::kNeedsKeyFrame;
    } else {
      verdict = frame.is_flexible ? judge_references(frame, id) : judge_layers(frame);
    }
  }
  has_hole_ = false;
  if (verdict == Verdict::kDecodable) {
    accept(frame, id);
  } else {
    last_id_ = id;
    last_has_id_ = frame.picture_id.has_value();
    if (verdict == Verdict::kNeedsKeyFrame) has_key_ = false;
  }
  return verdict;
}

// RFC 9628 4.2: P_DIFF of every layer's frame.
Continuity::Verdict Continuity::judge_references(const FrameIds& frame, int64_t id) {
  for (uint8_t i = 0; i < frame.reference_count; ++i) {
    const int64_t reference = id - frame.references[i];
    if (reference > 0 && decoded_[static_cast<size_t>(reference % kReach)] == reference) continue;
    return frame.temporal_layer.value_or(0) > 0 ? Verdict::kSkipped : Verdict::kNeedsKeyFrame;
  }
  return Verdict::kDecodable;
}

Continuity::Verdict Continuity::judge_layers(const FrameIds& frame) {
  if (!frame.tl0 || !frame.temporal_layer) return Verdict::kNeedsKeyFrame;
  const unsigned layer = *frame.temporal_layer & 0x07u;
  const auto ahead = static_cast<int8_t>(*frame.tl0 - last_tl0_);
  if (layer == 0) return ahead == 1 ? Verdict::kDecodable : Verdict::kNeedsKeyFrame;
  if (ahead != 0) return ahead > 0 ? Verdict::kNeedsKeyFrame : Verdict::kSkipped;
  // RFC 7741 4.2: with Y it refers to the base layer alone. Else it may refer to all layers up to its own.
  const uint8_t needed = kUpperLayers & static_cast<uint8_t>(~layers_from(layer + 1));
  if (frame.is_layer_sync || (broken_layers_ & needed) == 0) {
    broken_layers_ &= static_cast<uint8_t>(~(1u << layer));
    return Verdict::kDecodable;
  }
  broken_layers_ |= layers_from(layer);
  return Verdict::kSkipped;
}

// To the nearest of the last one.
int64_t Continuity::unwrap(const FrameIds& frame) const {
  if (!frame.picture_id) return last_id_;
  if (!last_has_id_) return kFirstId + *frame.picture_id;
  const int64_t circle = frame.picture_id_is_long ? 0x8000 : 0x80;
  int64_t ahead = (*frame.picture_id - last_id_) % circle;
  if (ahead < 0) ahead += circle;
  if (ahead >= circle / 2) ahead -= circle;
  return last_id_ + ahead;
}

void Continuity::accept(const FrameIds& frame, int64_t id) {
  last_id_ = id;
  last_has_id_ = frame.picture_id.has_value();
  if (frame.tl0 && frame.temporal_layer.value_or(0) == 0) last_tl0_ = *frame.tl0;
  if (!frame.is_flexible) {
    // RFC 9628 4.2: with U no later picture of a higher layer refers to one of these before it.
    if (frame.is_switching_up_point && frame.temporal_layer) broken_layers_ &= ~layers_from(*frame.temporal_layer + 1u);
    if (broken_layers_ == 0) is_damaged_ = false;
  }
  if (frame.picture_id && id > 0) decoded_[static_cast<size_t>(id % kReach)] = id;
}

}  // namespace atm::frames
