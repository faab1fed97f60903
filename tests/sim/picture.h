// What simulated publishers show and viewers check: video frames of several packets that look like VP8 and say which
// frame they belong to. Viewer side: which frames arrived whole, and which of them a
// decoder could have shown (an unbroken chain from a key frame on).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/bytes.h"

namespace atm::sim {

// Of a publisher's every frame.
inline constexpr uint8_t kPacketsPerFrame = 4;

// Where a packet stands in its stream; carried in the clear in the payload behind the VP8 headers.
struct PictureTag {
  uint32_t publisher = 0;
  uint32_t frame = 0;
  uint8_t packet = 0;
  uint8_t packets = 1;
  bool is_key = false;
};

// With a picture id, as simulcast has: RFC 7741 4.2 with X, I, L and T, of one temporal layer.
Bytes make_video_payload(const PictureTag& tag, size_t size, std::optional<uint16_t> picture_id = {});
std::optional<PictureTag> read_video_payload(ByteView payload);

class VideoViewer {
 public:
  void on_packet(ByteView payload, int64_t sequence, uint32_t timestamp);
  // Called with publisher and number of each frame that a decoder could show, in order.
  std::function<void(uint32_t, uint32_t)> on_decodable;

  uint64_t packets() const { return packets_; }
  uint64_t complete_frames() const { return complete_; }
  uint64_t decodable_frames() const { return decodable_; }
  uint64_t key_frames() const { return keys_; }
  // The publisher of the newest decodable frame.
  uint32_t shown_publisher() const { return shown_publisher_; }
  // Two packets with one sequence number but another content, or a timestamp shared by two frames: a broken rewrite.
  uint64_t contradictions() const { return contradictions_; }
  // In the order of sequence numbers, picture ids that are neither that of the packet before nor the next one.
  uint64_t picture_id_jumps() const;

 private:
  struct Frame {
    std::set<uint8_t> packets;
    uint8_t wanted = 0;
    bool is_key = false;
    bool is_counted = false;
  };
  void advance(uint32_t publisher);

  std::map<uint32_t, std::map<uint32_t, Frame>> frames_;  // by publisher, by number
  std::map<uint32_t, std::optional<uint32_t>> decoded_;   // by publisher: the last decodable frame
  std::map<int64_t, uint64_t> content_of_sequence_;
  std::map<int64_t, uint16_t> picture_id_of_sequence_;
  std::map<uint32_t, uint64_t> frame_of_timestamp_;
  uint64_t packets_ = 0, complete_ = 0, decodable_ = 0, keys_ = 0, contradictions_ = 0;
  uint32_t shown_publisher_ = 0;
};

}  // namespace atm::sim
