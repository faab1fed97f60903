// A small recorded video with its layers: every frame's bytes, and what is known of it. Made by clips/make, which
// chose all of it; the tests play it in a loop, from key frame to key frame.
//
// The file: "CLIP", then bytes of codec (1 VP8, 2 VP9, 3 H264, 4 AV1), spatial layers, temporal layers, pictures a
// second; width and height of two bytes. For each frame: size (four bytes), picture (two), spatial layer, temporal
// layer, flags, number of references, each reference (pictures back, in its own spatial layer), the frame.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"

namespace atm::layers {

struct ClipFrame {
  uint16_t picture = 0;
  uint8_t spatial = 0, temporal = 0;
  bool is_key = false;      // of a picture that refers to none before it
  bool is_switch = false;   // VP8: refers to the base layer alone. Else: nothing after it needs higher layers before it
  bool uses_below = false;  // refers to the next lower spatial layer
  bool is_for_above = false;  // the next higher spatial layer refers to it
  std::vector<uint8_t> back;
  Bytes bytes;  // VP8 and VP9: a frame; H264: NAL units behind start codes; AV1: OBUs with sizes
};

struct Clip {
  std::string name;
  Codec codec = Codec::kVp8;
  uint8_t spatial_layers = 1, temporal_layers = 1, pictures_per_second = 15;
  uint16_t width = 0, height = 0;
  std::vector<ClipFrame> frames;  // picture by picture, lowest layer first

  size_t pictures() const { return frames.size() / spatial_layers; }
  std::span<const ClipFrame> picture(size_t number) const {
    return std::span(frames).subspan(number * spatial_layers, spatial_layers);
  }
  bool is_key(size_t number) const { return picture(number)[0].is_key; }
  // K-SVC: only key pictures refer to lower spatial layers.
  bool is_key_svc() const { return spatial_layers > 1 && !picture(1)[1].uses_below; }
  // The frames of a picture that one needs who sees that spatial layer.
  std::vector<const ClipFrame*> needed(size_t number, uint8_t spatial) const;
};

// From tests/layers/clips, by name. Ends the test program when it is not there or broken.
const Clip& find_clip(const std::string& name);

// AV1: the OBUs of a frame, each as it goes into an RTP packet, without its size field; no temporal delimiters.
std::vector<Bytes> split_obus(ByteView frame);
// H264: the NAL units, without start codes.
std::vector<ByteView> split_nal_units(ByteView frame);

}  // namespace atm::layers
