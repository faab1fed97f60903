// Session::stats(): the engine's counters in the names of webrtc-stats.
#include <fmt/format.h>

#include <concepts>
#include <iterator>
#include <span>
#include <variant>

#include "convert.h"
#include "session_impl.h"

namespace atm0s {

namespace {

double seconds(atm::Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

std::string_view to_text(atm::ice::CandidateType type) {
  constexpr std::string_view kNames[] = {"host", "srflx", "prflx", "relay"};
  return kNames[static_cast<size_t>(type)];
}

std::string_view to_text(atm::turn::Protocol protocol) {
  constexpr std::string_view kNames[] = {"udp", "tcp", "tls"};
  return kNames[static_cast<size_t>(protocol)];
}

TransportStats transport_of(const atm::client::Session& engine) {
  TransportStats out;
  const atm::peer::Peer* peer = engine.peer();
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
    if (const auto type = peer->selected_type()) out.local_candidate_type = to_text(*type);
    if (const auto relay = engine.relay_protocol()) out.relay_protocol = to_text(*relay);
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
  for (uint8_t layer = 0; line != nullptr && layer < line->send_layers(); ++layer) {
    const auto* stream = line->send_stream(layer);
    if (stream == nullptr) continue;
    const auto& counters = stream->counters();
    out.packets_sent += counters.packets;
    out.bytes_sent += counters.payload_bytes;
    out.nack_count += counters.nacks;
    out.pli_count += counters.plis;
    out.fir_count += counters.firs;
    out.retransmitted_packets_sent += counters.rtx_packets + counters.again_packets;
  }
  return out;
}

// As both kinds have it.
void add_buffer(const auto& stats, InboundStats& out) {
  out.jitter_buffer_delay = seconds(stats.jitter_buffer_delay);
  out.jitter_buffer_target_delay = seconds(stats.jitter_buffer_target_delay);
  out.jitter_buffer_minimum_delay = seconds(stats.jitter_buffer_minimum_delay);
  out.jitter_buffer_emitted_count = stats.jitter_buffer_emitted_count;
}

void add_video(const atm::playout::VideoPlayoutStats& stats, InboundStats& out) {
  add_buffer(stats, out);
  out.frames_received = stats.jitter_buffer_emitted_count + stats.frames_dropped;
  out.key_frames_received = stats.key_frames;
  out.frames_dropped = stats.frames_dropped;
  out.freeze_count = stats.render.freeze_count;
  out.total_freezes_duration = seconds(stats.render.total_freezes_duration);
}

void add_audio(const atm::playout::AudioPlayoutStats& stats, InboundStats& out) {
  add_buffer(stats, out);
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
    out.nack_count += stream->counters().nacks;
    out.pli_count += stream->counters().plis;
    const double clock = out.kind == MediaKind::kAudio ? 48'000 : 90'000;
    out.jitter = std::max(out.jitter, stream->reception().jitter() / clock);
  }
  return out;
}

// --- as JSON ----------------------------------------------------------------------------------------------------

// A member and its name in webrtc-stats.
template <typename Stats>
struct Member {
  std::string_view name;
  std::variant<std::string Stats::*, MediaKind Stats::*, double Stats::*, uint64_t Stats::*, int64_t Stats::*> at;
};

constexpr Member<TransportStats> kTransport[] = {
    {"localCandidateType", &TransportStats::local_candidate_type},
    {"protocol", &TransportStats::protocol},
    {"relayProtocol", &TransportStats::relay_protocol},
    {"remoteAddress", &TransportStats::remote_address},
    {"dtlsState", &TransportStats::dtls_state},
    {"currentRoundTripTime", &TransportStats::current_round_trip_time},
    {"availableOutgoingBitrate", &TransportStats::available_outgoing_bitrate},
    {"bytesSent", &TransportStats::bytes_sent},
    {"bytesReceived", &TransportStats::bytes_received},
    {"packetsSent", &TransportStats::packets_sent},
    {"packetsReceived", &TransportStats::packets_received},
};
constexpr Member<OutboundStats> kOutbound[] = {
    {"name", &OutboundStats::name},
    {"kind", &OutboundStats::kind},
    {"codec", &OutboundStats::codec},
    {"packetsSent", &OutboundStats::packets_sent},
    {"bytesSent", &OutboundStats::bytes_sent},
    {"framesSent", &OutboundStats::frames_sent},
    {"keyFramesEncoded", &OutboundStats::key_frames_encoded},
    {"nackCount", &OutboundStats::nack_count},
    {"pliCount", &OutboundStats::pli_count},
    {"firCount", &OutboundStats::fir_count},
    {"retransmittedPacketsSent", &OutboundStats::retransmitted_packets_sent},
    {"targetBitrate", &OutboundStats::target_bitrate},
};
constexpr Member<InboundStats> kInbound[] = {
    {"id", &InboundStats::id},
    {"kind", &InboundStats::kind},
    {"codec", &InboundStats::codec},
    {"packetsReceived", &InboundStats::packets_received},
    {"bytesReceived", &InboundStats::bytes_received},
    {"packetsLost", &InboundStats::packets_lost},
    {"jitter", &InboundStats::jitter},
    {"nackCount", &InboundStats::nack_count},
    {"pliCount", &InboundStats::pli_count},
    {"jitterBufferDelay", &InboundStats::jitter_buffer_delay},
    {"jitterBufferTargetDelay", &InboundStats::jitter_buffer_target_delay},
    {"jitterBufferMinimumDelay", &InboundStats::jitter_buffer_minimum_delay},
    {"jitterBufferEmittedCount", &InboundStats::jitter_buffer_emitted_count},
};
constexpr Member<InboundStats> kInboundVideo[] = {
    {"framesReceived", &InboundStats::frames_received},
    {"keyFramesReceived", &InboundStats::key_frames_received},
    {"framesDropped", &InboundStats::frames_dropped},
    {"freezeCount", &InboundStats::freeze_count},
    {"totalFreezesDuration", &InboundStats::total_freezes_duration},
    {"framesUnread", &InboundStats::frames_unread},
};
constexpr Member<InboundStats> kInboundAudio[] = {
    {"totalSamplesReceived", &InboundStats::total_samples_received},
    {"concealedSamples", &InboundStats::concealed_samples},
    {"silentConcealedSamples", &InboundStats::silent_concealed_samples},
    {"concealmentEvents", &InboundStats::concealment_events},
    {"insertedSamplesForDeceleration", &InboundStats::inserted_samples_for_deceleration},
    {"removedSamplesForAcceleration", &InboundStats::removed_samples_for_acceleration},
};

std::string value_of(const std::string& value) {
  return "\"" + value + "\"";
}
std::string value_of(MediaKind kind) {
  return value_of(std::string(to_text(kind)));
}
std::string value_of(double value) {
  return fmt::format("{:.6g}", value);
}
std::string value_of(std::integral auto value) {
  return std::to_string(value);
}

// The members of an object, with commas between.
template <typename Stats>
std::string members_of(const Stats& stats, std::span<const Member<Stats>> members) {
  std::string out;
  for (const auto& [name, at] : members) {
    const std::string value = std::visit([&](const auto member) { return value_of(stats.*member); }, at);
    fmt::format_to(std::back_inserter(out), "{}\"{}\":{}", out.empty() ? "" : ",", name, value);
  }
  return out;
}

std::string to_json(const TransportStats& stats) {
  return "{" + members_of<TransportStats>(stats, kTransport) + "}";
}

std::string to_json(const OutboundStats& stats) {
  return "{" + members_of<OutboundStats>(stats, kOutbound) + "}";
}

std::string to_json(const InboundStats& stats) {
  std::span<const Member<InboundStats>> of_kind = kInboundAudio;
  if (stats.kind == MediaKind::kVideo) of_kind = kInboundVideo;
  return "{" + members_of<InboundStats>(stats, kInbound) + "," + members_of(stats, of_kind) + "}";
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
  out.transport = transport_of(engine);
  for (size_t i = 0; i < engine.sender_count(); ++i) out.outbound.push_back(outbound_of(engine, i));
  const std::lock_guard lock(session.mutex);
  for (size_t i = 0; i < engine.receiver_count(); ++i) {
    out.inbound.push_back(inbound_of(engine, i));
    out.inbound.back().frames_unread = session.receivers[i]->unread;
  }
  return out;
}

std::string to_json(const SessionStats& stats) {
  return fmt::format(R"({{"transport":{},"outbound":{},"inbound":{}}})", to_json(stats.transport),
                     to_json(stats.outbound), to_json(stats.inbound));
}

}  // namespace atm0s
