// Puts the pictures of one SSRC into RTP payloads as browsers do: RFC 7741 (VP8), RFC 9628 (VP9), RFC 6184 (H264:
// STAP-A of the parameter sets, FU-A) and the AV1 RTP specification, with its dependency descriptor for AV1. Small
// packets, so that a frame has several. The tests' own writer: src/ has parsers alone.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "base/rng.h"
#include "clip.h"

namespace atm::layers {

// How VP9 tells what a picture refers to (RFC 9628 3, 4.2): by differences of picture ids, or by a group told at the
// key frame, then with TL0PICIDX.
enum class Vp9Mode { kFlexible, kGroup };

struct Part {
  Bytes payload;
  Bytes descriptor;  // the dependency descriptor
  bool marker = false;
};

class Packetizer {
 public:
  static constexpr size_t kPartSize = 400;  // bytes of a payload, descriptor apart

  Packetizer(const Clip& clip, Vp9Mode vp9_mode, Rng& rng);
  // The pictures in the order in which they are sent; after any of them a key picture may come.
  std::vector<Part> put(size_t picture);

 private:
  void put_vp8(const ClipFrame& frame, std::vector<Part>& out) const;
  void put_vp9(const ClipFrame& frame, std::vector<Part>& out) const;
  Bytes vp9_descriptor(const ClipFrame& frame, bool is_first, bool is_last) const;
  void put_vp9_structure(class Bits& bits) const;
  static void put_h264(const ClipFrame& frame, std::vector<Part>& out);
  void put_av1(const ClipFrame& frame, std::vector<Part>& out);
  Bytes dependency_descriptor(const ClipFrame& frame, uint16_t number, bool is_first, bool is_last) const;
  void put_indications(class Bits& bits, const ClipFrame& frame) const;

  // given
  const Clip& clip_;
  Vp9Mode vp9_mode_;
  // state
  uint16_t picture_id_;
  uint8_t tl0_;
  uint16_t frame_number_;
};

}  // namespace atm::layers
