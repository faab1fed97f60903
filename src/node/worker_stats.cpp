// Worker: its counters and gauges, by the names of GET /metrics (docs/metrics.md).
#include <algorithm>
#include <string>
#include <string_view>

#include "node/worker.h"

namespace atm::node {

contract::Stats Worker::stats() const {
  peer::Totals totals = gone_peers_;
  session::Counters sessions = gone_sessions_;
  size_t connected = 0;
  size_t participants = 0;
  size_t streams = 0;
  for (const auto& [id, entry] : sessions_) {
    totals.add(entry.session->peer().totals());
    sessions.requests += entry.session->counters().requests;
    sessions.requests_refused += entry.session->counters().requests_refused;
    sessions.messages_malformed += entry.session->counters().messages_malformed;
    sessions.requests_rate_limited += entry.session->counters().requests_rate_limited;
    sessions.messages_unread += entry.session->counters().messages_unread;
    connected += entry.session->peer().is_connected();
  }
  for (const auto& [name, room] : rooms_) {
    participants += room.room->participant_count();
    streams += room.room->stream_count();
  }

  const peer::Counters& peers = totals.peer;

  contract::Stats out;
  const auto gauge = [&](const char* name, const char* help, double value, std::string labels = "") {
    out.values.push_back({name, help, false, std::move(labels), value});
  };
  const auto counter = [&](const char* name, const char* help, uint64_t value, std::string labels = "") {
    out.values.push_back({name, help, true, std::move(labels), static_cast<double>(value)});
  };
  gauge("atm0s_sessions", "Sessions that are open", static_cast<double>(sessions_.size()));
  gauge("atm0s_sessions_connected", "Sessions whose ICE and DTLS are up", static_cast<double>(connected));
  constexpr std::pair<contract::Protocol, const char*> kProtocols[] = {{contract::Protocol::kWebrtc, "webrtc"},
                                                                       {contract::Protocol::kWhip, "whip"},
                                                                       {contract::Protocol::kWhep, "whep"}};
  for (const auto& [protocol, name] : kProtocols) {
    const auto is_its = [&](const auto& entry) { return entry.second.session->protocol() == protocol; };
    const auto count = std::count_if(sessions_.begin(), sessions_.end(), is_its);
    gauge("atm0s_protocol_sessions", "Sessions that are open, by protocol", static_cast<double>(count),
          std::string("protocol=\"") + name + '"');
  }
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
  counter("atm0s_requests_rate_limited_total", "Requests refused because their session made too many",
          sessions.requests_rate_limited);
  counter("atm0s_messages_unread_total", "Data channel messages dropped because their session sent too many",
          sessions.messages_unread);
  counter("atm0s_messages_malformed_total", "Data channel messages that were no request", sessions.messages_malformed);
  counter("atm0s_datagrams_received_total", "Datagrams given to the worker", counters_.datagrams_received);
  counter("atm0s_relay_messages_received_total", "Messages of other workers", counters_.relay_messages_received);
  counter("atm0s_rtp_packets_received_total", "RTP packets accepted from publishers", peers.rtp_received);
  counter("atm0s_rtp_bytes_received_total", "Bytes of those", peers.rtp_bytes_received);
  counter("atm0s_rtp_packets_sent_total", "RTP packets forwarded to viewers", peers.rtp_sent);
  counter("atm0s_rtp_bytes_sent_total", "Bytes of those", peers.rtp_bytes_sent);
  counter("atm0s_rtx_packets_received_total", "Retransmissions from publishers", peers.rtx_received);
  counter("atm0s_rtx_packets_sent_total", "Retransmissions to viewers", peers.rtx_sent);
  counter("atm0s_rtp_packets_sent_again_total", "Retransmissions to viewers without RTX, byte for byte",
          peers.again_sent);
  counter("atm0s_nacks_sent_total", "Packets asked for again from publishers", peers.nacks_sent);
  counter("atm0s_nacks_received_total", "Packets asked for again by viewers", peers.nacks_received);
  counter("atm0s_key_frame_requests_sent_total", "Key frames asked for from publishers", peers.key_frame_requests_sent);
  counter("atm0s_key_frame_requests_received_total", "Key frames asked for by viewers",
          peers.key_frame_requests_received);
  counter("atm0s_byes_received_total", "SSRCs that publishers ended", peers.byes_received);
  counter("atm0s_streams_evicted_total", "Silent SSRCs that gave their place to a new one", peers.streams_evicted);
  counter("atm0s_extensions_dropped_total", "Packets sent without header extensions, to stay small enough",
          peers.extensions_dropped);

  counter("atm0s_transport_feedback_sent_total", "Transport-wide feedback told to publishers", peers.feedback_sent);
  counter("atm0s_transport_feedback_received_total", "Transport-wide feedback of viewers", peers.feedback_received);
  counter("atm0s_rembs_sent_total", "Maximums of their video told to publishers by REMB", peers.rembs_sent);
  counter("atm0s_probes_sent_total", "Packets of padding, to find out what a way carries", peers.probes_sent);

  // One metric for each transport, an event for each of its counters.
  const auto events = [&](const auto& names, const auto& counters, const char* metric, const char* help) {
    for (const auto& [member, name] : names) {
      counter(metric, help, counters.*member, std::string("event=\"") + name + '"');
    }
  };
  events(ice::kCounterNames, totals.ice, "atm0s_ice_total", "ICE, by event");
  events(dtls::kCounterNames, totals.dtls, "atm0s_dtls_total", "DTLS, by event");
  events(srtp::kCounterNames, totals.srtp, "atm0s_srtp_refused_total", "SRTP and SRTCP refused, by event");
  events(sctp::kCounterNames, totals.sctp, "atm0s_sctp_total", "SCTP and data channels, by event");

  const auto drop = [&](const std::string& reason, uint64_t value) {
    counter("atm0s_dropped_total", "Datagrams and packets dropped, by reason", value,
            std::string("reason=\"") + reason + '"');
  };
  drop("slow_lane_full", counters_.drop_slow_lane_full);
  drop("unknown_address", counters_.drop_unknown_address);
  drop("unknown_ufrag", counters_.drop_unknown_ufrag);
  for (const auto& [member, name] : peer::kCounterNames) {
    const std::string_view text = name;
    if (text.starts_with("drop_")) drop(std::string(text.substr(5)), peers.*member);
  }
  drop("channel_full", peers.rpc_send_failed);
  return out;
}

}  // namespace atm::node
