// Worker: its counters and gauges, by the names of GET /metrics (docs/metrics.md).
#include "node/worker.h"

namespace atm0s::node {

contract::Stats Worker::stats() const {
  peer::Counters peers = gone_peers_;
  session::Counters sessions = gone_sessions_;
  size_t connected = 0;
  size_t participants = 0;
  size_t streams = 0;
  for (const auto& [id, entry] : sessions_) {
    peers.add(entry.session->peer().counters());
    sessions.requests += entry.session->counters().requests;
    sessions.requests_refused += entry.session->counters().requests_refused;
    sessions.messages_malformed += entry.session->counters().messages_malformed;
    connected += entry.session->peer().is_connected();
  }
  for (const auto& [name, room] : rooms_) {
    participants += room.room->participant_count();
    streams += room.room->stream_count();
  }

  contract::Stats out;
  const auto gauge = [&](const char* name, const char* help, double value) {
    out.values.push_back({name, help, false, "", value});
  };
  const auto counter = [&](const char* name, const char* help, uint64_t value, std::string labels = "") {
    out.values.push_back({name, help, true, std::move(labels), static_cast<double>(value)});
  };
  gauge("atm0s_sessions", "Sessions that are open", static_cast<double>(sessions_.size()));
  gauge("atm0s_sessions_connected", "Sessions whose ICE and DTLS are up", static_cast<double>(connected));
  gauge("atm0s_rooms", "Rooms with at least one session", static_cast<double>(rooms_.size()));
  gauge("atm0s_participants", "Participants that are present in a room", static_cast<double>(participants));
  gauge("atm0s_streams", "Streams that are published", static_cast<double>(streams));
  gauge("atm0s_packet_buffers_in_use", "Media packets held for retransmission",
        static_cast<double>(pool_.buffers_in_use()));

  counter("atm0s_sessions_opened_total", "Sessions that were opened", counters_.sessions_opened);
  counter("atm0s_sessions_closed_total", "Sessions that have ended", counters_.sessions_closed);
  counter("atm0s_connects_refused_total", "Connect calls refused by a worker", counters_.connects_refused);
  counter("atm0s_requests_total", "Requests over data channels", sessions.requests);
  counter("atm0s_requests_refused_total", "Requests answered with success: false", sessions.requests_refused);
  counter("atm0s_messages_malformed_total", "Data channel messages that were no request", sessions.messages_malformed);
  counter("atm0s_datagrams_received_total", "Datagrams given to the worker", counters_.datagrams_received);
  counter("atm0s_relay_messages_received_total", "Messages of other workers", counters_.relay_messages_received);
  counter("atm0s_rtp_packets_received_total", "RTP packets accepted from publishers", peers.rtp_received);
  counter("atm0s_rtp_bytes_received_total", "Bytes of those", peers.rtp_bytes_received);
  counter("atm0s_rtp_packets_sent_total", "RTP packets forwarded to viewers", peers.rtp_sent);
  counter("atm0s_rtp_bytes_sent_total", "Bytes of those", peers.rtp_bytes_sent);
  counter("atm0s_rtx_packets_received_total", "Retransmissions from publishers", peers.rtx_received);
  counter("atm0s_rtx_packets_sent_total", "Retransmissions to viewers", peers.rtx_sent);
  counter("atm0s_nacks_sent_total", "Packets asked for again from publishers", peers.nacks_sent);
  counter("atm0s_nacks_received_total", "Packets asked for again by viewers", peers.nacks_received);
  counter("atm0s_key_frame_requests_sent_total", "Key frames asked for from publishers", peers.key_frame_requests_sent);
  counter("atm0s_key_frame_requests_received_total", "Key frames asked for by viewers",
          peers.key_frame_requests_received);

  const auto drop = [&](const char* reason, uint64_t value) {
    counter("atm0s_dropped_total", "Datagrams and packets dropped, by reason", value,
            std::string("reason=\"") + reason + '"');
  };
  drop("slow_lane_full", counters_.drop_slow_lane_full);
  drop("unknown_address", counters_.drop_unknown_address);
  drop("unknown_ufrag", counters_.drop_unknown_ufrag);
  drop("not_validated", peers.drop_not_validated);
  drop("not_ready", peers.drop_not_ready);
  drop("bad_srtp", peers.drop_bad_srtp);
  drop("unknown_ssrc", peers.drop_unknown_ssrc);
  drop("duplicate", peers.drop_duplicate);
  drop("malformed", peers.drop_malformed);
  drop("unknown_class", peers.drop_unknown_class);
  drop("too_large", peers.drop_too_large);
  drop("channel_full", peers.rpc_send_failed);
  return out;
}

}  // namespace atm0s::node
