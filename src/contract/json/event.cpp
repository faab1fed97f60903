#include <nlohmann/json.hpp>

#include "contract/json/event_text.h"
#include "contract/json/rpc.h"
#include "contract/json/write.h"

namespace atm::json {
namespace {

using contract::PresenceChange;
using nlohmann::ordered_json;

std::string presence_name(std::string_view what, PresenceChange change) {
  return std::string(what) + "_" + std::string(choice_text(kPresenceChanges, change));
}

// Writes `data`, returns the event's name.
struct WriteEvent {
  ordered_json& data;

  std::string operator()(const contract::StreamEvent& event) const {
    data["peer"] = event.peer;
    data["peer_hash"] = peer_hash(event.peer);
    data["kind"] = to_text(event.kind);
    data["stream"] = event.stream;
    ordered_json& state = data["state"];  // null when removed
    if (event.change != PresenceChange::kRemoved) {
      state["kind"] = to_text(event.kind);
      state["scaling"] = choice_text(kStreamScalings, event.scaling);
      state["layers"] = ordered_json::array();
      state["status"] = choice_text(kStreamStatuses, event.status);
      state["active"] = event.active;
      if (!event.label.empty()) state["label"] = event.label;
    }
    return presence_name("stream", event.change);
  }
  std::string operator()(const contract::PeerEvent& event) const {
    data["peer"] = event.peer;
    data["peer_hash"] = peer_hash(event.peer);
    ordered_json& state = data["state"];  // null when removed
    if (event.change != PresenceChange::kRemoved) {
      state["state"] = choice_text(kPeerStatuses, event.status);
      state["protocol"] = choice_text(kProtocols, event.protocol);
      if (!event.metadata.empty()) state["metadata"] = event.metadata;
    }
    return presence_name("peer", event.change);
  }
  std::string operator()(const contract::RoomStats& event) const {
    data["peers"] = event.peers;
    return "room_stats";
  }
  std::string operator()(const contract::ReceiverStateEvent& event) const {
    data["state"] = choice_text(kReceiverStates, event.state);
    if (event.reason) data["reason"] = to_text(*event.reason);
    return std::string(kReceiverEventPrefix) + event.id + std::string(kStateEventSuffix);
  }
  std::string operator()(const contract::QualityEvent& event) const {
    data["mos"] = event.mos;
    data["peer"] = peer_hash(event.remote.peer);
    data["name"] = event.remote.stream;
    return std::string(kReceiverEventPrefix) + event.id + std::string(kQualityEventSuffix);
  }
  std::string operator()(const contract::SenderStateEvent& event) const {
    data["state"] = choice_text(kSenderStates, event.state);
    return std::string(kSenderEventPrefix) + event.name + std::string(kStateEventSuffix);
  }
  std::string operator()(const contract::StreamLimitEvent& event) const {
    data["max_bitrate"] = event.max_bitrate_bps;
    data["layers"] = event.layers;
    return std::string(kSenderEventPrefix) + event.name + std::string(kLimitEventSuffix);
  }
  std::string operator()(const contract::SenderLevelEvent& event) const {
    data["level"] = event.dbov;
    return std::string(kSenderEventPrefix) + event.name + std::string(kLevelEventSuffix);
  }
  std::string operator()(const contract::ReceiverLevelEvent& event) const {
    data["level"] = event.dbov;
    return std::string(kReceiverEventPrefix) + event.id + std::string(kLevelEventSuffix);
  }
  std::string operator()(const contract::MixMinusStateEvent& event) const {
    ordered_json& active = data["active"] = ordered_json::array();
    for (const auto& slot : event.active) {
      active.push_back(slot ? ordered_json::array({slot->source, slot->dbov}) : ordered_json());
    }
    ordered_json& sources = data["sources"] = ordered_json::object();
    for (const auto& source : event.sources) sources[source.source] = source.dbov;
    return std::string(kMixMinusEventPrefix) + event.id + std::string(kStateEventSuffix);
  }
  std::string operator()(const contract::SessionClosing& event) const {
    data["reason"] = event.reason;
    if (event.retry_ms) data["retry_ms"] = *event.retry_ms;
    return "session_closing";
  }
};

}  // namespace

uint32_t peer_hash(std::string_view peer) {
  uint32_t hash = 2'166'136'261;  // FNV-1a (RFC 9923): offset basis and prime of 32 bits
  for (const char c : peer) hash = (hash ^ static_cast<uint8_t>(c)) * 16'777'619;
  return hash;
}

std::string to_json(const contract::Event& event) {
  ordered_json out;
  ordered_json data;
  const std::string name = std::visit(WriteEvent{data}, event);
  out["type"] = "event";
  out["event"] = name;
  out["data"] = std::move(data);
  return write_text(out);
}

}  // namespace atm::json
