// Fixed-size buffers for media packets, shared by reference inside one worker (no atomic: share nothing across
// threads). The room keeps a received packet once here; every subscriber's retransmission history holds a PacketRef to
// it, so that history costs a few bytes a packet and subscriber. Buffers come from slabs that are never given back.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace atm {

class PacketPool;

// One buffer: `size` bytes of RTP payload (header and extensions are rebuilt for every subscriber), and behind them a
// trailer for what else goes along with it and is too large to be copied for every subscriber.
struct PacketBuffer {
  static constexpr size_t kCapacity = 1'500;
  PacketPool* pool = nullptr;
  uint32_t references = 0;
  uint16_t size = 0;
  uint16_t trailer_size = 0;
  uint8_t data[kCapacity];
};

// Shared ownership of a PacketBuffer within one thread.
class PacketRef {
 public:
  PacketRef() = default;
  explicit PacketRef(PacketBuffer* buffer) : buffer_(buffer) {
    if (buffer_) ++buffer_->references;
  }
  PacketRef(const PacketRef& other) : PacketRef(other.buffer_) {}
  PacketRef(PacketRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  PacketRef& operator=(PacketRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~PacketRef() { release(); }

  explicit operator bool() const { return buffer_ != nullptr; }
  ByteView bytes() const { return buffer_ ? ByteView{buffer_->data, buffer_->size} : ByteView{}; }
  ByteView trailer() const {
    return buffer_ ? ByteView{buffer_->data + buffer_->size, buffer_->trailer_size} : ByteView{};
  }

 private:
  void release();
  PacketBuffer* buffer_ = nullptr;
};

class PacketPool {
 public:
  PacketPool() = default;
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // A copy of `payload` (at most PacketBuffer::kCapacity bytes; an empty ref beyond that), and of `trailer` where both
  // have room.
  PacketRef copy(ByteView payload, ByteView trailer = {});
  size_t buffers_in_use() const { return in_use_; }
  size_t buffers_allocated() const { return slabs_.size() * kSlabBuffers; }

 private:
  friend class PacketRef;
  static constexpr size_t kSlabBuffers = 64;
  void give_back(PacketBuffer* buffer);

  std::vector<std::unique_ptr<PacketBuffer[]>> slabs_;
  std::vector<PacketBuffer*> free_;
  size_t in_use_ = 0;
};

}  // namespace atm
