// The values of the C API: errors, configuration, events, remote streams and frames.
#include <algorithm>
#include <chrono>

#include "c_api.h"

namespace atm0s::c {

namespace {

int64_t microseconds_of(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

// An enumeration of C is any int: it is looked at before it becomes one of C++, which has the same values.
template <typename To, typename From>
bool convert(From from, To last, To& to) {
  if (static_cast<int64_t>(from) < 0 || static_cast<int64_t>(from) > static_cast<int64_t>(last)) return false;
  to = static_cast<To>(from);
  return true;
}

bool convert_codecs(const atm0s_codec* codecs, size_t count, std::vector<Codec>& out) {
  if (codecs == nullptr) return count == 0;
  for (size_t i = 0; i < count; ++i) {
    Codec codec{};
    if (!convert(codecs[i], Codec::kAv1, codec)) return false;
    out.push_back(codec);
  }
  return true;
}

}  // namespace

// --- errors -----------------------------------------------------------------------------------------------------

atm0s_code to_c(ErrorCode code) {
  return static_cast<atm0s_code>(static_cast<int>(code) + 1);
}

atm0s_code fail(atm0s_error* out, ErrorCode code, const std::string& message) {
  if (out != nullptr) {
    out->code = to_c(code);
    const size_t size = std::min(message.size(), sizeof(out->message) - 1);
    std::memcpy(out->message, message.data(), size);
    out->message[size] = 0;
  }
  return to_c(code);
}

atm0s_code fail(atm0s_error* out, const Error& error) {
  return fail(out, error.code, error.message);
}

atm0s_code answer(atm0s_error* out, const Result<void>& result) {
  return result ? ATM0S_OK : fail(out, result.error());
}

atm0s_code answer(atm0s_error* out, const Operation& operation, uint32_t timeout_ms) {
  // What is known already is told also to whom does not wait.
  if (timeout_ms == 0 && !operation.is_done()) return ATM0S_OK;
  return answer(out, operation.wait(std::chrono::milliseconds(timeout_ms)));
}

// --- configuration ----------------------------------------------------------------------------------------------

Result<SenderConfig> to_cpp(const atm0s_sender_config& config) {
  SenderConfig out;
  out.name = text_of(config.name);
  if (config.source != nullptr) out.source = config.source->any();
  out.simulcast = config.simulcast;
  out.max_bitrate = config.max_bitrate;
  out.screen = config.screen;
  out.label = text_of(config.label);
  if (!convert(config.kind, MediaKind::kVideo, out.kind) ||
      !convert(config.content_hint, ContentHint::kDetail, out.content_hint) ||
      !convert_codecs(config.preferred_codecs, config.preferred_codec_count, out.preferred_codecs)) {
    return Error{ErrorCode::kInvalidRequest, "a value of sender \"" + out.name + "\" is none of its enumeration"};
  }
  return out;
}

Result<SessionConfig> to_cpp(const atm0s_session_config& config) {
  SessionConfig out;
  out.room_id = text_of(config.room_id);
  out.peer_id = text_of(config.peer_id);
  out.token = text_of(config.token);
  // The elements have the size of the header that the application was compiled with.
  const auto* at = reinterpret_cast<const unsigned char*>(config.senders);
  for (size_t i = 0; at != nullptr && i < config.sender_count; ++i) {
    const auto* given = reinterpret_cast<const atm0s_sender_config*>(at);
    auto sender = to_cpp(known_part(given, atm0s_sender_config ATM0S_SENDER_CONFIG_INIT));
    if (!sender) return sender.error();
    out.senders.push_back(std::move(*sender));
    if (given->struct_size == 0) return Error{ErrorCode::kInvalidRequest, "a sender without its _INIT"};
    at += given->struct_size;
  }
  out.receivers = {config.audio_receivers, config.video_receivers};
  for (size_t i = 0; config.ice_servers != nullptr && i < config.ice_server_count; ++i) {
    const atm0s_ice_server& server = config.ice_servers[i];
    out.ice_servers.push_back({{text_of(server.url)}, text_of(server.username), text_of(server.credential)});
  }
  if (!convert(config.mix_minus_audio, MixMinusMode::kManualAudioStreams, out.mix_minus_audio) ||
      !convert(config.latency_mode, LatencyMode::kSmooth2000, out.latency_mode) ||
      !convert(config.bitrate_control_mode, BitrateControlMode::kPerStream, out.bitrate_control_mode) ||
      !convert_codecs(config.codecs, config.codec_count, out.codecs)) {
    return Error{ErrorCode::kInvalidRequest, "a value of the configuration is none of its enumeration"};
  }
  return out;
}

Result<RuntimeOptions> to_cpp(const atm0s_runtime_options& options) {
  RuntimeOptions out;
  out.tls_ca_file = text_of(options.tls_ca_file);
  out.tls_verify = !options.skip_tls_verify;
  if (options.log != nullptr) {
    out.log = [log = options.log, user = options.log_user](LogLevel level, std::string_view text) {
      const std::string ended(text);
      log(static_cast<atm0s_log_level>(level), ended.c_str(), ended.size(), user);
    };
  }
  for (size_t i = 0; options.interfaces != nullptr && i < options.interface_count; ++i) {
    out.interfaces.push_back(text_of(options.interfaces[i]));
  }
  out.relay_only = options.relay_only;
  out.reconnects = !options.no_reconnects;
  if (options.give_up_after_ms != 0) out.give_up_after = std::chrono::milliseconds(options.give_up_after_ms);
  out.metadata = text_of(options.metadata);
  if (!convert(options.subscribe_scope, SubscribeScope::kManual, out.subscribe_scope) ||
      !convert(options.publish_scope, PublishScope::kStreamOnly, out.publish_scope)) {
    return Error{ErrorCode::kInvalidRequest, "a scope is none of its enumeration"};
  }
  return out;
}

ReceiverLimit to_cpp(const atm0s_receiver_limit& limit) {
  return {limit.priority, limit.max_spatial, limit.max_temporal, limit.min_spatial, limit.min_temporal};
}

// --- events -----------------------------------------------------------------------------------------------------

// What each event has; the strings are those of the event that is kept.
struct OwnedEvent::Filler {
  OwnedEvent& out;

  void fail_with(const Error& error) const {
    out.code = to_c(error.code);
    out.message = error.message.c_str();
  }
  static void list(const MixMinusChanged::Heard* heard, std::vector<atm0s_heard>& to) {
    to.push_back(heard == nullptr ? atm0s_heard{nullptr, -127} : atm0s_heard{heard->source.c_str(), heard->level});
  }

  void operator()(const StateChanged& event) const {
    out.type = ATM0S_EVENT_STATE;
    out.state = static_cast<int>(event.state);
    if (event.why) fail_with(*event.why);
  }
  void operator()(const StreamChanged& event) const {
    out.type = ATM0S_EVENT_STREAM;
    out.presence = static_cast<atm0s_presence>(event.change);
    out.is_own = event.is_own;
    out.is_active = event.stream.active;
    out.kind = static_cast<atm0s_kind>(event.stream.kind);
    out.peer = event.stream.key.peer.c_str();
    out.name = event.stream.key.name.c_str();
    out.text = event.stream.label.c_str();
  }
  void operator()(const PeerChanged& event) const {
    out.type = ATM0S_EVENT_PEER;
    out.presence = static_cast<atm0s_presence>(event.change);
    out.peer = event.peer.c_str();
    out.text = event.metadata.c_str();
  }
  void operator()(const RoomStats& event) const {
    out.type = ATM0S_EVENT_ROOM;
    out.count = event.peers;
  }
  void operator()(const SenderStateChanged& event) const {
    out.type = ATM0S_EVENT_SENDER_STATE;
    out.name = event.name.c_str();
    out.state = static_cast<int>(event.state);
  }
  void operator()(const ReceiverStateChanged& event) const {
    out.type = ATM0S_EVENT_RECEIVER_STATE;
    out.name = event.id.c_str();
    out.state = static_cast<int>(event.state);
    out.text = event.reason.c_str();
  }
  void operator()(const SenderLevel& event) const {
    out.type = ATM0S_EVENT_SENDER_LEVEL;
    out.name = event.name.c_str();
    out.level = event.level;
  }
  void operator()(const ReceiverLevel& event) const {
    out.type = ATM0S_EVENT_RECEIVER_LEVEL;
    out.name = event.id.c_str();
    out.level = event.level;
  }
  void operator()(const ReceiverQuality& event) const {
    out.type = ATM0S_EVENT_RECEIVER_QUALITY;
    out.name = event.id.c_str();
    out.mos = event.mos;
    out.peer = event.stream.peer.c_str();
    out.text = event.stream.name.c_str();
  }
  void operator()(const MixMinusChanged& event) const {
    out.type = ATM0S_EVENT_MIX_MINUS;
    for (const auto& slot : event.active) list(slot ? &*slot : nullptr, out.heard_);
    for (const auto& source : event.sources) list(&source, out.sources_);
    out.heard = out.heard_.data();
    out.count = out.heard_.size();
    out.sources = out.sources_.data();
    out.source_count = out.sources_.size();
  }
  void operator()(const SessionClosing& event) const {
    out.type = ATM0S_EVENT_CLOSING;
    out.text = event.reason.c_str();
  }
  void operator()(const Failure& event) const {
    out.type = ATM0S_EVENT_FAILURE;
    fail_with(event.error);
  }
};

OwnedEvent::OwnedEvent(const Event& happened) : atm0s_event{}, kept_(happened) {
  message = peer = name = text = "";
  std::visit(Filler{*this}, kept_);
}

// --- remote streams ---------------------------------------------------------------------------------------------

OwnedStream::OwnedStream(const RemoteStream& stream) : atm0s_stream{}, kept_(stream.info()) {
  peer = kept_.key.peer.c_str();
  name = kept_.key.name.c_str();
  label = kept_.label.c_str();
  kind = static_cast<atm0s_kind>(kept_.kind);
  scaling = static_cast<atm0s_scaling>(kept_.scaling);
  status = static_cast<atm0s_stream_status>(kept_.status);
  is_active = kept_.active;
}

// --- frames -----------------------------------------------------------------------------------------------------

OwnedFrame::OwnedFrame(VideoFrame frame) : atm0s_frame{}, bytes_(std::move(frame.bytes)) {
  kind = ATM0S_VIDEO;
  codec = static_cast<atm0s_codec>(frame.codec);
  is_key = frame.is_key;
  rtp_timestamp = frame.rtp_timestamp;
  due_at_us = microseconds_of(frame.render_at);
  number = frame.number;
  bytes = bytes_.data();
  size = bytes_.size();
}

OwnedFrame::OwnedFrame(AudioFrame frame) : atm0s_frame{}, bytes_(std::move(frame.bytes)) {
  action = static_cast<atm0s_audio_action>(frame.action);
  rtp_timestamp = frame.rtp_timestamp;
  due_at_us = microseconds_of(frame.play_at);
  length_us = frame.length.count();
  bytes = bytes_.data();
  size = bytes_.size();
}

OwnedFrame::OwnedFrame(PcmFrame frame) : atm0s_frame{}, samples_(std::move(frame.samples)) {
  due_at_us = microseconds_of(frame.play_at);
  samples = samples_.data();
  sample_count = samples_.size();
}

}  // namespace atm0s::c
