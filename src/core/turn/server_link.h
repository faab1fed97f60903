// How a TURN client speaks to its server: over which path, and signed with which credentials. Shared by turn_client.h
// and relay_peers.h. Everything goes into the batch that is given, with the server's path; over a stream an entry is
// one frame, padded, and the path's transport is TCP.
#pragma once

#include "base/datagram.h"
#include "base/rng.h"
#include "core/ice/remote_agent.h"
#include "core/turn/counters.h"
#include "core/turn/credentials.h"
#include "core/turn/transaction.h"

namespace atm::turn {

// Stale nonces (438) in a row that one request is asked again with; a server that sends more is of no use.
inline constexpr int kMaxChallenges = 3;

class ServerLink {
 public:
  ServerLink(const Path& server, Credentials keys, Rng& rng) : path(server), credentials(std::move(keys)), rng_(rng) {}

  bool is_stream() const { return path.transport == Transport::kTcp; }

  // `write`: the attributes that come before those of the credentials.
  template <typename Write>
  void ask(Instant now, Transaction& transaction, uint16_t method, Write write, SendBatch& out,
           int sends = kRequestSends) {
    const stun::TransactionId id = ice::make_transaction_id(rng_);
    uint8_t buffer[kMaxRequestSize];
    stun::MessageWriter writer(buffer, stun::Class::kRequest, id, method);
    write(writer);
    credentials.sign(writer);
    const size_t size = writer.finish();
    ASSERT(size > 0);
    transaction.begin(now, id, {buffer, size}, is_stream(), sends);
    send_again(transaction, out);
  }
  void send_again(const Transaction& transaction, SendBatch& out) {
    ++counters.requests_sent;
    out.append(path, transaction.request());
  }
  stun::TransactionId make_id() { return ice::make_transaction_id(rng_); }

  // RFC 8489 9.2.5. Errors from before a challenge, and some servers' later ones, are unsigned: their transaction id is
  // all that they have to show.
  bool is_authentic(const stun::Message& answer) const {
    if (!credentials.is_challenged()) return true;
    const bool is_signed = answer.integrity || answer.integrity_sha256;
    if (answer.message_class == stun::Class::kError && !is_signed) return true;
    return credentials.verifies(answer);
  }

  Path path;
  Credentials credentials;
  Counters counters;

 private:
  Rng& rng_;
};

inline uint16_t error_code_of(const stun::Message& answer) {
  return answer.error ? answer.error->code : uint16_t{0};
}

}  // namespace atm::turn
