#include "wire/framing/deframer.h"

#include <algorithm>
#include <utility>

namespace atm::framing {

bool Deframer::fill(size_t size, MutByteView& bytes) {
  const size_t taken = std::min(size - std::min(size, held_.size()), bytes.size());
  held_.insert(held_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  bytes = bytes.subspan(taken);
  return held_.size() >= size;
}

bool Deframer::read(MutByteView bytes, std::vector<MutByteView>& frames) {
  if (is_broken_) return false;
  if (!held_.empty()) {
    if (!fill(kHeaderSize, bytes)) return true;
    const size_t size = load_u16(held_.data());
    if (size > kMaxFrame) return !(is_broken_ = true);
    if (!fill(kHeaderSize + size, bytes)) return true;
    std::swap(held_, whole_);
    if (size == 0) {
      ++null_frames_;
    } else {
      frames.push_back(MutByteView(whole_).subspan(kHeaderSize));
    }
  }
  while (bytes.size() >= kHeaderSize) {
    const size_t size = load_u16(bytes.data());
    if (size > kMaxFrame) return !(is_broken_ = true);
    if (bytes.size() < kHeaderSize + size) break;
    if (size == 0) {
      ++null_frames_;
    } else {
      frames.push_back(bytes.subspan(kHeaderSize, size));
    }
    bytes = bytes.subspan(kHeaderSize + size);
  }
  held_.assign(bytes.begin(), bytes.end());
  return true;
}

}  // namespace atm::framing
