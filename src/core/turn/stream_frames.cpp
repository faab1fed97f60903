#include "core/turn/stream_frames.h"

#include <algorithm>

#include "wire/stun/message.h"

namespace atm::turn {
namespace {

constexpr size_t kPrefix = 4;  // type or channel, length

struct Extent {
  size_t size = 0;    // of the frame
  size_t padded = 0;  // with what follows it; 0: it is none of a TURN server's
};

Extent extent_of(const uint8_t* prefix) {
  const size_t length = load_u16(prefix + 2);
  Extent out;
  if (prefix[0] <= 3) {
    out.size = stun::kHeaderSize + length;
    out.padded = length % 4 == 0 ? out.size : 0;
  } else if (prefix[0] >= 0x40 && prefix[0] <= 0x4f) {
    out.size = kChannelHeaderSize + length;
    out.padded = (out.size + 3) / 4 * 4;
  }
  if (out.size > kMaxStreamFrame) out.padded = 0;
  return out;
}

}  // namespace

bool StreamFrames::fill(size_t size, MutByteView& bytes) {
  const size_t taken = std::min(bytes.size(), size - std::min(size, held_.size()));
  held_.insert(held_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  bytes = bytes.subspan(taken);
  return held_.size() >= size;
}

bool StreamFrames::read(MutByteView bytes, std::vector<MutByteView>& frames) {
  if (is_broken_) return false;
  if (!held_.empty()) {
    if (!fill(kPrefix, bytes)) return true;
    const Extent extent = extent_of(held_.data());
    is_broken_ = extent.padded == 0;
    if (is_broken_) return false;
    if (!fill(extent.padded, bytes)) return true;
    std::swap(whole_, held_);
    held_.clear();
    frames.push_back(MutByteView(whole_).first(extent.size));
  }
  while (bytes.size() >= kPrefix) {
    const Extent extent = extent_of(bytes.data());
    is_broken_ = extent.padded == 0;
    if (is_broken_) return false;
    if (bytes.size() < extent.padded) break;
    frames.push_back(bytes.first(extent.size));
    bytes = bytes.subspan(extent.padded);
  }
  held_.assign(bytes.begin(), bytes.end());
  return true;
}

}  // namespace atm::turn
