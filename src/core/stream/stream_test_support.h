// For the tests of this folder: virtual time and packets made by hand.
#pragma once

#include <vector>

#include "base/packet_pool.h"
#include "base/time.h"
#include "core/stream/sent_packet.h"
#include "wire/rtp/header.h"
#include "wire/rtp/packet.h"

namespace atm::stream {

// 10 s after the clock's epoch, 2023-11-14 on the wall.
inline Now at(Duration since_start) {
  return {Instant(10s) + since_start, WallTime(1'700'000'000s) + since_start};
}

// An RTP packet with its own bytes.
class TestPacket {
 public:
  TestPacket(uint16_t sequence, uint32_t timestamp, uint32_t ssrc = 1, ByteView payload = as_bytes("payload")) {
    bytes_.resize(12 + payload.size());
    rtp::write_header(bytes_, {false, 96, sequence, timestamp, ssrc}, {});
    if (!payload.empty()) std::memcpy(bytes_.data() + 12, payload.data(), payload.size());
    view_ = *rtp::parse(bytes_);
  }
  TestPacket(const TestPacket&) = delete;
  TestPacket& operator=(const TestPacket&) = delete;
  const rtp::View& view() const { return view_; }

 private:
  std::vector<uint8_t> bytes_;
  rtp::View view_;
};

}  // namespace atm::stream
