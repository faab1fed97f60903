// The other side as its credentials make it: writes checks that it accepts, and tells its answers from forged ones.
// One per generation of remote credentials, owned by a full agent.
#pragma once

#include <string>
#include <string_view>

#include "base/datagram.h"
#include "core/ice/credentials.h"
#include "core/ice/integrity.h"

namespace atm::ice {

// What differs from check to check (RFC 8445 7.1).
struct CheckFields {
  stun::TransactionId id;
  uint32_t priority = 0;
  bool use_candidate = false;
};

class RemoteAgent {
 public:
  RemoteAgent(Credentials remote, std::string_view local_ufrag, uint64_t tie_breaker);

  // The local side's role and tie-breaker from now on. It is controlling at first.
  void stand(bool is_controlling, uint64_t tie_breaker) {
    is_controlling_ = is_controlling;
    tie_breaker_ = tie_breaker;
  }
  // The same fields give the same bytes: a retransmission is a second call.
  void send_check(const Path& path, const CheckFields& fields, SendBatch& out) const;
  bool verifies(const stun::Message& answer) const { return integrity_.verifies(answer); }
  const Credentials& credentials() const { return credentials_; }

 private:
  Credentials credentials_;
  std::string username_;
  Integrity integrity_;
  uint64_t tie_breaker_;
  bool is_controlling_ = true;
};

stun::TransactionId make_transaction_id(Rng& rng);

}  // namespace atm::ice
