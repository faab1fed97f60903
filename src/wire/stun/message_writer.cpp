#include "wire/stun/message_writer.h"

#include "base/assert.h"

namespace atm::stun {
namespace {

constexpr size_t kFingerprintAttributeSize = 8;

// RFC 8489 5, figure 3: the class bits sit at 4 and 8 between the method's.
uint16_t type_of(Class message_class, uint16_t method) {
  const unsigned bits = static_cast<unsigned>(message_class);
  return static_cast<uint16_t>((method & 0x000f) | (method & 0x0070) << 1 | (method & 0x0f80) << 2 | (bits & 1) << 4 |
                               (bits & 2) << 7);
}

}  // namespace

MessageWriter::MessageWriter(MutByteView out, Class message_class, const TransactionId& id, uint16_t method)
    : out_(out) {
  ASSERT(method <= 0xff);  // RFC 7983 7: larger ones would not look like STUN on a shared port
  out_.u16(type_of(message_class, method));
  out_.u16(0);
  out_.u32(kMagicCookie);
  out_.bytes(id.bytes);
}

void MessageWriter::attribute(Attribute type, size_t size) {
  out_.u16(static_cast<uint16_t>(type));
  out_.u16(static_cast<uint16_t>(size));
}

void MessageWriter::text(Attribute type, std::string_view value) {
  ASSERT(value.size() <= kMaxTextSize);
  attribute(type, value.size());
  out_.bytes(as_bytes(value));
  out_.pad_to(4);
}

void MessageWriter::tie(Attribute type, uint64_t tie_breaker) {
  attribute(type, 8);
  out_.u64(tie_breaker);
}

void MessageWriter::number(Attribute type, uint32_t value) {
  attribute(type, 4);
  out_.u32(value);
}

void MessageWriter::bytes(Attribute type, ByteView value) {
  ASSERT(value.size() <= UINT16_MAX);
  attribute(type, value.size());
  out_.bytes(value);
  out_.pad_to(4);
}

void MessageWriter::xor_address(Attribute type, const SocketAddress& address) {
  if (!out_.ok()) return;
  const bool is_v4 = address.ip.is_v4();
  const size_t ip_size = is_v4 ? 4 : 16;
  uint8_t mask[16];  // RFC 8489 14.2: cookie and transaction id
  std::memcpy(mask, out_.written().data() + 4, sizeof mask);
  attribute(type, 4 + ip_size);
  out_.u8(0);
  out_.u8(is_v4 ? 1 : 2);
  out_.u16(static_cast<uint16_t>(address.port ^ load_u16(mask)));
  const uint8_t* ip = address.ip.bytes().data() + (16 - ip_size);
  for (size_t i = 0; i < ip_size; ++i) out_.u8(ip[i] ^ mask[i]);
}

void MessageWriter::error(uint16_t code, std::string_view reason) {
  ASSERT(code >= 300 && code <= 699 && reason.size() <= kMaxTextSize);
  attribute(Attribute::kErrorCode, 4 + reason.size());
  out_.u16(0);
  out_.u8(static_cast<uint8_t>(code / 100));
  out_.u8(static_cast<uint8_t>(code % 100));
  out_.bytes(as_bytes(reason));
  out_.pad_to(4);
}

void MessageWriter::unknown_attributes(std::span<const uint16_t> types) {
  attribute(Attribute::kUnknownAttributes, types.size() * 2);
  for (const uint16_t type : types) out_.u16(type);
  out_.pad_to(4);
}

void MessageWriter::set_length(size_t message_size) {
  store_u16(out_.written().data() + 2, static_cast<uint16_t>(message_size - kHeaderSize));
}

std::optional<IntegrityRoom> MessageWriter::integrity_room(Attribute type) {
  const size_t covered = out_.size();
  const size_t size = type == Attribute::kMessageIntegritySha256 ? kIntegritySha256Size : kIntegritySize;
  attribute(type, size);
  out_.zeros(size);
  if (!out_.ok()) return std::nullopt;
  set_length(out_.size());
  const MutByteView written = out_.written();
  return IntegrityRoom{written.first(covered), written.last(size)};
}

void MessageWriter::fingerprint() {
  if (!out_.ok()) return;
  // RFC 8489 14.7: the CRC covers the header with the length that counts FINGERPRINT itself.
  set_length(out_.size() + kFingerprintAttributeSize);
  const uint32_t value = fingerprint_of(out_.written());
  attribute(Attribute::kFingerprint, 4);
  out_.u32(value);
}

size_t MessageWriter::finish() {
  if (!out_.ok()) return 0;
  set_length(out_.size());
  return out_.size();
}

}  // namespace atm::stun
