// What happened to the TCP connections of one worker, by name: for GET /metrics (docs/metrics.md).
#pragma once

#include <cstdint>

#include "base/counter_table.h"

namespace atm::io {

struct TcpCounters {
  uint64_t accepted = 0;
  uint64_t admitted = 0;  // their first frame was a check for a session here
  uint64_t frames_received = 0;
  uint64_t bytes_received = 0;
  uint64_t null_frames = 0;
  uint64_t frames_sent = 0;
  uint64_t bytes_sent = 0;
  // refused, or closed by us
  uint64_t refused_full = 0;        // all places are taken, of the server or of the address
  uint64_t closed_for_others = 0;   // waited with its first check, and made room for one that came later
  uint64_t closed_no_check = 0;     // no first frame in time
  uint64_t closed_not_a_check = 0;  // another first frame, or one for no session here
  uint64_t closed_bad_length = 0;   // no framing, or a frame larger than any of ours
  uint64_t closed_idle = 0;
  // closed otherwise
  uint64_t closed_by_remote = 0;
  uint64_t closed_by_error = 0;
  // dropped
  uint64_t drop_send_full = 0;  // frames: the connection carries less than is sent
  uint64_t drop_no_connection = 0;
  uint64_t accept_errors = 0;  // no descriptors left, say: for a while none are taken
};

inline constexpr CounterName<TcpCounters> kTcpCounterNames[] = {
    {&TcpCounters::accepted, "accepted"},
    {&TcpCounters::admitted, "admitted"},
    {&TcpCounters::frames_received, "frames_received"},
    {&TcpCounters::bytes_received, "bytes_received"},
    {&TcpCounters::null_frames, "null_frames"},
    {&TcpCounters::frames_sent, "frames_sent"},
    {&TcpCounters::bytes_sent, "bytes_sent"},
    {&TcpCounters::refused_full, "refused_full"},
    {&TcpCounters::closed_for_others, "closed_for_others"},
    {&TcpCounters::closed_no_check, "closed_no_check"},
    {&TcpCounters::closed_not_a_check, "closed_not_a_check"},
    {&TcpCounters::closed_bad_length, "closed_bad_length"},
    {&TcpCounters::closed_idle, "closed_idle"},
    {&TcpCounters::closed_by_remote, "closed_by_remote"},
    {&TcpCounters::closed_by_error, "closed_by_error"},
    {&TcpCounters::drop_send_full, "drop_send_full"},
    {&TcpCounters::drop_no_connection, "drop_no_connection"},
    {&TcpCounters::accept_errors, "accept_errors"},
};
static_assert(names_all(kTcpCounterNames));

}  // namespace atm::io
