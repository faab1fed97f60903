// What an association counts instead of logging it: one named number for every reason to drop a datagram, or the rest
// of one. Kept for each session, summed over sessions by the node, for metrics.
#pragma once

#include <cstdint>

#include "base/counter_table.h"

namespace atm::dtls {

struct Counters {
  uint64_t not_dtls = 0;  // empty, or a first byte outside of 20..63 (RFC 7983 7)
  uint64_t too_large = 0;
  uint64_t too_early = 0;  // before the fingerprint was set (server) or before start (client)
  uint64_t too_late = 0;   // after the association had ended
  uint64_t unsent = 0;     // application data refused by send()
  // While the handshake goes on: from such a record on, a datagram is not read.
  uint64_t bad_record = 0;    // longer than the datagram, empty, or encrypted and without room for a tag
  uint64_t bad_fragment = 0;  // of a handshake message: beyond its end, empty, unlike the one before, cut off
  uint64_t message_too_large =
      0;                      // a handshake message that claims more than its type may have, or comes too far ahead
  uint64_t early_record = 0;  // encrypted, before there are keys; a few are kept, these were not
};

inline constexpr CounterName<Counters> kCounterNames[] = {
    {&Counters::not_dtls, "not_dtls"},
    {&Counters::too_large, "too_large"},
    {&Counters::too_early, "too_early"},
    {&Counters::too_late, "too_late"},
    {&Counters::unsent, "unsent"},
    {&Counters::bad_record, "bad_record"},
    {&Counters::bad_fragment, "bad_fragment"},
    {&Counters::message_too_large, "message_too_large"},
    {&Counters::early_record, "early_record"},
};
static_assert(names_all(kCounterNames));

}  // namespace atm::dtls
