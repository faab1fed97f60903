// The last pictures of a source and what a viewer got of each, so that a packet that comes late is treated as the rest
// of its frame was. For layer_selector.h. Pictures are told apart by their RTP timestamp. Fixed size: about 1 KiB.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/sequence.h"

namespace atm::forward {

struct Picture {
  uint32_t timestamp = 0;
  uint16_t picture_id = 0;       // of the source
  uint16_t next_picture_id = 0;  // at the viewer, of the source's next one
  uint8_t target = 0;            // the viewer's, as the number of its bit (payload::target_bit)
  uint8_t decided = 0;           // spatial layers of which a packet was seen, a bit each
  uint8_t forwarded = 0;         // those of them that the viewer gets
  bool is_key = false;
  bool switches = false;   // the target is one that begins with this picture, not before it
  bool is_closed = false;  // the viewer has been sent a marker
};

class PictureLog {
 public:
  static constexpr size_t kPictures = 64;  // a second of 60 pictures; older packets are refused

  void clear() { count_ = 0; }
  bool empty() const { return count_ == 0; }
  // By age, 0 is the newest.
  Picture& at(size_t age) { return pictures_[(newest_ + kPictures - age) % kPictures]; }
  bool is_newest(uint32_t timestamp) { return empty() || is_newer(timestamp, at(0).timestamp); }
  // The age of the newest picture that is not after `timestamp`; kPictures when there is none.
  size_t find_until(uint32_t timestamp) {
    for (size_t age = 0; age < count_; ++age) {
      if (!is_newer(at(age).timestamp, timestamp)) return age;
    }
    return kPictures;
  }
  Picture& add_newest(const Picture& picture) {
    newest_ = static_cast<uint8_t>((newest_ + 1) % kPictures);
    count_ = static_cast<uint8_t>(std::min<size_t>(count_ + size_t{1}, kPictures));
    return at(0) = picture;
  }
  // Right after (newer than) the one of `age`, which moves back; the oldest goes when it is full.
  Picture& insert_after(size_t age, const Picture& picture) {
    add_newest(picture);
    for (size_t i = 0; i < age; ++i) std::swap(at(i), at(i + 1));
    return at(age);
  }

 private:
  std::array<Picture, kPictures> pictures_{};
  uint8_t newest_ = 0, count_ = 0;
};

}  // namespace atm::forward
