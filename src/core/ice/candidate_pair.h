// A pair of a local and a remote candidate, and the check that runs on it (RFC 8445 6.1.2). Owned by the check list.
#pragma once

#include <algorithm>

#include "base/address.h"
#include "base/time.h"
#include "wire/stun/message.h"

namespace atm::ice {

// RFC 8445 6.1.2.6. Without kFrozen: freezing spares checks across components and streams, and there is one of each
// here (BUNDLE and rtcp-mux).
enum class PairState : uint8_t { kWaiting, kInProgress, kSucceeded, kFailed };

// A request on its way, RFC 8489 6.2.1.
struct Transaction {
  stun::TransactionId id;
  Instant sent_at;   // the first time
  Instant retry_at;  // the next retransmission, or after the last one the end
  Duration rto{};    // doubles
  Duration first_rto{};
  int sends = 0;
  bool is_controlling = true;  // the role that it was sent in
};

struct CandidatePair {
  Path path;
  uint32_t local_priority = 0;
  uint32_t remote_priority = 0;
  uint64_t priority = 0;        // RFC 8445 6.1.2.3, of the two above
  uint32_t check_priority = 0;  // the PRIORITY attribute of its checks, RFC 8445 7.1.1
  PairState state = PairState::kWaiting;
  bool nominating = false;    // the check in progress carries USE-CANDIDATE
  bool chosen = false;        // controlled: the remote side has nominated it
  bool is_reflexive = false;  // its remote candidate was learned from a check
  bool is_relayed = false;    // by a server of either side
  bool hurried = false;       // the check in progress has been sent again ahead of its time
  bool triggered = false;     // to be checked ahead of the others, and when there is no search (RFC 8445 6.1.4.1)
  Transaction transaction;
};

// RFC 8445 6.1.2.3: the same on both sides, and the smaller of the two priorities weighs most.
inline uint64_t pair_priority(uint32_t controlling, uint32_t controlled) {
  const uint64_t low = std::min(controlling, controlled);
  const uint64_t high = std::max(controlling, controlled);
  return (low << 32) + 2 * high + (controlling > controlled ? 1 : 0);
}

}  // namespace atm::ice
