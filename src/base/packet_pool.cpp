#include "base/packet_pool.h"

namespace atm {

void PacketRef::release() {
  if (buffer_ && --buffer_->references == 0) buffer_->pool->give_back(buffer_);
  buffer_ = nullptr;
}

PacketRef PacketPool::copy(ByteView payload, ByteView trailer) {
  if (payload.size() > PacketBuffer::kCapacity) return {};
  if (free_.empty()) {
    slabs_.push_back(std::make_unique<PacketBuffer[]>(kSlabBuffers));
    free_.reserve(slabs_.size() * kSlabBuffers);
    for (size_t i = 0; i < kSlabBuffers; ++i) {
      slabs_.back()[i].pool = this;
      free_.push_back(&slabs_.back()[i]);
    }
  }
  PacketBuffer* buffer = free_.back();
  free_.pop_back();
  ++in_use_;
  buffer->size = static_cast<uint16_t>(payload.size());
  if (!payload.empty()) std::memcpy(buffer->data, payload.data(), payload.size());
  if (trailer.size() > PacketBuffer::kCapacity - payload.size()) trailer = {};
  buffer->trailer_size = static_cast<uint16_t>(trailer.size());
  if (!trailer.empty()) std::memcpy(buffer->data + payload.size(), trailer.data(), trailer.size());
  return PacketRef(buffer);
}

void PacketPool::give_back(PacketBuffer* buffer) {
  free_.push_back(buffer);
  --in_use_;
}

}  // namespace atm
