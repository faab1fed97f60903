// Batches of datagrams, in and out: the currency between io/udp and the node. Interfaces take bursts from the start,
// because the kernel's send path is nine tenths of a forwarded packet's cost and only segmentation offload lowers it.
// Datagram: one received; its bytes may be changed in place (decryption) and live until the batch is handed back.
// SendBatch: datagrams to send, in order, in one arena that is reused: no allocation once it has grown.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/time.h"

namespace atm {

struct Datagram {
  Path path;
  Instant arrived;  // the kernel's stamp where there is one
  MutByteView bytes;
};

// Largest datagram that we build: RFC 8261's and libwebrtc's 1,200-byte budget for payloads plus the headers' and
// tags' room, below every MTU that carries IPv6 (1,280) and the usual 1,500.
inline constexpr size_t kMaxDatagramSize = 1'500;

class SendBatch {
 public:
  struct Entry {
    Path path;
    uint32_t offset;
    uint32_t size;
  };

  // Room for one datagram of up to `capacity` bytes. Write into it, then call commit() once. The view is valid until
  // then.
  MutByteView reserve(size_t capacity) {
    ASSERT(!reserved_);
    reserved_ = true;
    if (arena_.size() < used_ + capacity) arena_.resize((used_ + capacity) * 2);
    return {arena_.data() + used_, capacity};
  }
  // Appends the reserved datagram with its real size; size 0 drops it.
  void commit(const Path& path, size_t size) {
    ASSERT(reserved_);
    reserved_ = false;
    if (size == 0) return;
    entries_.push_back({path, static_cast<uint32_t>(used_), static_cast<uint32_t>(size)});
    used_ += size;
  }
  void append(const Path& path, ByteView bytes) {
    MutByteView out = reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    commit(path, bytes.size());
  }
  void clear() {
    entries_.clear();
    used_ = 0;
  }

  const std::vector<Entry>& entries() const { return entries_; }
  // Consecutive entries lie back to back in memory: equal sizes to one path go out as one segmented send.
  ByteView bytes(const Entry& entry) const { return {arena_.data() + entry.offset, entry.size}; }
  bool empty() const { return entries_.empty(); }

 private:
  std::vector<uint8_t> arena_;
  std::vector<Entry> entries_;
  size_t used_ = 0;
  bool reserved_ = false;
};

}  // namespace atm
