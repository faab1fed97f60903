#include "event_trace.h"

#include <cstdio>

namespace atm::sim {
namespace {

const char* text_of(contract::PresenceChange change) {
  constexpr const char* kNames[] = {"added", "updated", "removed"};
  return kNames[static_cast<size_t>(change)];
}
const char* text_of(contract::PeerStatus status) {
  constexpr const char* kNames[] = {"new", "connecting", "connected", "reconnecting"};
  return kNames[static_cast<size_t>(status)];
}
const char* text_of(contract::ReceiverState state) {
  constexpr const char* kNames[] = {"no source", "connecting", "live", "paused", "key only", "source deactived"};
  return kNames[static_cast<size_t>(state)];
}
const char* text_of(contract::SenderState state) {
  constexpr const char* kNames[] = {"created", "connecting", "connected", "deactived", "closed"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace

std::string text_of(const contract::Event& event) {
  if (const auto* stream = std::get_if<contract::StreamEvent>(&event)) {
    const std::string name = std::string(text_of(stream->change)) + ' ' + stream->peer + '/' + stream->stream;
    if (stream->change == contract::PresenceChange::kRemoved) return "stream " + name;
    return "stream " + name + ' ' + stream->label + (stream->active ? " active" : " inactive");
  }
  if (const auto* peer = std::get_if<contract::PeerEvent>(&event)) {
    const std::string name = std::string(text_of(peer->change)) + ' ' + peer->peer;
    if (peer->change == contract::PresenceChange::kRemoved) return "peer " + name;
    return "peer " + name + ' ' + text_of(peer->status);
  }
  if (const auto* state = std::get_if<contract::ReceiverStateEvent>(&event)) {
    return "receiver " + state->id + ' ' + text_of(state->state);
  }
  if (const auto* quality = std::get_if<contract::QualityEvent>(&event)) {
    return "receiver " + quality->id + " quality " + std::to_string(quality->mos);
  }
  if (const auto* state = std::get_if<contract::SenderStateEvent>(&event)) {
    return "sender " + state->name + ' ' + text_of(state->state);
  }
  if (const auto* limit = std::get_if<contract::StreamLimitEvent>(&event)) {
    std::string text = "limit " + limit->name + ' ' + std::to_string(limit->max_bitrate_bps) + ", layers";
    for (const uint8_t layer : limit->layers) text += ' ' + std::to_string(layer);
    return limit->layers.empty() ? text + " none" : text;
  }
  if (const auto* state = std::get_if<contract::MixMinusStateEvent>(&event)) {
    std::string text = "mixer " + state->id;
    for (const auto& slot : state->active) text += ' ' + (slot ? slot->source : "-");
    return text;
  }
  if (const auto* stats = std::get_if<contract::RoomStats>(&event)) return "peers " + std::to_string(stats->peers);
  if (const auto* level = std::get_if<contract::SenderLevelEvent>(&event)) {
    return "sender " + level->name + " level " + std::to_string(level->dbov);
  }
  if (const auto* level = std::get_if<contract::ReceiverLevelEvent>(&event)) {
    return "receiver " + level->id + " level " + std::to_string(level->dbov);
  }
  return "closing " + std::get<contract::SessionClosing>(event).reason;
}

void EventTrace::add(Duration at, const std::string& who, const std::string& what) {
  char head[64];
  std::snprintf(head, sizeof head, "%6lld %-7s ", static_cast<long long>(to_ms(at)), who.c_str());
  text_ += head + what + '\n';
}

void EventTrace::observe(Duration at, Client& client) {
  Seen& seen = seen_[client.number()];
  const std::string& who = client.config().peer;
  if (client.is_ready() && !seen.is_ready) add(at, who, "channel open");
  seen.is_ready = client.is_ready();
  for (; seen.events < client.events().size(); ++seen.events) {
    const contract::Event& event = client.events()[seen.events];
    // How good it is, is a measurement and nothing that happens.
    if (!std::holds_alternative<contract::QualityEvent>(event)) add(at, who, text_of(event));
  }
  if (client.key_frames_wanted() > seen.key_frames_wanted) add(at, who, "asked for a key frame");
  seen.key_frames_wanted = client.key_frames_wanted();
  for (size_t receiver = 0; receiver < client.config().video_receivers; ++receiver) {
    const uint32_t shown = client.video(receiver).shown_publisher();
    if (shown == 0 || shown == seen.shown[receiver]) continue;
    seen.shown[receiver] = shown;
    add(at, who, "sees client " + std::to_string(shown) + " in video_" + std::to_string(receiver));
  }
  for (size_t receiver = 0; receiver < client.config().audio_receivers; ++receiver) {
    if (client.audio_packets(receiver) == 0 || seen.heard[receiver]) continue;
    seen.heard[receiver] = true;
    add(at, who, "hears audio_" + std::to_string(receiver));
  }
}

}  // namespace atm::sim
