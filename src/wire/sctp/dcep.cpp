#include "wire/sctp/dcep.h"

namespace atm::sctp {
namespace {

// RFC 8832 8.2.1.
constexpr uint8_t kAck = 2;
constexpr uint8_t kOpen = 3;
constexpr uint8_t kUnorderedBit = 0x80;
constexpr size_t kOpenHeaderSize = 12;

}  // namespace

std::optional<DcepOpen> parse_dcep_open(ByteView message) {
  Reader reader(message);
  if (reader.u8() != kOpen) return std::nullopt;
  const uint8_t type = reader.u8();
  DcepOpen open;
  open.unordered = (type & kUnorderedBit) != 0;
  if ((type & ~kUnorderedBit) > static_cast<uint8_t>(DcepOpen::Limit::kLifetime)) return std::nullopt;
  open.limit = static_cast<DcepOpen::Limit>(type & ~kUnorderedBit);
  open.priority = reader.u16();
  open.reliability = reader.u32();
  const size_t label_size = reader.u16();
  const size_t protocol_size = reader.u16();
  open.label = as_text(reader.take(label_size));
  open.protocol = as_text(reader.take(protocol_size));
  if (!reader.ok() || reader.left() != 0) return std::nullopt;
  return open;
}

Bytes write_dcep_open(const DcepOpen& open) {
  Bytes out(kOpenHeaderSize + open.label.size() + open.protocol.size());
  Writer writer(out);
  writer.u8(kOpen);
  writer.u8(static_cast<uint8_t>(static_cast<uint8_t>(open.limit) | (open.unordered ? kUnorderedBit : 0)));
  writer.u16(open.priority);
  writer.u32(open.reliability);
  writer.u16(static_cast<uint16_t>(open.label.size()));
  writer.u16(static_cast<uint16_t>(open.protocol.size()));
  writer.bytes(as_bytes(open.label));
  writer.bytes(as_bytes(open.protocol));
  return out;
}

bool is_dcep_ack(ByteView message) {
  return message.size() == 1 && message[0] == kAck;
}

Bytes write_dcep_ack() {
  return {kAck};
}

}  // namespace atm::sctp
