// Which m-line an SSRC belongs to, and which of its streams: a sorted vector, made anew when streams come or go and
// searched for every packet. For Peer, once for what the remote sends and once for what we send. Where two m-lines
// claim one SSRC the earlier m-line has it. Holds no streams; its pointers are good until a stream is added or removed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace atm::stream {
class ReceiveStream;
}

namespace atm::peer {

class MediaLine;

class SsrcTable {
 public:
  struct Entry {
    uint32_t ssrc = 0;
    MediaLine* line = nullptr;
    stream::ReceiveStream* stream = nullptr;  // null: one that we send
  };

  void clear() { entries_.clear(); }
  // Behind those of its SSRC: find() gives the first.
  void add(const Entry& entry) {
    entries_.insert(std::ranges::upper_bound(entries_, entry.ssrc, {}, &Entry::ssrc), entry);
  }
  const Entry* find(uint32_t ssrc) const {
    const auto found = std::ranges::lower_bound(entries_, ssrc, {}, &Entry::ssrc);
    return found != entries_.end() && found->ssrc == ssrc ? &*found : nullptr;
  }
  size_t size() const { return entries_.size(); }

 private:
  std::vector<Entry> entries_;
};

}  // namespace atm::peer
