// Session::stats(): the engine's counters in the names of webrtc-stats.
#include <fmt/format.h>

#include <iterator>

#include "convert.h"
#include "session_impl.h"

namespace atm0s {

namespace {

double seconds(atm::Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

TransportStats transport_of(const atm::peer::Peer* peer) {
  TransportStats out;
  if (peer == nullptr) {
    out.dtls_state = "new";
    return out;
  }
  out.dtls_state = peer->is_connected() ? "connected" : "connecting";
  const auto& counters = peer->counters();
  out.packets_sent = counters.rtp_sent + counters.rtx_sent;
  out.packets_received = counters.rtp_received + counters.rtx_received;
  out.bytes_sent = counters.rtp_bytes_sent;
  out.bytes_received = counters.rtp_bytes_received;
  if (const auto path = peer->selected_path()) {
    out.remote_address = path->remote.to_string();
    out.protocol = path->transport == atm::Transport::kTcp ? "tcp" : "udp";
    out.local_candidate_type = "host";
  }
  const auto& trips = peer->round_trips();
  if (const auto rtt = trips.as_sender ? trips.as_sender : trips.as_receiver)
    out.current_round_trip_time = seconds(*rtt);
  if (const auto bps = peer->estimate_bps()) out.available_outgoing_bitrate = static_cast<double>(*bps);
  return out;
}

OutboundStats outbound_of(const atm::client::Session& engine, size_t index) {
  OutboundStats out;
  const auto& publisher = engine.publisher(index);
  out.name = publisher.config().name;
  out.kind = to_public(publisher.config().kind);
  out.frames_sent = publisher.frames();
  out.key_frames_encoded = publisher.key_frames();
  for (const uint64_t bps : engine.target_of(index)) out.target_bitrate += static_cast<double>(bps);
  if (const auto codec = publisher.codec()) out.codec = atm::to_text(*codec);
  const atm::peer::MediaLine* line = engine.line_of_sender(index);
  const auto* stream = line != nullptr ? line->send_stream() : nullptr;
  if (stream == nullptr) return out;
  out.packets_sent = stream->counters().packets;
  out.bytes_sent = stream->counters().payload_bytes;
  out.nack_count = stream->counters().nacked;
  out.retransmitted_packets_sent = stream->counters().rtx_packets + stream->counters().again_packets;
  return out;
}

void add_video(const atm::playout::VideoPlayoutStats& stats, InboundStats& out) {
  out.jitter_buffer_delay = seconds(stats.jitter_buffer_delay);
  out.jitter_buffer_target_delay = seconds(stats.jitter_buffer_target_delay);
  out.jitter_buffer_minimum_delay = seconds(stats.jitter_buffer_minimum_delay);
  out.jitter_buffer_emitted_count = stats.jitter_buffer_emitted_count;
  out.frames_received = stats.jitter_buffer_emitted_count + stats.frames_dropped;
  out.key_frames_received = stats.key_frames;
  out.frames_dropped = stats.frames_dropped;
  out.freeze_count = stats.render.freeze_count;
  out.total_freezes_duration = seconds(stats.render.total_freezes_duration);
}

void add_audio(const atm::playout::AudioPlayoutStats& stats, InboundStats& out) {
  out.jitter_buffer_delay = seconds(stats.jitter_buffer_delay);
  out.jitter_buffer_target_delay = seconds(stats.jitter_buffer_target_delay);
  out.jitter_buffer_minimum_delay = seconds(stats.jitter_buffer_minimum_delay);
  out.jitter_buffer_emitted_count = stats.jitter_buffer_emitted_count;
  out.total_samples_received = stats.total_samples_received;
  out.concealed_samples = stats.concealed_samples;
  out.silent_concealed_samples = stats.silent_concealed_samples;
  out.concealment_events = stats.concealment_events;
  out.inserted_samples_for_deceleration = stats.inserted_samples_for_deceleration;
  out.removed_samples_for_acceleration = stats.removed_samples_for_acceleration;
}

InboundStats inbound_of(const atm::client::Session& engine, size_t index) {
  InboundStats out;
  const auto& viewer = engine.viewer(index);
  out.id = engine.receiver_id(index);
  out.kind = to_public(viewer.kind());
  if (viewer.packets() > 0) out.codec = atm::to_text(viewer.codec());
  out.packets_received = viewer.packets();
  out.bytes_received = viewer.bytes();
  if (const auto video = viewer.video_stats()) add_video(*video, out);
  if (const auto audio = viewer.audio_stats()) add_audio(*audio, out);
  const atm::peer::MediaLine* line = engine.line_of_receiver(index);
  if (line == nullptr) return out;
  for (const auto& stream : line->receive_streams()) {
    out.packets_lost += stream->reception().cumulative_lost();
    out.nack_count += stream->counters().nacks_requested;
    const double clock = out.kind == MediaKind::kAudio ? 48'000 : 90'000;
    out.jitter = std::max(out.jitter, stream->reception().jitter() / clock);
  }
  return out;
}

// One JSON object, member by member.
class Writer {
 public:
  void member(std::string_view name, const std::string& value) { put(name, "\"" + value + "\""); }
  void member(std::string_view name, std::string_view value) { member(name, std::string(value)); }
  void member(std::string_view name, double value) { put(name, fmt::format("{:.6g}", value)); }
  void member(std::string_view name, uint64_t value) { put(name, std::to_string(value)); }
  void member(std::string_view name, int64_t value) { put(name, std::to_string(value)); }
  void raw(std::string_view name, const std::string& json) { put(name, json); }
  std::string take() { return "{" + out_ + "}"; }

 private:
  void put(std::string_view name, const std::string& json) {
    fmt::format_to(std::back_inserter(out_), "{}\"{}\":{}", out_.empty() ? "" : ",", name, json);
  }
  std::string out_;
};

std::string to_json(const TransportStats& stats) {
  Writer out;
  out.member("localCandidateType", stats.local_candidate_type);
  out.member("protocol", stats.protocol);
  out.member("remoteAddress", stats.remote_address);
  out.member("dtlsState", stats.dtls_state);
  out.member("currentRoundTripTime", stats.current_round_trip_time);
  out.member("availableOutgoingBitrate", stats.available_outgoing_bitrate);
  out.member("bytesSent", stats.bytes_sent);
  out.member("bytesReceived", stats.bytes_received);
  out.member("packetsSent", stats.packets_sent);
  out.member("packetsReceived", stats.packets_received);
  return out.take();
}

std::string to_json(const OutboundStats& stats) {
  Writer out;
  out.member("name", stats.name);
  out.member("kind", to_text(stats.kind));
  out.member("codec", stats.codec);
  out.member("packetsSent", stats.packets_sent);
  out.member("bytesSent", stats.bytes_sent);
  out.member("framesSent", stats.frames_sent);
  out.member("keyFramesEncoded", stats.key_frames_encoded);
  out.member("nackCount", stats.nack_count);
  out.member("pliCount", stats.pli_count);
  out.member("retransmittedPacketsSent", stats.retransmitted_packets_sent);
  out.member("targetBitrate", stats.target_bitrate);
  return out.take();
}

std::string to_json(const InboundStats& stats) {
  Writer out;
  out.member("id", stats.id);
  out.member("kind", to_text(stats.kind));
  out.member("codec", stats.codec);
  out.member("packetsReceived", stats.packets_received);
  out.member("bytesReceived", stats.bytes_received);
  out.member("packetsLost", stats.packets_lost);
  out.member("jitter", stats.jitter);
  out.member("nackCount", stats.nack_count);
  out.member("pliCount", stats.pli_count);
  out.member("jitterBufferDelay", stats.jitter_buffer_delay);
  out.member("jitterBufferTargetDelay", stats.jitter_buffer_target_delay);
  out.member("jitterBufferMinimumDelay", stats.jitter_buffer_minimum_delay);
  out.member("jitterBufferEmittedCount", stats.jitter_buffer_emitted_count);
  if (stats.kind == MediaKind::kVideo) {
    out.member("framesReceived", stats.frames_received);
    out.member("keyFramesReceived", stats.key_frames_received);
    out.member("framesDropped", stats.frames_dropped);
    out.member("freezeCount", stats.freeze_count);
    out.member("totalFreezesDuration", stats.total_freezes_duration);
    out.member("framesUnread", stats.frames_unread);
  } else {
    out.member("totalSamplesReceived", stats.total_samples_received);
    out.member("concealedSamples", stats.concealed_samples);
    out.member("silentConcealedSamples", stats.silent_concealed_samples);
    out.member("concealmentEvents", stats.concealment_events);
    out.member("insertedSamplesForDeceleration", stats.inserted_samples_for_deceleration);
    out.member("removedSamplesForAcceleration", stats.removed_samples_for_acceleration);
  }
  return out.take();
}

template <typename Stats>
std::string to_json(const std::vector<Stats>& all) {
  std::string out = "[";
  for (const Stats& one : all) {
    if (out.size() > 1) out += ',';
    out += to_json(one);
  }
  return out + "]";
}

}  // namespace

SessionStats collect_stats(const atm::client::Session& engine, Session::Impl& session) {
  SessionStats out;
  out.transport = transport_of(engine.peer());
  for (size_t i = 0; i < engine.sender_count(); ++i) out.outbound.push_back(outbound_of(engine, i));
  const std::lock_guard lock(session.mutex);
  for (size_t i = 0; i < engine.receiver_count(); ++i) {
    out.inbound.push_back(inbound_of(engine, i));
    out.inbound.back().frames_unread = session.receivers[i]->unread;
  }
  return out;
}

std::string to_json(const SessionStats& stats) {
  Writer out;
  out.raw("transport", to_json(stats.transport));
  out.raw("outbound", to_json(stats.outbound));
  out.raw("inbound", to_json(stats.inbound));
  return out.take();
}

}  // namespace atm0s
