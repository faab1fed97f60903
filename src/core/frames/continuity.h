// Whether a decoder that got everything the Assembler handed out can decode the next frame, after frames were lost.
// As long as nothing is lost it can. After a loss it can when the ids of VP8 and VP9 say that nothing it refers to is
// missing: consecutive picture ids (RFC 7741 4.2, RFC 9628 4.2), references by picture id (VP9, flexible), or the same
// base layer (TL0PICIDX) and layers that are whole or begin anew (Y, U). Else only a key frame helps. Plain values.
#pragma once

#include <array>
#include <cstdint>

#include "core/frames/depacketizer.h"

namespace atm::frames {

class Continuity {
 public:
  enum class Verdict : uint8_t {
    kDecodable,
    kSkipped,        // it is of a layer that is not whole; others go on
    kNeedsKeyFrame,  // nothing can be decoded until one comes
  };

  // At least one packet will not come: a part of a frame, one frame, or many.
  void on_loss() { has_hole_ = true; }
  // Frames in decode order.
  Verdict judge(const FrameIds& frame);

  // Frames told of themselves what they depend on, so that one behind a loss is worth to be looked at.
  bool can_tell() const { return has_key_ && last_has_id_; }

 private:
  Verdict judge_references(const FrameIds& frame, int64_t id);
  Verdict judge_layers(const FrameIds& frame);
  int64_t unwrap(const FrameIds& frame) const;
  void accept(const FrameIds& frame, int64_t id);

  static constexpr int64_t kReach = 128;  // RFC 9628 4.2: P_DIFF has seven bits
  bool has_key_ = false;
  bool has_hole_ = false;    // since the frame before
  bool is_damaged_ = false;  // since the key frame, and not repaired
  bool last_has_id_ = false;
  int64_t last_id_ = 0;                    // of the frame that was judged last
  uint8_t last_tl0_ = 0;                   // of the base layer's last decoded frame
  uint8_t broken_layers_ = 0;              // a bit for each temporal layer
  std::array<int64_t, kReach> decoded_{};  // VP9: picture ids, by their lower bits
};

}  // namespace atm::frames
