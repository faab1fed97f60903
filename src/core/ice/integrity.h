// MESSAGE-INTEGRITY of STUN messages: HMAC-SHA1 with one short-term key (RFC 8489 9.1, 14.5).
// One per generation of credentials, owned by the responder and by the side that sends checks; keeps its OpenSSL
// context, so that a check costs no lookup and no allocation. Compares in constant time. Not thread-safe.
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
  explicit Integrity(std::string_view key);

  // False too when the message has no MESSAGE-INTEGRITY.
  bool verifies(const stun::Message& message) const;
  void sign(const stun::IntegrityRoom& room) const;

 private:
  void compute(ByteView head, ByteView body, MutByteView mac) const;

  struct FreeContext {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, FreeContext> context_;
  std::string key_;
};

}  // namespace atm::ice
