// What an agent counts instead of logging it: one named number for every reason to drop or refuse a datagram.
// Summed over sessions by the node, for metrics.
#pragma once

#include <cstdint>

namespace atm0s::ice {

struct Counters {
  // accepted
  uint64_t requests = 0;     // authenticated and answered
  uint64_t responses = 0;    // authenticated and awaited
  uint64_t checks_sent = 0;  // retransmissions and consent checks included
  // dropped without an answer
  uint64_t malformed = 0;
  uint64_t bad_fingerprint = 0;     // or none: RFC 8445 7 has ICE always use it
  uint64_t unexpected_message = 0;  // an indication, another method, a response that nothing waits for
  uint64_t bad_response_integrity = 0;
  uint64_t asymmetric_response = 0;  // came from or to another address than its request went
  uint64_t replayed = 0;             // the very check that was heard on another path
  // refused: an error answer, unless it was withheld
  uint64_t missing_credentials = 0;  // 400
  uint64_t unknown_ufrag = 0;        // 401
  uint64_t bad_integrity = 0;        // 401
  uint64_t unknown_attributes = 0;   // 420
  uint64_t role_conflict = 0;        // 487, sent or received
  uint64_t errors_withheld = 0;      // an answer to an unproven sender, too long or one too many in a second
  uint64_t errors_received = 0;
  // limits
  uint64_t paths_evicted = 0;
  uint64_t candidates_refused = 0;
};

}  // namespace atm0s::ice
