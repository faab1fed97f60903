#include "contract/json/rpc.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "contract/json/limits.h"
#include "contract/json/message.h"
#include "contract/json/offer.h"
#include "contract/json/write.h"

namespace atm::json {
namespace {

using contract::RpcBody;
using contract::SenderToggle;
using nlohmann::ordered_json;

// `peer` may be empty: "mix_minus_default_0" is a stream of nobody.
contract::StreamKey read_remote(const Fields& fields) {
  const Fields remote = fields.object("remote");
  contract::StreamKey out;
  out.peer = remote.text("peer", kMaxNameBytes, Text::kFree);
  out.stream = remote.text("stream", kMaxNameBytes, Text::kName);
  return out;
}

void write_remote(const contract::StreamKey& key, ordered_json& out) {
  out["remote"]["peer"] = key.peer;
  out["remote"]["stream"] = key.stream;
}

std::string read_id(const Fields& fields) {
  return fields.text("id", kMaxNameBytes, Text::kName);
}

uint32_t read_priority(const Fields& fields) {
  return static_cast<uint32_t>(fields.clamped("priority", contract::ReceiverLimit{}.priority, kMaxPriority));
}

RpcBody read_update_sdp(const Fields& data) {
  contract::PeerUpdateSdp out;
  out.sdp = read_sdp(data);
  out.senders = read_senders(data);
  out.receivers = read_receivers(data);
  return out;
}

RpcBody read_sender_toggle(const Fields& data) {
  SenderToggle out;
  out.name = data.text("name", kMaxNameBytes, Text::kName);
  out.kind = read_kind(data);
  out.label = data.optional_text("label", kMaxNameBytes, Text::kFree);
  if (data.is_null("track")) {
    out.track = SenderToggle::Track::kStopped;
  } else if (data.has("track")) {
    out.track = SenderToggle::Track::kSwitched;
    out.track_id = data.text("track", kMaxNameBytes, Text::kName);
  }
  return out;
}

RpcBody read_receiver_switch(const Fields& data) {
  return contract::ReceiverSwitch{read_id(data), read_priority(data), read_remote(data)};
}

RpcBody read_receiver_limit(const Fields& data) {
  contract::ReceiverSetLimit out;
  out.id = read_id(data);
  const Fields limit = data.object("limit");
  const contract::ReceiverLimit defaults;
  const auto layer = [&](std::string_view name, uint32_t fallback) {
    return static_cast<uint32_t>(limit.clamped(name, fallback, kMaxLayer));
  };
  out.limit.priority = read_priority(limit);
  out.limit.min_spatial = layer("min_spatial", defaults.min_spatial);
  out.limit.max_spatial = layer("max_spatial", defaults.max_spatial);
  out.limit.min_temporal = layer("min_temporal", defaults.min_temporal);
  out.limit.max_temporal = layer("max_temporal", defaults.max_temporal);
  return out;
}

RpcBody read_mix_minus_source(const Fields& data, bool add) {
  return contract::MixMinusSource{read_id(data), read_remote(data), add};
}

RpcBody read_subscription(const Fields& data, bool subscribe) {
  return contract::RoomSubscription{data.text("peer", kMaxNameBytes, Text::kName), subscribe};
}

struct Method {
  std::string_view name;
  RpcBody (*read)(const Fields& data);
};

constexpr Method kMethods[] = {
    {"peer.updateSdp", read_update_sdp},
    {"peer.token",
     [](const Fields& data) -> RpcBody {
       return contract::PeerToken{data.text("token", kMaxTokenBytes, Text::kName)};
     }},
    {"sender.toggle", read_sender_toggle},
    {"receiver.switch", read_receiver_switch},
    {"receiver.limit", read_receiver_limit},
    {"receiver.disconnect", [](const Fields& data) -> RpcBody { return contract::ReceiverDisconnect{read_id(data)}; }},
    {"mix_minus.add", [](const Fields& data) { return read_mix_minus_source(data, true); }},
    {"mix_minus.remove", [](const Fields& data) { return read_mix_minus_source(data, false); }},
    {"mix_minus.toggle",
     [](const Fields& data) -> RpcBody {
       return contract::MixMinusToggle{read_id(data), data.required_flag("enable")};
     }},
    {"room.subscribe", [](const Fields& data) { return read_subscription(data, true); }},
    {"room.unsubscribe", [](const Fields& data) { return read_subscription(data, false); }},
};

// Which request `name` is, with its data; peer.ping and peer.close have none, and whatever they carry is ignored.
RpcBody read_body(std::string_view name, const Fields& message, Problem& problem) {
  if (name == "peer.ping") return contract::PeerPing{};
  if (name == "peer.close") return contract::PeerClose{};
  for (const Method& method : kMethods) {
    if (method.name == name) return method.read(message.object("data"));
  }
  problem.set(ErrorCode::kUnknownRequest, "no such request: " + std::string(name));
  return contract::PeerPing{};
}

struct WriteBody {
  ordered_json& data;

  std::string_view operator()(const contract::PeerPing&) const { return "peer.ping"; }
  std::string_view operator()(const contract::PeerClose&) const { return "peer.close"; }
  std::string_view operator()(const contract::PeerUpdateSdp& body) const {
    data["sdp"] = body.sdp;
    write_senders(body.senders, data["senders"]);
    write_receivers(body.receivers, data["receivers"]);
    return "peer.updateSdp";
  }
  std::string_view operator()(const contract::PeerToken& body) const {
    data["token"] = body.token;
    return "peer.token";
  }
  std::string_view operator()(const SenderToggle& body) const {
    data["name"] = body.name;
    data["kind"] = to_text(body.kind);
    if (body.track == SenderToggle::Track::kSwitched) data["track"] = body.track_id;
    if (body.track == SenderToggle::Track::kStopped) data["track"] = nullptr;
    if (body.label) data["label"] = *body.label;
    return "sender.toggle";
  }
  std::string_view operator()(const contract::ReceiverSwitch& body) const {
    data["id"] = body.id;
    data["priority"] = body.priority;
    write_remote(body.remote, data);
    return "receiver.switch";
  }
  std::string_view operator()(const contract::ReceiverSetLimit& body) const {
    data["id"] = body.id;
    ordered_json& limit = data["limit"];
    limit["priority"] = body.limit.priority;
    limit["min_spatial"] = body.limit.min_spatial;
    limit["min_temporal"] = body.limit.min_temporal;
    limit["max_spatial"] = body.limit.max_spatial;
    limit["max_temporal"] = body.limit.max_temporal;
    return "receiver.limit";
  }
  std::string_view operator()(const contract::ReceiverDisconnect& body) const {
    data["id"] = body.id;
    return "receiver.disconnect";
  }
  std::string_view operator()(const contract::MixMinusSource& body) const {
    data["id"] = body.id;
    write_remote(body.remote, data);
    return body.add ? "mix_minus.add" : "mix_minus.remove";
  }
  std::string_view operator()(const contract::MixMinusToggle& body) const {
    data["id"] = body.id;
    data["enable"] = body.enable;
    return "mix_minus.toggle";
  }
  std::string_view operator()(const contract::RoomSubscription& body) const {
    data["peer"] = body.peer;
    return body.subscribe ? "room.subscribe" : "room.unsubscribe";
  }
};

}  // namespace

std::variant<contract::RpcRequest, contract::RpcReject> parse_rpc(ByteView message, bool is_text) {
  Problem problem;
  std::optional<uint64_t> req_id;
  const auto reject = [&] {
    Error error = problem.take();
    return contract::RpcReject{req_id, error.code, std::move(error.why)};
  };

  nlohmann::json document;
  if (!parse_message(message, is_text, document, problem)) return reject();
  const Fields fields(document, "", problem);
  const std::string type = fields.text("type", kMaxNameBytes, Text::kFree);
  if (type != "request") fields.problem("type", "must be request: a client sends nothing else");
  if (problem.found()) return reject();

  if (!fields.has("req_id")) fields.problem("req_id", "is missing");
  const std::optional<uint64_t> id = fields.optional_number("req_id", std::numeric_limits<uint64_t>::max());
  if (problem.found()) return reject();
  req_id = id;

  const std::string name = fields.text("request", kMaxNameBytes, Text::kName);
  if (problem.found()) return reject();
  contract::RpcRequest request{*req_id, read_body(name, fields, problem)};
  if (problem.found()) return reject();
  return request;
}

std::string to_json(const contract::RpcRequest& request) {
  ordered_json out;
  ordered_json data;  // null unless the request has data
  const std::string_view name = std::visit(WriteBody{data}, request.body);
  out["req_id"] = request.req_id;
  out["type"] = "request";
  out["request"] = name;
  out["data"] = std::move(data);
  return write_text(out);
}

std::string to_json(const contract::RpcAnswer& answer) {
  ordered_json out;
  out["type"] = "answer";
  out["req_id"] = answer.req_id;
  const Error* error = std::get_if<Error>(&answer.data);
  out["success"] = error == nullptr;
  if (error != nullptr) {
    write_error(*error, out);
  } else if (const auto* sdp = std::get_if<contract::RpcAnswer::Sdp>(&answer.data)) {
    out["data"]["sdp"] = sdp->sdp;
  } else {
    out["data"] = true;
  }
  return write_text(out);
}

contract::RpcAnswer answer_to(const contract::RpcReject& reject) {
  return {reject.req_id.value_or(0), Error{reject.code, reject.why}};
}

}  // namespace atm::json
