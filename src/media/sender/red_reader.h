// Takes the audio of a publisher apart, RED (RFC 2198) or not: each frame once, under the number that its own packet
// had. A frame whose packet was lost is taken from a copy in a later one; when the packet comes after all it is left
// out, for one number must never be sent with two contents. Source owns one. No allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "wire/payload/red.h"

namespace atm::sender {

struct AudioFrame {
  int64_t sequence = 0;
  uint32_t timestamp = 0;
  ByteView data;  // points into the packet
  bool is_copy = false;
};

class RedReader {
 public:
  // Packets behind the newest that are still told apart: 1.3 s of 20 ms frames. Older ones are left out.
  static constexpr int64_t kWindow = 64;

  struct Packet {
    uint32_t ssrc = 0;
    uint64_t epoch = 0;  // with another one than before everything begins anew
    int64_t sequence = 0;
    uint32_t timestamp = 0;
  };
  struct Frames {
    std::array<AudioFrame, payload::kMaxRedBlocks> list;  // ascending, the packet's own last
    size_t count = 0;
  };

  // An Opus packet.
  Frames on_opus(const Packet& packet, ByteView payload);
  // A RED packet that payload::parse_red() has read.
  Frames on_red(const Packet& packet, const payload::RedPayload& red);
  // A packet that is forwarded as it is, unread.
  bool on_opaque(const Packet& packet) { return on_opus(packet, {}).count == 1; }

 private:
  struct Known {
    int64_t sequence = -1;
    uint32_t timestamp = 0;
  };

  void begin(const Packet& packet);
  const Known* find(int64_t sequence) const;
  bool add(int64_t sequence, uint32_t timestamp);
  bool fits(int64_t sequence, uint32_t timestamp, const Packet& packet) const;

  std::array<Known, kWindow> known_;
  bool is_started_ = false;
  uint32_t ssrc_ = 0;
  uint64_t epoch_ = 0;
  int64_t first_ = 0;
  int64_t newest_ = 0;
};

}  // namespace atm::sender
