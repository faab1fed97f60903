#include "contract/json/admin_body.h"

#include <nlohmann/json.hpp>

#include "contract/json/event_text.h"
#include "contract/json/fields.h"
#include "contract/json/limits.h"
#include "contract/json/write.h"

namespace atm::json {
namespace {

using nlohmann::ordered_json;

template <typename T, typename Read>
Result<T> parse_body(std::string_view body, Read read) {
  Problem problem;
  nlohmann::json document;
  T out{};
  if (parse_document(body, document, problem)) read(Fields(document, "", problem), out);
  if (problem.found()) return tl::unexpected(problem.take());
  return out;
}

std::optional<bool> optional_flag(const Fields& fields, std::string_view name) {
  if (!fields.has(name)) return std::nullopt;
  return fields.required_flag(name);
}

std::string in_envelope(ordered_json data) {
  ordered_json out;
  out["status"] = true;
  out["data"] = std::move(data);
  return write_text(out);
}

ordered_json write_stream(const contract::StreamReport& stream) {
  ordered_json out;
  out["name"] = stream.name;
  out["kind"] = to_text(stream.kind);
  out["label"] = stream.label;
  if (stream.codec) out["codec"] = atm::to_text(*stream.codec);
  out["scaling"] = choice_text(kStreamScalings, stream.scaling);
  out["active"] = stream.active;
  out["muted"] = stream.muted;
  out["viewers"] = stream.viewers;
  if (stream.level_dbov) out["level"] = *stream.level_dbov;
  out["layers"] = ordered_json::array();
  for (const contract::LayerReport& layer : stream.layers) {
    ordered_json& entry = out["layers"].emplace_back();
    entry["spatial"] = layer.spatial;
    entry["temporal"] = layer.temporal;
    entry["bitrate"] = layer.bps;
    if (layer.width != 0) entry["width"] = layer.width, entry["height"] = layer.height;
  }
  return out;
}

ordered_json write_receiver(const contract::ReceiverReport& receiver) {
  ordered_json out;
  out["id"] = receiver.id;
  out["kind"] = to_text(receiver.kind);
  out["state"] = choice_text(kReceiverStates, receiver.state);
  if (receiver.remote) {
    out["remote"]["peer"] = receiver.remote->peer;
    out["remote"]["stream"] = receiver.remote->stream;
  }
  ordered_json& limit = out["limit"];
  limit["priority"] = receiver.limit.priority;
  limit["min_spatial"] = receiver.limit.min_spatial;
  limit["max_spatial"] = receiver.limit.max_spatial;
  limit["min_temporal"] = receiver.limit.min_temporal;
  limit["max_temporal"] = receiver.limit.max_temporal;
  if (receiver.spatial) out["spatial"] = *receiver.spatial;
  if (receiver.temporal) out["temporal"] = *receiver.temporal;
  return out;
}

ordered_json write_peer(const contract::PeerReport& peer) {
  ordered_json out;
  out["peer"] = peer.peer;
  out["state"] = choice_text(kPeerStatuses, peer.status);
  out["version"] = peer.version;
  out["metadata"] = peer.metadata;
  out["publish"] = peer.publish;
  out["subscribe"] = peer.subscribe;
  if (!peer.token_id.empty()) out["jti"] = peer.token_id;
  if (peer.token_expires_at) out["exp"] = unix_seconds(*peer.token_expires_at);
  out["address"] = peer.address;
  out["age_ms"] = peer.age_ms;
  if (peer.round_trip_ms) out["round_trip_ms"] = *peer.round_trip_ms;
  if (peer.estimate_bps) out["estimate"] = *peer.estimate_bps;
  out["streams"] = ordered_json::array();
  for (const contract::StreamReport& stream : peer.streams) out["streams"].push_back(write_stream(stream));
  out["receivers"] = ordered_json::array();
  for (const contract::ReceiverReport& receiver : peer.receivers) out["receivers"].push_back(write_receiver(receiver));
  return out;
}

}  // namespace

Result<RightsBody> parse_rights(std::string_view body) {
  return parse_body<RightsBody>(body, [](const Fields& fields, RightsBody& out) {
    out.publish = optional_flag(fields, "publish");
    out.subscribe = optional_flag(fields, "subscribe");
    if (!out.publish && !out.subscribe) fields.problem("publish", "is missing, and subscribe too");
  });
}

Result<bool> parse_muted(std::string_view body) {
  return parse_body<bool>(body, [](const Fields& fields, bool& out) { out = fields.required_flag("muted"); });
}

Result<RevokeBody> parse_revoke(std::string_view body) {
  return parse_body<RevokeBody>(body, [](const Fields& fields, RevokeBody& out) {
    out.token_id = fields.text("jti", kMaxNameBytes, Text::kName);
    if (fields.has("exp")) out.until = WallTime(std::chrono::seconds(fields.number("exp", 0, kMaxUnixSeconds)));
  });
}

Result<bool> parse_drain(std::string_view body) {
  if (body.empty()) return true;
  return parse_body<bool>(body, [](const Fields& fields, bool& out) { out = fields.flag("end_sessions", true); });
}

std::string envelope(std::span<const contract::RoomsRead::Room> rooms) {
  ordered_json list = ordered_json::array();
  for (const contract::RoomsRead::Room& room : rooms) {
    ordered_json& entry = list.emplace_back();
    entry["room"] = room.room;
    entry["peers"] = room.peers;
    entry["streams"] = room.streams;
  }
  ordered_json data;
  data["rooms"] = std::move(list);
  return in_envelope(std::move(data));
}

std::string envelope(const contract::RoomRead& room) {
  ordered_json data;
  data["room"] = room.room;
  data["peers"] = ordered_json::array();
  for (const contract::PeerReport& peer : room.peers) data["peers"].push_back(write_peer(peer));
  return in_envelope(std::move(data));
}

std::string envelope(const contract::PeerReport& peer) {
  return in_envelope(write_peer(peer));
}

std::string envelope_sessions(size_t sessions) {
  ordered_json data;
  data["sessions"] = sessions;
  return in_envelope(std::move(data));
}

}  // namespace atm::json
