// What a peer dropped, by name, and what it did, with what its transports counted. Kept by Peer, summed over peers into
// the worker's metrics (node/worker_stats.cpp). Plain numbers that only grow; nothing here decides anything.
#pragma once

#include <cstdint>
#include <optional>

#include "base/counter_table.h"
#include "base/time.h"
#include "core/dtls/counters.h"
#include "core/ice/counters.h"
#include "core/sctp/counters.h"
#include "core/srtp/receive_context.h"

namespace atm::peer {

struct Counters {
  uint64_t rtp_received = 0;
  uint64_t rtp_sent = 0;
  uint64_t rtp_bytes_received = 0;
  uint64_t rtp_bytes_sent = 0;
  uint64_t rtx_received = 0;
  uint64_t rtx_sent = 0;
  uint64_t again_sent = 0;  // without RTX: the same ciphertext again
  uint64_t nacks_sent = 0;
  uint64_t nacks_received = 0;
  uint64_t key_frame_requests_sent = 0;
  uint64_t key_frame_requests_received = 0;
  uint64_t byes_received = 0;
  uint64_t streams_evicted = 0;      // silent ones that made room for a new SSRC
  uint64_t extensions_dropped = 0;   // packets sent without header extensions, to stay within kMediaBudget
  uint64_t drop_not_validated = 0;   // not from a path that ICE validated
  uint64_t drop_not_ready = 0;       // media before the keys
  uint64_t drop_oversized = 0;       // RTP or RTCP of more bytes than kMaxDatagramSize
  uint64_t drop_bad_srtp = 0;        // authentication, replay, malformed
  uint64_t drop_too_many_ssrcs = 0;  // authentic, but over a table's limit: of SRTP, or of an m-line
  uint64_t drop_unknown_ssrc = 0;
  uint64_t drop_unknown_payload_type = 0;
  uint64_t drop_duplicate = 0;
  uint64_t drop_malformed = 0;
  uint64_t drop_unknown_class = 0;
  uint64_t drop_too_large = 0;
  uint64_t drop_rtcp_rate = 0;      // compounds over kRtcpPerSecond
  uint64_t drop_nack_rate = 0;      // sequence numbers asked for over kNacksPerSecond
  uint64_t drop_resend_budget = 0;  // retransmissions over kResendBytesPerSecond
  uint64_t drop_paced = 0;          // the pacer's queue was full, or the m-line changed while the packet waited
  uint64_t feedback_received = 0;   // transport-wide
  uint64_t feedback_sent = 0;
  uint64_t rembs_sent = 0;
  uint64_t probes_sent = 0;      // packets of padding, to find out what a way carries
  uint64_t rpc_send_failed = 0;  // data channel queue full or channel gone
};

inline constexpr CounterName<Counters> kCounterNames[] = {
    {&Counters::rtp_received, "rtp_received"},
    {&Counters::rtp_sent, "rtp_sent"},
    {&Counters::rtp_bytes_received, "rtp_bytes_received"},
    {&Counters::rtp_bytes_sent, "rtp_bytes_sent"},
    {&Counters::rtx_received, "rtx_received"},
    {&Counters::rtx_sent, "rtx_sent"},
    {&Counters::again_sent, "again_sent"},
    {&Counters::nacks_sent, "nacks_sent"},
    {&Counters::nacks_received, "nacks_received"},
    {&Counters::key_frame_requests_sent, "key_frame_requests_sent"},
    {&Counters::key_frame_requests_received, "key_frame_requests_received"},
    {&Counters::byes_received, "byes_received"},
    {&Counters::streams_evicted, "streams_evicted"},
    {&Counters::extensions_dropped, "extensions_dropped"},
    {&Counters::drop_not_validated, "drop_not_validated"},
    {&Counters::drop_not_ready, "drop_not_ready"},
    {&Counters::drop_oversized, "drop_oversized"},
    {&Counters::drop_bad_srtp, "drop_bad_srtp"},
    {&Counters::drop_too_many_ssrcs, "drop_too_many_ssrcs"},
    {&Counters::drop_unknown_ssrc, "drop_unknown_ssrc"},
    {&Counters::drop_unknown_payload_type, "drop_unknown_payload_type"},
    {&Counters::drop_duplicate, "drop_duplicate"},
    {&Counters::drop_malformed, "drop_malformed"},
    {&Counters::drop_unknown_class, "drop_unknown_class"},
    {&Counters::drop_too_large, "drop_too_large"},
    {&Counters::drop_rtcp_rate, "drop_rtcp_rate"},
    {&Counters::drop_nack_rate, "drop_nack_rate"},
    {&Counters::drop_resend_budget, "drop_resend_budget"},
    {&Counters::drop_paced, "drop_paced"},
    {&Counters::feedback_received, "feedback_received"},
    {&Counters::feedback_sent, "feedback_sent"},
    {&Counters::rembs_sent, "rembs_sent"},
    {&Counters::probes_sent, "probes_sent"},
    {&Counters::rpc_send_failed, "rpc_send_failed"},
};
static_assert(names_all(kCounterNames));

// Of everything that a peer is made of, or of many peers.
struct Totals {
  Counters peer;
  ice::Counters ice;
  dtls::Counters dtls;
  srtp::Counters srtp;
  sctp::Counters sctp;

  void add(const Totals& more) {
    add_counters(kCounterNames, peer, more.peer);
    add_counters(ice::kCounterNames, ice, more.ice);
    add_counters(dtls::kCounterNames, dtls, more.dtls);
    add_counters(srtp::kCounterNames, srtp, more.srtp);
    add_counters(sctp::kCounterNames, sctp, more.sctp);
  }
};

// Smoothed; none until measured.
struct RoundTrips {
  std::optional<Duration> as_sender;    // the remote's report blocks about what we send (RFC 3550 6.4.1)
  std::optional<Duration> as_receiver;  // its answers to our reference times (RFC 3611 4.5)
};

}  // namespace atm::peer
