// Which of the latest indices of one SSRC have been received (RFC 3711 3.3.2), as a ring of bits, and the guess of the
// rollover counter for a 16-bit sequence number (RFC 3711 3.3.1). Used by ReceiveContext; knows nothing of keys.
#pragma once

#include <array>
#include <cstdint>

namespace atm::srtp {

class ReplayWindow {
 public:
  // Indices. RFC 3711 3.3.2 asks for 64 at least; a retransmission without RTX may be a second old, which is about
  // 1,000 packets of a 10 Mbit/s video. 128 bytes for each SSRC.
  static constexpr uint64_t kSize = 1'024;

  // True when `index` is neither behind the window nor marked.
  bool is_new(uint64_t index) const {
    if (!started_ || index > highest_) return true;
    return highest_ - index < kSize && !(word(index) & bit(index));
  }

  // To be called once the packet has been authenticated.
  void mark(uint64_t index) {
    if (!started_ || index > highest_) advance(index);
    words_[index / 64 % words_.size()] |= bit(index);
  }

  uint64_t highest() const { return highest_; }

  // The 48-bit index most likely meant by `sequence`. RFC 3711 3.3.1, with s_l and ROC taken from the highest index.
  uint64_t estimate_index(uint16_t sequence) const {
    constexpr uint64_t kHalf = 1u << 15;
    if (!started_) return sequence;
    const uint64_t last = highest_ & 0xffff;
    uint64_t roc = highest_ >> 16;
    if (last < kHalf) {
      // With ROC 0 there is no round before this one: the packet can only be far ahead.
      if (sequence > last + kHalf && roc > 0) --roc;
    } else if (last - kHalf > sequence) {
      ++roc;
    }
    return roc << 16 | sequence;
  }

 private:
  static uint64_t bit(uint64_t index) { return uint64_t{1} << (index % 64); }
  uint64_t word(uint64_t index) const { return words_[index / 64 % words_.size()]; }

  void advance(uint64_t index) {
    if (!started_ || index - highest_ >= kSize) {
      words_.fill(0);
    } else {
      for (uint64_t i = highest_ + 1; i <= index; ++i) words_[i / 64 % words_.size()] &= ~bit(i);
    }
    highest_ = index;
    started_ = true;
  }

  std::array<uint64_t, kSize / 64> words_{};
  uint64_t highest_ = 0;
  bool started_ = false;
};

}  // namespace atm::srtp
