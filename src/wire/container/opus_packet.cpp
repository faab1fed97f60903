#include "wire/container/opus_packet.h"

#include "wire/container/little_endian.h"

namespace atm::container {

void put_opus_head(const OpusHead& head, Bytes& out) {
  put_text(out, "OpusHead");
  out.push_back(1);  // version
  out.push_back(head.channels);
  put_little(out, head.pre_skip, 2);
  put_little(out, head.input_rate, 4);
  put_little(out, static_cast<uint16_t>(head.gain), 2);
  out.push_back(0);  // channel mapping family
}

std::optional<OpusHead> parse_opus_head(ByteView packet) {
  if (packet.size() < kOpusHeadSize || as_text(packet.first(8)) != "OpusHead") return std::nullopt;
  if ((packet[8] & 0xF0) != 0) return std::nullopt;  // RFC 7845 5.1: later minor versions are compatible
  OpusHead out;
  out.channels = packet[9];
  out.pre_skip = static_cast<uint16_t>(load_little(packet.subspan(10, 2)));
  out.input_rate = static_cast<uint32_t>(load_little(packet.subspan(12, 4)));
  out.gain = static_cast<int16_t>(load_little(packet.subspan(16, 2)));
  const uint8_t family = packet[18];
  if (family != 0 || out.channels == 0 || out.channels > 2) return std::nullopt;
  return out;
}

}  // namespace atm::container
