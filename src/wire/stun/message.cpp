#include "wire/stun/message.h"

namespace atm::stun {
namespace {

constexpr size_t kAttributeHeaderSize = 4;
constexpr uint32_t kFingerprintXor = 0x5354554e;  // "STUN", RFC 8489 14.7

// ITU V.42 CRC-32: polynomial 0x04C11DB7, reflected.
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
    table[i] = crc;
  }
  return table;
}();

uint32_t crc32(ByteView bytes) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xff];
  return ~crc;
}

struct RawAttribute {
  uint16_t type;
  ByteView value;
  size_t at;  // offset of the attribute's header in the datagram
};

// One attribute with its padding, or nothing at the end and at the first one that leaves the message.
std::optional<RawAttribute> next_attribute(Reader& reader) {
  RawAttribute out{};
  out.at = reader.at();
  out.type = reader.u16();
  const uint16_t size = reader.u16();
  out.value = reader.take(size);
  // RFC 8489 14: the padding is not in the length, and its bytes may be anything.
  reader.skip((4 - size % 4) % 4);
  if (!reader.ok()) return std::nullopt;
  return out;
}

// The message type's 14 bits interleave the class (bits 4 and 8) with the method, RFC 8489 5, figure 3.
uint16_t method_of(uint16_t type) {
  return static_cast<uint16_t>((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2);
}
Class class_of(uint16_t type) {
  return static_cast<Class>((type >> 4 & 1) | (type >> 7 & 2));
}

using AddressMask = std::array<uint8_t, 16>;

// RFC 8489 14.2: port and address are XORed with the cookie, an IPv6 address also with the transaction id.
AddressMask mask_of(const TransactionId& id) {
  AddressMask out;
  store_u32(out.data(), kMagicCookie);
  std::memcpy(out.data() + 4, id.bytes.data(), id.bytes.size());
  return out;
}

std::optional<SocketAddress> parse_address(ByteView value, const AddressMask& mask) {
  if (value.size() < 4) return std::nullopt;
  const uint8_t family = value[1];
  SocketAddress out;
  out.port = static_cast<uint16_t>(load_u16(value.data() + 2) ^ load_u16(mask.data()));
  if (family == 1 && value.size() == 8) {
    uint8_t v4[4];
    for (size_t i = 0; i < 4; ++i) v4[i] = value[4 + i] ^ mask[i];
    out.ip = IpAddress::v4(v4);
    return out;
  }
  if (family == 2 && value.size() == 20) {
    std::array<uint8_t, 16> v6;
    for (size_t i = 0; i < 16; ++i) v6[i] = value[4 + i] ^ mask[i];
    out.ip = IpAddress::v6(v6);
    return out;
  }
  return std::nullopt;
}

// RFC 8489 14.8: class 3 to 6, number 0 to 99, and a reason in UTF-8.
std::optional<ErrorValue> parse_error(ByteView value) {
  if (value.size() < 4 || value.size() > 4 + kMaxTextSize) return std::nullopt;
  const uint8_t hundreds = value[2] & 7;
  if (hundreds < 3 || hundreds > 6 || value[3] > 99) return std::nullopt;
  return ErrorValue{static_cast<uint16_t>(hundreds * 100 + value[3]), as_text(value.subspan(4))};
}

// Keeps the first of several (RFC 8489 14: duplicates may be ignored); false when this one is malformed.
template <typename T>
bool keep_first(std::optional<T>& field, std::optional<T> parsed) {
  if (!parsed) return false;
  if (!field) field = parsed;
  return true;
}

std::optional<std::string_view> parse_text(ByteView value, size_t max) {
  if (value.size() > max) return std::nullopt;
  return as_text(value);
}
std::optional<uint32_t> parse_u32(ByteView value) {
  if (value.size() != 4) return std::nullopt;
  return load_u32(value.data());
}
std::optional<uint64_t> parse_u64(ByteView value) {
  if (value.size() != 8) return std::nullopt;
  return load_u64(value.data());
}

// An attribute before MESSAGE-INTEGRITY. False when it is known and malformed.
bool apply(Message& out, const RawAttribute& attribute) {
  const ByteView value = attribute.value;
  switch (static_cast<Attribute>(attribute.type)) {
    case Attribute::kUsername:
      return keep_first(out.username, parse_text(value, kMaxUsernameSize));
    case Attribute::kSoftware:
      return keep_first(out.software, parse_text(value, kMaxTextSize));
    case Attribute::kErrorCode:
      return keep_first(out.error, parse_error(value));
    case Attribute::kXorMappedAddress:
      return keep_first(out.xor_mapped_address, parse_address(value, mask_of(out.id)));
    case Attribute::kPriority:
      return keep_first(out.priority, parse_u32(value));
    case Attribute::kIceControlled:
      return keep_first(out.ice_controlled, parse_u64(value));
    case Attribute::kIceControlling:
      return keep_first(out.ice_controlling, parse_u64(value));
    case Attribute::kUseCandidate:
      out.use_candidate = true;
      return value.empty();
    case Attribute::kRealm:
    case Attribute::kNonce:
      return value.size() <= kMaxTextSize;
    case Attribute::kUnknownAttributes:
      return value.size() % 2 == 0;
    case Attribute::kMappedAddress:
      return true;  // understood, never used: XOR-MAPPED-ADDRESS replaces it
    case Attribute::kMessageIntegrity:
    case Attribute::kMessageIntegritySha256:
    case Attribute::kFingerprint:
      return false;                  // the caller's
    case Attribute::kChannelNumber:  // core/turn's, which takes them by find()
    case Attribute::kLifetime:
    case Attribute::kXorPeerAddress:
    case Attribute::kData:
    case Attribute::kXorRelayedAddress:
    case Attribute::kRequestedAddressFamily:
    case Attribute::kRequestedTransport:
    case Attribute::kPasswordAlgorithm:
    case Attribute::kUserhash:
    case Attribute::kPasswordAlgorithms:
    case Attribute::kAlternateServer:
      break;
  }
  // RFC 8489 15: an unknown type above 0x7fff is skipped, one below has to be refused by name.
  if (attribute.type < 0x8000 && out.unknown_count < kMaxUnknownAttributes) {
    out.unknown_types[out.unknown_count++] = attribute.type;
  }
  return true;
}

IntegrityCheck integrity_check(const RawAttribute& attribute, ByteView datagram) {
  IntegrityCheck out;
  const size_t length = attribute.at + kAttributeHeaderSize + attribute.value.size() - kHeaderSize;
  store_u16(out.head.data(), load_u16(datagram.data()));
  store_u16(out.head.data() + 2, static_cast<uint16_t>(length));
  out.body = datagram.subspan(4, attribute.at - 4);
  out.mac = attribute.value;
  return out;
}

// MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256. False when it is malformed.
bool apply_integrity(Message& out, const RawAttribute& attribute, ByteView datagram) {
  const size_t size = attribute.value.size();
  const bool is_sha256 = attribute.type == static_cast<uint16_t>(Attribute::kMessageIntegritySha256);
  if (is_sha256 ? size < 16 || size > kIntegritySha256Size || size % 4 != 0 : size != kIntegritySize) return false;
  if (!out.integrity && !out.integrity_sha256) {
    out.covered_attributes = datagram.subspan(kHeaderSize, attribute.at - kHeaderSize);
  }
  auto& field = is_sha256 ? out.integrity_sha256 : out.integrity;
  if (!field) field = integrity_check(attribute, datagram);
  return true;
}

// The header's fixed part, or nothing.
std::optional<uint16_t> parse_type(ByteView datagram) {
  if (!is_stun(datagram)) return std::nullopt;
  const size_t length = load_u16(datagram.data() + 2);
  // RFC 8489 5, 6.3: a whole number of padded attributes, and over UDP the rest of the datagram exactly.
  if (length % 4 != 0 || length != datagram.size() - kHeaderSize) return std::nullopt;
  return load_u16(datagram.data());
}

}  // namespace

bool is_stun(ByteView datagram) {
  return datagram.size() >= kHeaderSize && datagram[0] <= 3 && load_u32(datagram.data() + 4) == kMagicCookie;
}

std::optional<Message> parse_message(ByteView datagram) {
  const auto type = parse_type(datagram);
  if (!type) return std::nullopt;
  Message out;
  out.message_class = class_of(*type);
  out.method = method_of(*type);
  std::memcpy(out.id.bytes.data(), datagram.data() + 8, out.id.bytes.size());
  out.covered_attributes = datagram.subspan(kHeaderSize);

  Reader reader(datagram);
  reader.skip(kHeaderSize);
  for (size_t count = 0; reader.left() > 0; ++count) {
    const auto attribute = next_attribute(reader);
    if (!attribute || count == kMaxAttributes) return std::nullopt;
    const bool is_covered = !out.integrity && !out.integrity_sha256;
    if (attribute->type == static_cast<uint16_t>(Attribute::kFingerprint)) {
      // RFC 8489 14.7: it is the last one, whatever else there is.
      const auto value = parse_u32(attribute->value);
      if (!value || reader.left() > 0) return std::nullopt;
      out.fingerprint =
          fingerprint_of(datagram.first(attribute->at)) == *value ? Fingerprint::kRight : Fingerprint::kWrong;
      if (is_covered) out.covered_attributes = datagram.subspan(kHeaderSize, attribute->at - kHeaderSize);
      break;
    }
    // RFC 8489 14.5, 14.6: what follows MESSAGE-INTEGRITY is not covered by it and must be ignored, but for
    // MESSAGE-INTEGRITY-SHA256; what follows that, too.
    if (attribute->type == static_cast<uint16_t>(Attribute::kMessageIntegritySha256) ||
        (is_covered && attribute->type == static_cast<uint16_t>(Attribute::kMessageIntegrity))) {
      if (!apply_integrity(out, *attribute, datagram)) return std::nullopt;
    } else if (is_covered && !apply(out, *attribute)) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<ByteView> Message::find(Attribute type) const {
  Reader reader(covered_attributes);
  while (reader.left() > 0) {
    const auto attribute = next_attribute(reader);
    if (!attribute) return std::nullopt;
    if (attribute->type == static_cast<uint16_t>(type)) return attribute->value;
  }
  return std::nullopt;
}

std::optional<SocketAddress> Message::find_xor_address(Attribute type) const {
  const auto value = find(type);
  return value ? parse_address(*value, mask_of(id)) : std::nullopt;
}

std::optional<SocketAddress> parse_plain_address(ByteView value) {
  return parse_address(value, AddressMask{});
}

std::optional<std::string_view> peek_username(ByteView datagram) {
  const auto type = parse_type(datagram);
  if (!type || *type != kBinding) return std::nullopt;  // a Binding request's type is its method
  Reader reader(datagram);
  reader.skip(kHeaderSize);
  for (size_t count = 0; count < kMaxAttributes && reader.left() > 0; ++count) {
    const auto attribute = next_attribute(reader);
    if (!attribute || attribute->type == static_cast<uint16_t>(Attribute::kMessageIntegrity)) return std::nullopt;
    if (attribute->type == static_cast<uint16_t>(Attribute::kUsername)) {
      return parse_text(attribute->value, kMaxUsernameSize);
    }
  }
  return std::nullopt;
}

uint32_t fingerprint_of(ByteView covered) {
  return crc32(covered) ^ kFingerprintXor;
}

}  // namespace atm::stun
