#include "video.h"

#include <cstring>

namespace atm::rfc8867 {
namespace {

constexpr Duration kPatience = 500ms;

}  // namespace

void Screen::on_packet(Instant now, int64_t frame, size_t packets, bool is_key_frame) {
  if (frame <= last_frame_) return;
  Part& part = parts_[frame];
  part.packets = packets;
  part.is_key_frame = is_key_frame;
  ++part.have;
  // All that can be shown now, in order; a complete key frame does not wait for what is in front of it.
  for (auto it = parts_.begin(); it != parts_.end();) {
    const bool complete = it->second.have >= it->second.packets;
    if (!complete || !(it->first == last_frame_ + 1 || it->second.is_key_frame)) {
      ++it;
      continue;
    }
    note_gap(now);
    if (last_shown_ != kNever) last_shown_ = now;
    last_frame_ = it->first;
    ++shown_;
    it = parts_.erase(parts_.begin(), std::next(it));
  }
}

bool Screen::wants_key_frame(Instant now) {
  if (last_shown_ == kNever || parts_.empty()) return false;
  if (now - std::max(last_shown_, asked_at_) < kPatience) return false;
  asked_at_ = now;
  return true;
}

Bytes make_payload(const Mark& mark, size_t size) {
  Bytes bytes(std::max(size, sizeof(Mark)), uint8_t{0});
  std::memcpy(bytes.data(), &mark, sizeof(Mark));
  return bytes;
}

Mark read_payload(ByteView payload) {
  Mark mark;
  if (payload.size() >= sizeof(Mark)) std::memcpy(&mark, payload.data(), sizeof(Mark));
  return mark;
}

}  // namespace atm::rfc8867
