#include "convert.h"

#include <set>
#include <string>

#include "contract/json/limits.h"

namespace atm0s {

namespace contract = atm::contract;

std::string_view to_text(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidToken:
      return "INVALID_TOKEN";
    case ErrorCode::kForbidden:
      return "FORBIDDEN";
    case ErrorCode::kInvalidRequest:
      return "INVALID_REQUEST";
    case ErrorCode::kUnsupportedCodec:
      return "UNSUPPORTED_CODEC";
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kNotSupported:
      return "NOT_SUPPORTED";
    case ErrorCode::kTooMany:
      return "TOO_MANY";
    case ErrorCode::kDuplicatePeer:
      return "DUPLICATE_PEER";
    case ErrorCode::kBusy:
      return "BUSY";
    case ErrorCode::kServerError:
      return "SERVER_ERROR";
    case ErrorCode::kNetworkError:
      return "NETWORK_ERROR";
    case ErrorCode::kTimeout:
      return "TIMEOUT";
    case ErrorCode::kBadAnswer:
      return "BAD_ANSWER";
    case ErrorCode::kClosed:
      return "CLOSED";
    case ErrorCode::kMediaError:
      return "MEDIA_ERROR";
    case ErrorCode::kIceServerError:
      return "ICE_SERVER_ERROR";
  }
  return "SERVER_ERROR";
}

namespace {

ErrorCode to_public(atm::ErrorCode code) {
  using Inner = atm::ErrorCode;
  switch (code) {
    case Inner::kInvalidToken:
      return ErrorCode::kInvalidToken;
    case Inner::kForbidden:
      return ErrorCode::kForbidden;
    case Inner::kInvalidRequest:
    case Inner::kUnknownRequest:
    case Inner::kInvalidSdp:
    case Inner::kUnsupportedSdp:
    case Inner::kTooLarge:
    case Inner::kInvalidConfig:
      return ErrorCode::kInvalidRequest;
    case Inner::kUnsupportedCodec:
      return ErrorCode::kUnsupportedCodec;
    case Inner::kConnNotFound:
    case Inner::kTrackNotFound:
    case Inner::kNotFound:
      return ErrorCode::kNotFound;
    case Inner::kNotSupported:
      return ErrorCode::kNotSupported;
    case Inner::kTooMany:
      return ErrorCode::kTooMany;
    case Inner::kDuplicatePeer:
      return ErrorCode::kDuplicatePeer;
    case Inner::kRateLimited:
    case Inner::kBusy:
    case Inner::kShuttingDown:
      return ErrorCode::kBusy;
    case Inner::kNetworkError:
      return ErrorCode::kNetworkError;
    case Inner::kTimeout:
      return ErrorCode::kTimeout;
    case Inner::kBadAnswer:
      return ErrorCode::kBadAnswer;
    case Inner::kClosed:
      return ErrorCode::kClosed;
    default:
      return ErrorCode::kServerError;
  }
}

}  // namespace

Error to_public(const atm::Error& error) {
  std::string message(atm::to_text(error.code));
  if (!error.why.empty()) message += ": " + error.why;
  return {to_public(error.code), std::move(message)};
}

std::string_view to_text(MediaKind kind) {
  return kind == MediaKind::kAudio ? "audio" : "video";
}
std::string_view to_text(Codec codec) {
  constexpr std::string_view kNames[] = {"OPUS", "VP8", "VP9", "H264", "AV1"};
  return kNames[static_cast<size_t>(codec)];
}
std::string_view to_text(LatencyMode mode) {
  constexpr std::string_view kNames[] = {"ultra-low",  "default",     "smooth-200", "smooth-500",
                                         "smooth-800", "smooth-1000", "smooth-2000"};
  return kNames[static_cast<size_t>(mode)];
}
std::string_view to_text(BitrateControlMode mode) {
  constexpr std::string_view kNames[] = {"SumBitrateWithClientSide", "SumBitrateOnly", "PerStream"};
  return kNames[static_cast<size_t>(mode)];
}

MediaKind to_public(atm::MediaKind kind) {
  return kind == atm::MediaKind::kAudio ? MediaKind::kAudio : MediaKind::kVideo;
}
atm::MediaKind to_engine(MediaKind kind) {
  return kind == MediaKind::kAudio ? atm::MediaKind::kAudio : atm::MediaKind::kVideo;
}

Codec to_public(atm::Codec codec) {
  switch (codec) {
    case atm::Codec::kVp8:
      return Codec::kVp8;
    case atm::Codec::kVp9:
      return Codec::kVp9;
    case atm::Codec::kH264:
      return Codec::kH264;
    case atm::Codec::kAv1:
      return Codec::kAv1;
    default:
      return Codec::kOpus;
  }
}
atm::Codec to_engine(Codec codec) {
  switch (codec) {
    case Codec::kVp8:
      return atm::Codec::kVp8;
    case Codec::kVp9:
      return atm::Codec::kVp9;
    case Codec::kH264:
      return atm::Codec::kH264;
    case Codec::kAv1:
      return atm::Codec::kAv1;
    case Codec::kOpus:
      break;
  }
  return atm::Codec::kOpus;
}

ReceiverState to_public(contract::ReceiverState state) {
  using Inner = contract::ReceiverState;
  switch (state) {
    case Inner::kNoSource:
      return ReceiverState::kNoSource;
    case Inner::kConnecting:
      return ReceiverState::kConnecting;
    case Inner::kLive:
      return ReceiverState::kLive;
    case Inner::kPaused:
      return ReceiverState::kPaused;
    case Inner::kKeyOnly:
      return ReceiverState::kKeyOnly;
    case Inner::kSourceDeactived:
      return ReceiverState::kSourceDeactived;
  }
  return ReceiverState::kNoSource;
}

SenderState to_public(contract::SenderState state) {
  using Inner = contract::SenderState;
  switch (state) {
    case Inner::kCreated:
      return SenderState::kCreated;
    case Inner::kConnecting:
      return SenderState::kConnecting;
    case Inner::kConnected:
      return SenderState::kConnected;
    case Inner::kDeactived:
      return SenderState::kDeactived;
    case Inner::kClosed:
      return SenderState::kClosed;
  }
  return SenderState::kCreated;
}

namespace {

Presence to_public(contract::PresenceChange change) {
  switch (change) {
    case contract::PresenceChange::kAdded:
      return Presence::kAdded;
    case contract::PresenceChange::kUpdated:
      return Presence::kUpdated;
    case contract::PresenceChange::kRemoved:
      break;
  }
  return Presence::kRemoved;
}

StreamInfo info_of(const contract::StreamEvent& event) {
  StreamInfo out;
  out.key = {event.peer, event.stream};
  out.kind = atm0s::to_public(event.kind);
  out.scaling = static_cast<StreamScaling>(event.scaling);
  out.status = static_cast<StreamStatus>(event.status);
  out.active = event.active;
  out.label = event.label;
  return out;
}

MixMinusChanged state_of(const contract::MixMinusStateEvent& event) {
  MixMinusChanged out;
  for (const auto& slot : event.active) {
    out.active.push_back(slot ? std::optional(MixMinusChanged::Heard{slot->source, slot->dbov}) : std::nullopt);
  }
  for (const auto& source : event.sources) out.sources.push_back({source.source, source.dbov});
  return out;
}

struct ToPublic {
  const std::string& own_peer;
  std::optional<Event> operator()(const contract::StreamEvent& e) const {
    return StreamChanged{to_public(e.change), e.peer == own_peer, info_of(e)};
  }
  std::optional<Event> operator()(const contract::PeerEvent& e) const {
    return PeerChanged{to_public(e.change), e.peer, e.metadata};
  }
  std::optional<Event> operator()(const contract::RoomStats& e) const { return RoomStats{e.peers}; }
  std::optional<Event> operator()(const contract::ReceiverStateEvent& e) const {
    return ReceiverStateChanged{e.id, atm0s::to_public(e.state),
                                e.reason ? std::string(atm::to_text(*e.reason)) : std::string()};
  }
  std::optional<Event> operator()(const contract::QualityEvent& e) const {
    return ReceiverQuality{e.id, e.mos / 1000.0, {e.remote.peer, e.remote.stream}};
  }
  std::optional<Event> operator()(const contract::SenderStateEvent& e) const {
    return SenderStateChanged{e.name, atm0s::to_public(e.state)};
  }
  std::optional<Event> operator()(const contract::SenderLevelEvent& e) const { return SenderLevel{e.name, e.dbov}; }
  std::optional<Event> operator()(const contract::ReceiverLevelEvent& e) const { return ReceiverLevel{e.id, e.dbov}; }
  std::optional<Event> operator()(const contract::MixMinusStateEvent& e) const { return state_of(e); }
  std::optional<Event> operator()(const contract::SessionClosing& e) const { return SessionClosing{e.reason}; }
  std::optional<Event> operator()(const contract::StreamLimitEvent&) const { return std::nullopt; }
};

}  // namespace

std::optional<Event> to_public(const contract::Event& event, const std::string& own_peer) {
  return std::visit(ToPublic{own_peer}, event);
}

namespace {

std::optional<atm::Duration> playout_delay_of(LatencyMode mode) {
  using namespace std::chrono_literals;
  switch (mode) {
    case LatencyMode::kUltraLow:
      return 0ms;
    case LatencyMode::kDefault:
      return std::nullopt;
    case LatencyMode::kSmooth200:
      return 200ms;
    case LatencyMode::kSmooth500:
      return 500ms;
    case LatencyMode::kSmooth800:
      return 800ms;
    case LatencyMode::kSmooth1000:
      return 1s;
    case LatencyMode::kSmooth2000:
      return 2s;
  }
  return std::nullopt;
}

Result<void> check_name(const std::string& what, const std::string& name) {
  if (name.empty()) return Error{ErrorCode::kInvalidRequest, what + " is empty"};
  if (name.size() > atm::json::kMaxNameBytes) {
    return Error{ErrorCode::kInvalidRequest, what + " is longer than 256 bytes"};
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20)
      return Error{ErrorCode::kInvalidRequest, what + " has control characters"};
  }
  return {};
}

}  // namespace

Result<void> check(const SenderConfig& config) {
  if (auto name = check_name("sender name", config.name); !name) return name;
  const std::string who = "sender \"" + config.name + "\": ";
  if (config.source && config.source->kind() != config.kind) {
    return Error{ErrorCode::kInvalidRequest, who + "its source is of the other kind"};
  }
  if (config.simulcast && config.kind != MediaKind::kVideo) {
    return Error{ErrorCode::kInvalidRequest, who + "simulcast is for video"};
  }
  for (const Codec codec : config.preferred_codecs) {
    const bool is_audio = codec == Codec::kOpus;
    if (is_audio != (config.kind == MediaKind::kAudio)) {
      return Error{ErrorCode::kInvalidRequest, who + std::string(to_text(codec)) + " is of the other kind"};
    }
  }
  if (config.max_bitrate > atm::json::kMaxBitrateBps) {
    return Error{ErrorCode::kInvalidRequest, who + "max_bitrate is over 10 Gbit/s"};
  }
  return {};
}

Result<void> check(const SessionConfig& config) {
  if (auto room = check_name("room_id", config.room_id); !room) return room;
  if (auto peer = check_name("peer_id", config.peer_id); !peer) return peer;
  if (config.receivers.audio > atm::json::kMaxReceiversPerKind ||
      config.receivers.video > atm::json::kMaxReceiversPerKind) {
    return Error{ErrorCode::kTooMany, "more than 256 receivers of a kind"};
  }
  if (config.senders.size() > atm::json::kMaxSenders) return Error{ErrorCode::kTooMany, "more than 64 senders"};
  std::set<std::string> names;
  for (const SenderConfig& sender : config.senders) {
    if (auto checked = check(sender); !checked) return checked;
    if (!names.insert(sender.name).second) {
      return Error{ErrorCode::kInvalidRequest, "two senders are called \"" + sender.name + "\""};
    }
  }
  return {};
}

atm::client::SenderConfig to_engine(const SenderConfig& config) {
  atm::client::SenderConfig out;
  out.kind = to_engine(config.kind);
  out.name = config.name;
  out.label = config.label.empty() ? config.name : config.label;
  for (const Codec codec : config.preferred_codecs) out.preferred_codecs.push_back(to_engine(codec));
  out.simulcast = config.simulcast;
  out.max_bitrate_bps = config.max_bitrate;
  out.content_hint = static_cast<contract::ContentHint>(config.content_hint);
  out.screen = config.screen;
  out.has_track = config.source != nullptr;
  return out;
}

atm::client::Config to_engine(const std::vector<std::string>& urls, const SessionConfig& config,
                              const RuntimeOptions& options) {
  atm::client::Config out;
  for (std::string url : urls) {
    while (url.size() > 1 && url.back() == '/') url.pop_back();
    out.urls.push_back(std::move(url));
  }
  out.room = config.room_id;
  out.peer = config.peer_id;
  out.token = config.token;
  out.metadata = options.metadata;
  for (const SenderConfig& sender : config.senders) out.senders.push_back(to_engine(sender));
  out.receivers = {config.receivers.audio, config.receivers.video};
  out.mix_minus = static_cast<contract::MixMinusMode>(config.mix_minus_audio);
  for (const IceServer& server : config.ice_servers) {
    out.ice_servers.push_back({server.urls, server.username, server.credential});
  }
  out.relay_only = options.relay_only;
  out.playout_delay = playout_delay_of(config.latency_mode);
  for (const Codec codec : config.codecs) out.codecs.push_back(to_engine(codec));
  out.bitrate_control_mode = static_cast<contract::BitrateControlMode>(config.bitrate_control_mode);
  out.subscribe_scope = static_cast<contract::SubscribeScope>(options.subscribe_scope);
  out.publish_scope = static_cast<contract::PublishScope>(options.publish_scope);
  out.version = "libatm0s/" ATM0S_VERSION;
  out.reconnects = options.reconnects;
  out.recovery.give_up_after = options.give_up_after;
  return out;
}

Clock::time_point to_public(atm::Instant instant) {
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(instant.time_since_epoch()));
}
atm::Instant to_engine(Clock::time_point time) {
  return atm::Instant(std::chrono::duration_cast<atm::Duration>(time.time_since_epoch()));
}

}  // namespace atm0s
