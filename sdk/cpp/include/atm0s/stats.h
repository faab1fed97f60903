// Statistics of a session, with the names of W3C webrtc-stats in the spelling of C++ (bytes_sent is bytesSent). Made by
// Session::stats(); plain values. Durations are seconds, as there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atm0s/config.h"
#include "atm0s/export.h"

namespace atm0s {

// RTCTransportStats and the selected RTCIceCandidatePairStats.
struct TransportStats {
  std::string local_candidate_type;  // "host", "srflx", "prflx", "relay"
  std::string protocol;              // "udp", "tcp"
  std::string relay_protocol;        // to the TURN server of a relayed one: "udp", "tcp", "tls"; else ""
  std::string remote_address;        // "203.0.113.5:3478"
  std::string dtls_state;            // "new", "connecting", "connected", "closed", "failed"
  double current_round_trip_time = 0;
  double available_outgoing_bitrate = 0;  // bit/s; 0: not estimated
  uint64_t bytes_sent = 0, bytes_received = 0;
  uint64_t packets_sent = 0, packets_received = 0;
};

// RTCOutboundRtpStreamStats
struct OutboundStats {
  std::string name;  // of the sender
  MediaKind kind = MediaKind::kAudio;
  std::string codec;
  uint64_t packets_sent = 0, bytes_sent = 0;
  uint64_t frames_sent = 0, key_frames_encoded = 0;
  uint64_t nack_count = 0, pli_count = 0, fir_count = 0;  // messages of the server
  uint64_t retransmitted_packets_sent = 0;
  double target_bitrate = 0;  // bit/s
};

// RTCInboundRtpStreamStats
struct InboundStats {
  std::string id;  // of the receiver
  MediaKind kind = MediaKind::kAudio;
  std::string codec;
  uint64_t packets_received = 0, bytes_received = 0;
  int64_t packets_lost = 0;
  double jitter = 0;
  uint64_t nack_count = 0, pli_count = 0;  // messages to the server
  double jitter_buffer_delay = 0, jitter_buffer_target_delay = 0, jitter_buffer_minimum_delay = 0;
  uint64_t jitter_buffer_emitted_count = 0;
  // video
  uint64_t frames_received = 0, key_frames_received = 0, frames_dropped = 0;
  uint64_t freeze_count = 0;
  double total_freezes_duration = 0;
  uint64_t frames_unread = 0;  // not of webrtc-stats: the reader was too slow
  // audio
  uint64_t total_samples_received = 0, concealed_samples = 0, silent_concealed_samples = 0, concealment_events = 0;
  uint64_t inserted_samples_for_deceleration = 0, removed_samples_for_acceleration = 0;
};

struct SessionStats {
  TransportStats transport;
  std::vector<OutboundStats> outbound;
  std::vector<InboundStats> inbound;
};

// As a JSON object, spelt as in webrtc-stats.
ATM0S_API std::string to_json(const SessionStats& stats);

}  // namespace atm0s
