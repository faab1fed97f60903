// What an association and its data channels counted: one named number per reason for which something was dropped,
// repeated or given up. Read by core/peer for metrics. Plain values, never reset by us.
#pragma once

#include <cstdint>

#include "base/counter_table.h"

namespace atm::sctp {

struct Counters {
  uint64_t packets_in = 0;
  uint64_t packets_out = 0;
  uint64_t messages_in = 0;
  uint64_t messages_out = 0;

  // Packets and chunks dropped.
  uint64_t drop_checksum = 0;
  uint64_t drop_malformed = 0;  // frame or chunk format
  uint64_t drop_port = 0;
  uint64_t drop_tag = 0;         // wrong verification tag
  uint64_t drop_unexpected = 0;  // a chunk that this state has no use for
  uint64_t drop_unknown_chunk = 0;
  uint64_t drop_cookie_forged = 0;
  uint64_t drop_cookie_expired = 0;
  uint64_t drop_cookie_stale_tags = 0;  // authentic, of another handshake
  uint64_t drop_duplicate_tsn = 0;
  uint64_t drop_tsn_too_far = 0;     // beyond the window or the list of gaps; the peer sends it again
  uint64_t drop_receive_buffer = 0;  // above the advertised window; the peer sends it again
  uint64_t drop_invalid_stream = 0;
  uint64_t drop_old_ssn = 0;           // an ordered message of a number already delivered or held
  uint64_t drop_skipped_fragment = 0;  // of a message that FORWARD-TSN gave up
  uint64_t drop_sack_old = 0;
  uint64_t drop_sack_invalid = 0;  // acknowledges what was never sent
  uint64_t drop_unsendable = 0;    // queued for a stream that the peer does not have

  // Loss recovery.
  uint64_t retransmissions = 0;     // DATA chunks sent again
  uint64_t fast_retransmits = 0;    // of these, by three missing reports
  uint64_t timeouts = 0;            // T3-rtx
  uint64_t abandoned_messages = 0;  // of ours, past their retransmissions or their lifetime
  uint64_t forward_tsns_out = 0;
  uint64_t forward_tsns_in = 0;

  // Reasons for which we aborted.
  uint64_t abort_message_too_large = 0;
  uint64_t abort_reassembly_full = 0;
  uint64_t abort_protocol_violation = 0;

  // Data channels.
  uint64_t drop_dcep_malformed = 0;
  uint64_t drop_dcep_refused = 0;  // wrong parity, taken stream id, too many channels
  uint64_t drop_unknown_channel = 0;
  uint64_t drop_unknown_ppid = 0;
};

inline constexpr CounterName<Counters> kCounterNames[] = {
    {&Counters::packets_in, "packets_in"},
    {&Counters::packets_out, "packets_out"},
    {&Counters::messages_in, "messages_in"},
    {&Counters::messages_out, "messages_out"},
    {&Counters::drop_checksum, "drop_checksum"},
    {&Counters::drop_malformed, "drop_malformed"},
    {&Counters::drop_port, "drop_port"},
    {&Counters::drop_tag, "drop_tag"},
    {&Counters::drop_unexpected, "drop_unexpected"},
    {&Counters::drop_unknown_chunk, "drop_unknown_chunk"},
    {&Counters::drop_cookie_forged, "drop_cookie_forged"},
    {&Counters::drop_cookie_expired, "drop_cookie_expired"},
    {&Counters::drop_cookie_stale_tags, "drop_cookie_stale_tags"},
    {&Counters::drop_duplicate_tsn, "drop_duplicate_tsn"},
    {&Counters::drop_tsn_too_far, "drop_tsn_too_far"},
    {&Counters::drop_receive_buffer, "drop_receive_buffer"},
    {&Counters::drop_invalid_stream, "drop_invalid_stream"},
    {&Counters::drop_old_ssn, "drop_old_ssn"},
    {&Counters::drop_skipped_fragment, "drop_skipped_fragment"},
    {&Counters::drop_sack_old, "drop_sack_old"},
    {&Counters::drop_sack_invalid, "drop_sack_invalid"},
    {&Counters::drop_unsendable, "drop_unsendable"},
    {&Counters::retransmissions, "retransmissions"},
    {&Counters::fast_retransmits, "fast_retransmits"},
    {&Counters::timeouts, "timeouts"},
    {&Counters::abandoned_messages, "abandoned_messages"},
    {&Counters::forward_tsns_out, "forward_tsns_out"},
    {&Counters::forward_tsns_in, "forward_tsns_in"},
    {&Counters::abort_message_too_large, "abort_message_too_large"},
    {&Counters::abort_reassembly_full, "abort_reassembly_full"},
    {&Counters::abort_protocol_violation, "abort_protocol_violation"},
    {&Counters::drop_dcep_malformed, "drop_dcep_malformed"},
    {&Counters::drop_dcep_refused, "drop_dcep_refused"},
    {&Counters::drop_unknown_channel, "drop_unknown_channel"},
    {&Counters::drop_unknown_ppid, "drop_unknown_ppid"},
};
static_assert(names_all(kCounterNames));

}  // namespace atm::sctp
