// Statistics of a session, with the names of W3C webrtc-stats in the spelling of C++ (bytes_sent is bytesSent), where
// more is said of each. Made by Session::stats(); plain values. Durations are seconds and bitrates bit/s, as there;
// counts begin with the session's present connection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atm0s/config.h"
#include "atm0s/export.h"

namespace atm0s {

// The connection: RTCTransportStats and the selected RTCIceCandidatePairStats.
struct TransportStats {
  std::string local_candidate_type;       // "host", "srflx", "prflx", "relay"
  std::string protocol;                   // "udp", "tcp"
  std::string relay_protocol;             // of a relayed one, to its TURN server: "udp", "tcp", "tls"; else ""
  std::string remote_address;             // "203.0.113.5:3478"
  std::string dtls_state;                 // "new", "connecting", "connected", "closed", "failed"
  double current_round_trip_time = 0;     // as RTCP tells
  double available_outgoing_bitrate = 0;  // bit/s; 0: not estimated
  uint64_t bytes_sent = 0;                // in packets_sent
  uint64_t bytes_received = 0;            // in packets_received
  uint64_t packets_sent = 0;              // of RTP, those sent again too
  uint64_t packets_received = 0;          // of RTP, those sent again too
};

// A sender: RTCOutboundRtpStreamStats, of all its layers together.
struct OutboundStats {
  std::string name;                         // of the sender
  MediaKind kind = MediaKind::kAudio;       // of the sender
  std::string codec;                        // "VP8"; "" before the first frame
  uint64_t packets_sent = 0;                // of RTP
  uint64_t bytes_sent = 0;                  // of their payloads
  uint64_t frames_sent = 0;                 // frames, or packets of audio
  uint64_t key_frames_encoded = 0;          // those that were pushed
  uint64_t nack_count = 0;                  // messages of the server: that packets are missing
  uint64_t pli_count = 0;                   // that a key frame is wanted (RFC 4585 6.3.1)
  uint64_t fir_count = 0;                   // the same (RFC 5104 4.3.1)
  uint64_t retransmitted_packets_sent = 0;  // in answer to nack_count
  double target_bitrate = 0;                // bit/s; what encoders are asked for
};

// A receiver: RTCInboundRtpStreamStats.
struct InboundStats {
  std::string id;                                  // of the receiver
  MediaKind kind = MediaKind::kAudio;              // of the receiver
  std::string codec;                               // of what comes; "" before the first packet
  uint64_t packets_received = 0;                   // of RTP
  uint64_t bytes_received = 0;                     // of their payloads
  int64_t packets_lost = 0;                        // RFC 3550 6.4.1: less by those that came twice
  double jitter = 0;                               // RFC 3550 6.4.1, in seconds
  uint64_t nack_count = 0;                         // messages to the server: that packets are missing
  uint64_t pli_count = 0;                          // that a key frame is wanted
  double jitter_buffer_delay = 0;                  // that frames have waited, added up; divide by the emitted count
  double jitter_buffer_target_delay = 0;           // that they were to wait, added up
  double jitter_buffer_minimum_delay = 0;          // of that, what the network alone asks for
  uint64_t jitter_buffer_emitted_count = 0;        // frames of video, samples of audio, that were handed out
  uint64_t frames_received = 0;                    // video: whole ones
  uint64_t key_frames_received = 0;                // video: of them key frames
  uint64_t frames_dropped = 0;                     // video: came too late, or could not be decoded any more
  uint64_t freeze_count = 0;                       // video: how often it stood still
  double total_freezes_duration = 0;               // video: and how long, all together
  uint64_t frames_unread = 0;                      // not of webrtc-stats: the reader was too slow
  uint64_t total_samples_received = 0;             // audio: for one channel
  uint64_t concealed_samples = 0;                  // audio: made up for what was lost
  uint64_t silent_concealed_samples = 0;           // audio: of them silent ones
  uint64_t concealment_events = 0;                 // audio: how often that began
  uint64_t inserted_samples_for_deceleration = 0;  // audio: played slower
  uint64_t removed_samples_for_acceleration = 0;   // audio: played faster
};

// All of a session at one time.
struct SessionStats {
  TransportStats transport;             // its connection
  std::vector<OutboundStats> outbound;  // its senders, in the order in which they were made
  std::vector<InboundStats> inbound;    // its receivers, in the order in which they were made
};

// As a JSON object, spelt as in webrtc-stats: {"transport": …, "outbound": […], "inbound": […]}.
ATM0S_API std::string to_json(const SessionStats& stats);

}  // namespace atm0s
