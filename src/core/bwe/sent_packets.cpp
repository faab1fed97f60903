#include "core/bwe/sent_packets.h"

namespace atm::bwe {

void SentPackets::put(int64_t sequence, const SentPacket& packet) {
  if (begin_ == end_) begin_ = end_ = sequence;
  if (sequence < begin_) return;
  const auto at = [&](int64_t s) -> SentPacket& { return ring_[static_cast<size_t>(s) & (ring_.size() - 1)]; };
  while (begin_ < end_ && (at(begin_).state == SentPacket::State::kUnused || packet.sent - at(begin_).sent > kKept)) {
    ++begin_;
  }
  if (begin_ == end_) begin_ = end_ = sequence;
  while (sequence - begin_ >= static_cast<int64_t>(ring_.size()) && ring_.size() < kMaxSentPackets) grow();
  for (; end_ <= sequence; ++end_) {
    if (end_ - begin_ >= static_cast<int64_t>(ring_.size())) ++begin_;
    at(end_) = {};
  }
  at(sequence) = packet;
}

void SentPackets::grow() {
  std::vector<SentPacket> larger(ring_.size() * 2);
  for (int64_t s = begin_; s < end_; ++s) {
    larger[static_cast<size_t>(s) & (larger.size() - 1)] = ring_[static_cast<size_t>(s) & (ring_.size() - 1)];
  }
  ring_.swap(larger);
}

SentPacket* SentPackets::find(int64_t sequence) {
  if (sequence < begin_ || sequence >= end_) return nullptr;
  SentPacket& packet = ring_[static_cast<size_t>(sequence) & (ring_.size() - 1)];
  return packet.state == SentPacket::State::kUnused ? nullptr : &packet;
}

}  // namespace atm::bwe
