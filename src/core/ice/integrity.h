// MESSAGE-INTEGRITY of STUN messages: HMAC-SHA1 (RFC 8489 14.5), or HMAC-SHA256 for MESSAGE-INTEGRITY-SHA256 (14.6),
// with one key: ICE's short-term password, or the digest of TURN's long-term credentials.
// One per generation of credentials, owned by the responder, by the side that sends checks, and by core/turn; keeps its
// OpenSSL context, so that a check costs no lookup and no allocation. Compares in constant time. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "wire/stun/message.h"
#include "wire/stun/message_writer.h"

struct evp_mac_ctx_st;

namespace atm::ice {

class Integrity {
 public:
  enum class Hash : uint8_t { kSha1, kSha256 };

  explicit Integrity(std::string_view key, Hash hash = Hash::kSha1);

  // False too when the message has no such attribute.
  bool verifies(const stun::Message& message) const;
  void sign(const stun::IntegrityRoom& room) const;

 private:
  size_t mac_size() const { return hash_ == Hash::kSha1 ? stun::kIntegritySize : stun::kIntegritySha256Size; }
  void compute(ByteView head, ByteView body, MutByteView mac) const;

  struct FreeContext {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, FreeContext> context_;
  std::string key_;
  Hash hash_;
};

}  // namespace atm::ice
