// Long-term credentials (RFC 8489 9.2) of a TURN client: what the server's challenge brought (realm, nonce, password
// algorithms), the key that follows from it, and with it the signature of requests and the check of answers.
// MD5 with HMAC-SHA1 as every server has it; SHA-256 for both where the nonce says that the server has password
// algorithms. User name and password are taken as they are (no RFC 8265). The password is a secret.
#pragma once

#include <optional>
#include <string>

#include "core/ice/integrity.h"

namespace atm::turn {

inline constexpr size_t kMaxUsername = 508;  // bytes, RFC 8489 14.3

class Credentials {
 public:
  Credentials(std::string username, std::string password)
      : username_(std::move(username)), password_(std::move(password)) {}

  // Of a 401 or 438. False when it cannot be answered: no realm or nonce, or none of our algorithms.
  bool on_challenge(const stun::Message& error);
  // A server that we are sent to: it has its own realm.
  void forget() { key_.reset(); }

  bool are_given() const { return !username_.empty(); }
  // There has been a challenge: requests are signed.
  bool is_challenged() const { return key_.has_value(); }
  // USERNAME, REALM, NONCE and the integrity, after all other attributes; nothing before a challenge.
  void sign(stun::MessageWriter& writer) const;
  bool verifies(const stun::Message& answer) const { return key_ && key_->verifies(answer); }

 private:
  using Hash = ice::Integrity::Hash;

  std::string username_, password_;
  // of the server
  std::string realm_, nonce_;
  Bytes algorithms_;  // the value of PASSWORD-ALGORITHMS, to be sent back; empty: there are none
  Hash hash_ = Hash::kSha1;
  std::optional<ice::Integrity> key_;
};

}  // namespace atm::turn
