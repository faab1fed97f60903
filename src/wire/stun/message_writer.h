// Writes one STUN message (RFC 8489) into a caller-given view. Used by core/ice for checks and answers, by
// core/turn for requests and indications.
// Attributes go out in the order of the calls; integrity_room() comes after all that it has to cover, fingerprint()
// last. Allocates nothing; what does not fit makes finish() return 0, and nothing may be sent then.
// It computes no HMAC: integrity_room() gives what to sign and where to put the result.
#pragma once

#include <optional>
#include <span>

#include "base/bytes.h"
#include "wire/stun/message.h"

namespace atm::stun {

// To be filled before the next attribute is written: mac = HMAC-SHA1(key, covered), or HMAC-SHA256.
struct IntegrityRoom {
  ByteView covered;  // the message so far, its length already as RFC 8489 14.5 wants it
  MutByteView mac;   // kIntegritySize bytes, or kIntegritySha256Size
};

class MessageWriter {
 public:
  MessageWriter(MutByteView out, Class message_class, const TransactionId& id, uint16_t method = kBinding);

  void username(std::string_view value) { text(Attribute::kUsername, value); }
  void software(std::string_view value) { text(Attribute::kSoftware, value); }
  void xor_mapped_address(const SocketAddress& address) { xor_address(Attribute::kXorMappedAddress, address); }
  void priority(uint32_t value) { number(Attribute::kPriority, value); }
  void use_candidate() { attribute(Attribute::kUseCandidate, 0); }
  void ice_controlled(uint64_t tie_breaker) { tie(Attribute::kIceControlled, tie_breaker); }
  void ice_controlling(uint64_t tie_breaker) { tie(Attribute::kIceControlling, tie_breaker); }
  // `code` 300 to 699.
  void error(uint16_t code, std::string_view reason);
  void unknown_attributes(std::span<const uint16_t> types);

  // Any other, by the form of its value.
  void text(Attribute type, std::string_view value);
  void number(Attribute type, uint32_t value);
  void bytes(Attribute type, ByteView value);
  void xor_address(Attribute type, const SocketAddress& address);

  // Nothing when there is no room left. `type`: or kMessageIntegritySha256.
  std::optional<IntegrityRoom> integrity_room(Attribute type = Attribute::kMessageIntegrity);
  void fingerprint();
  // The size of the whole message; 0 when it did not fit.
  size_t finish();

 private:
  void attribute(Attribute type, size_t size);
  void tie(Attribute type, uint64_t tie_breaker);
  void set_length(size_t message_size);

  Writer out_;
};

}  // namespace atm::stun
