// The numbers of core/sctp in one place: sizes, windows, times and caps, each with its reason.
// Used by every file of this module; read by core/peer for the SDP (a=max-message-size, a=sctp-port).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace atm::sctp {

// Bytes. A DTLS record adds at most 13 + 8 + 16 (AES-GCM) to it: 1,185 and below the 1,200 that WebRTC paths carry.
inline constexpr size_t kMaxPacketSize = 1'148;
// Bytes, RFC 8841 6: what we announce and what we send at most; libwebrtc's own figure.
inline constexpr size_t kMaxMessageSize = 262'144;
// Of each direction. libwebrtc uses ids below 1,024 only, and every stream may cost us state.
inline constexpr uint16_t kMaxStreams = 1'024;

// Bytes announced as a_rwnd: a largest message plus as much of others waiting for a lost packet.
inline constexpr size_t kReceiveWindow = 2 * kMaxMessageSize;
// Bytes: what a chunk or waiting message costs us beside its payload (nodes of maps, a block of its own), so that
// floods of tiny ones are bounded too.
inline constexpr size_t kHeldOverhead = 256;
// Bytes: in-order data is taken above the window, for it is what frees the buffer; past this the peer is hostile.
inline constexpr size_t kReassemblyCap = kReceiveWindow + 2 * kMaxMessageSize;
// TSNs above the cumulative one that are taken; RFC 9260 6.2 lets us drop, the peer sends again.
inline constexpr int64_t kMaxTsnAhead = 16'384;
// Runs of received TSNs above the cumulative one; as many as one SACK can report, for what a later SACK leaves out
// looks to the peer like data thrown away.
inline constexpr size_t kMaxGapRuns = 200;
inline constexpr size_t kMaxSackDuplicates = 16;

// Streams that one FORWARD-TSN of ours names: more than there are channels, and it fits beside the largest SACK.
inline constexpr size_t kMaxForwardStreams = 32;

// Bytes waiting or unacknowledged, with kQueuedOverhead for each message; beyond, send() refuses.
inline constexpr size_t kMaxQueuedBytes = 4 * 1'024 * 1'024;
inline constexpr size_t kQueuedOverhead = 128;

// RFC 9260 16 recommends 1 s, 1 s and 60 s for the Internet at large. A call's paths have RTTs of tens of
// milliseconds, RPC answers wait on this, and a peer acknowledges within 200 ms (at once with the I bit of RFC 7053).
inline constexpr Duration kRtoInitial = 500ms;
inline constexpr Duration kRtoMin = 200ms;
inline constexpr Duration kRtoMax = 4s;
// T1: nothing is in flight that could congest, and a session waits.
inline constexpr Duration kHandshakeRtoMax = 2s;
inline constexpr uint32_t kMaxInitRetransmits = 16;  // about 30 s; the session's own 10 s timer ends it earlier
// T3 in a row without an answer: about a minute, longer than the 30 s after which a silent session is dropped.
inline constexpr uint32_t kMaxRetransmits = 18;
inline constexpr uint32_t kMaxShutdownRetransmits = 5;
// RFC 9260 6.2: at most 500 ms, should be at most 200. Short enough not to sway the peer's RTT, long enough for an
// RPC's answer to carry the SACK.
inline constexpr Duration kSackDelay = 20ms;
// RFC 9260 16, Valid.Cookie.Life.
inline constexpr Duration kCookieLifetime = 60s;
// RFC 9260 6.1 D, Max.Burst: packets sent at one event.
inline constexpr size_t kMaxBurst = 4;
// Bytes of an answer that repeats the peer's own (HEARTBEAT-ACK, ERROR): the rest is not worth a packet.
inline constexpr size_t kMaxEchoed = 1'024;

inline constexpr size_t kMaxChannels = 16;
inline constexpr size_t kMaxLabelSize = 1'024;  // bytes, label and protocol each

}  // namespace atm::sctp
