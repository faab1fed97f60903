// What the clients of STUN and TURN servers count instead of logging it.
#pragma once

#include <cstdint>

#include "base/counter_table.h"

namespace atm::turn {

struct Counters {
  uint64_t requests_sent = 0;  // retransmissions included
  uint64_t responses = 0;      // awaited successes
  uint64_t errors_received = 0;
  uint64_t timeouts = 0;
  // datagrams of peers
  uint64_t sent_by_channel = 0;
  uint64_t sent_by_indication = 0;
  uint64_t received_by_channel = 0;
  uint64_t received_by_indication = 0;
  uint64_t held = 0;             // until the server lets their peer in
  uint64_t dropped_full = 0;     // one more than are held
  uint64_t dropped_refused = 0;  // to a peer that the server does not relay to
  uint64_t dropped_idle = 0;     // there is no allocation
  // dropped without an answer
  uint64_t malformed = 0;
  uint64_t unexpected_message = 0;  // not awaited, or of a channel that is not bound
  uint64_t bad_integrity = 0;
  // limits
  uint64_t peers_evicted = 0;
};

inline constexpr CounterName<Counters> kCounterNames[] = {
    {&Counters::requests_sent, "requests_sent"},
    {&Counters::responses, "responses"},
    {&Counters::errors_received, "errors_received"},
    {&Counters::timeouts, "timeouts"},
    {&Counters::sent_by_channel, "sent_by_channel"},
    {&Counters::sent_by_indication, "sent_by_indication"},
    {&Counters::received_by_channel, "received_by_channel"},
    {&Counters::received_by_indication, "received_by_indication"},
    {&Counters::held, "held"},
    {&Counters::dropped_full, "dropped_full"},
    {&Counters::dropped_refused, "dropped_refused"},
    {&Counters::dropped_idle, "dropped_idle"},
    {&Counters::malformed, "malformed"},
    {&Counters::unexpected_message, "unexpected_message"},
    {&Counters::bad_integrity, "bad_integrity"},
    {&Counters::peers_evicted, "peers_evicted"},
};
static_assert(names_all(kCounterNames));

}  // namespace atm::turn
