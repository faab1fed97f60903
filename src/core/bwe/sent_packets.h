// What was sent and not yet told of: transport-wide number to time and size. For core/bwe/controller. A ring that grows
// to what is under way and then allocates no more; packets older than kKept, and the oldest of too many, are forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace atm::bwe {

struct SentPacket {
  Instant sent{};
  uint32_t bytes = 0;
  uint32_t cluster = 0;  // of the probe it was part of; 0: none
  enum class State : uint8_t { kUnused, kUnderWay, kLost, kArrived } state = State::kUnused;
  uint32_t ahead_us = 0;  // before its turn in an even stream
};

class SentPackets {
 public:
  // Three seconds at 50 Mbit/s of full packets. 24 bytes each, only for a sender that has so much under way.
  static constexpr size_t kMaxSentPackets = 16'384;
  // Feedback for older packets says nothing any more.
  static constexpr Duration kKept = 3s;

  // `sequence` is unwrapped and about the newest; one far back is not kept.
  void put(int64_t sequence, const SentPacket& packet);
  // None for what was never sent or is forgotten.
  SentPacket* find(int64_t sequence);

 private:
  void grow();
  std::vector<SentPacket> ring_ = std::vector<SentPacket>(64);  // its size is a power of two
  int64_t begin_ = 0;
  int64_t end_ = 0;
};

}  // namespace atm::bwe
