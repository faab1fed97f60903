// What an agent counts instead of logging it: one named number for every reason to drop or refuse a datagram.
// Summed over sessions by the node, for metrics.
#pragma once

#include <cstdint>

#include "base/counter_table.h"

namespace atm::ice {

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
  uint64_t paths_closed = 0;  // over TCP: with their connection
  uint64_t candidates_refused = 0;
};

inline constexpr CounterName<Counters> kCounterNames[] = {
    {&Counters::requests, "requests"},
    {&Counters::responses, "responses"},
    {&Counters::checks_sent, "checks_sent"},
    {&Counters::malformed, "malformed"},
    {&Counters::bad_fingerprint, "bad_fingerprint"},
    {&Counters::unexpected_message, "unexpected_message"},
    {&Counters::bad_response_integrity, "bad_response_integrity"},
    {&Counters::asymmetric_response, "asymmetric_response"},
    {&Counters::replayed, "replayed"},
    {&Counters::missing_credentials, "missing_credentials"},
    {&Counters::unknown_ufrag, "unknown_ufrag"},
    {&Counters::bad_integrity, "bad_integrity"},
    {&Counters::unknown_attributes, "unknown_attributes"},
    {&Counters::role_conflict, "role_conflict"},
    {&Counters::errors_withheld, "errors_withheld"},
    {&Counters::errors_received, "errors_received"},
    {&Counters::paths_evicted, "paths_evicted"},
    {&Counters::paths_closed, "paths_closed"},
    {&Counters::candidates_refused, "candidates_refused"},
};
static_assert(names_all(kCounterNames));

}  // namespace atm::ice
