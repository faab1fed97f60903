// The client's half of rpc.h: answers and events of a server, read back into contract structs.
#include <limits>
#include <nlohmann/json.hpp>

#include "contract/json/event_text.h"
#include "contract/json/limits.h"
#include "contract/json/message.h"
#include "contract/json/offer.h"
#include "contract/json/rpc.h"

namespace atm::json {
namespace {

using contract::Event;
using contract::PresenceChange;

ErrorCode read_error_code(std::string_view text) {
#define ATM0S_X(name, code_text, meaning) \
  if (text == code_text) return ErrorCode::name;
  ATM0S_ERROR_CODES(ATM0S_X)
#undef ATM0S_X
  return ErrorCode::kServerError;
}

contract::RpcAnswer read_answer(const Fields& message) {
  contract::RpcAnswer answer;
  answer.req_id = message.number("req_id", 0, std::numeric_limits<uint64_t>::max() - 1);
  // First-generation servers answer null, true or nothing; only an object says more.
  if (message.required_flag("success")) {
    if (auto sdp = message.member_text("data", "sdp")) answer.data = contract::RpcAnswer::Sdp{std::move(*sdp)};
  } else {
    const std::string code = message.optional_text("error", kMaxNameBytes, Text::kFree).value_or("");
    answer.data = Error{read_error_code(code), message.member_text("data", "message").value_or("")};
  }
  return answer;
}

contract::StreamEvent read_stream(const Fields& data, PresenceChange change) {
  contract::StreamEvent out;
  out.change = change;
  out.peer = data.text("peer", kMaxNameBytes, Text::kName);
  out.stream = data.text("stream", kMaxNameBytes, Text::kName);
  out.kind = read_kind(data);
  if (change == PresenceChange::kRemoved) return out;
  const Fields state = data.object("state");
  out.scaling = read_choice(state, "scaling", kStreamScalings, out.scaling);
  out.status = read_choice(state, "status", kStreamStatuses, out.status);
  out.active = state.flag("active", true);
  out.label = state.optional_text("label", kMaxNameBytes, Text::kFree).value_or("");
  return out;
}

contract::PeerEvent read_peer(const Fields& data, PresenceChange change) {
  contract::PeerEvent out;
  out.change = change;
  out.peer = data.text("peer", kMaxNameBytes, Text::kName);
  if (change != PresenceChange::kRemoved) {
    const Fields state = data.object("state");
    out.status = read_choice(state, "state", kPeerStatuses, out.status);
    out.protocol = read_choice(state, "protocol", kProtocols, out.protocol);
    out.metadata = state.optional_text("metadata", kMaxMetadataBytes, Text::kFree).value_or("");
  }
  return out;
}

// What stands between prefix and suffix, or nothing.
std::optional<std::string> middle(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  return std::string(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
}

constexpr int kLeastLevel = -127;

// Its lists are of mixed types, which Fields has no words for.
std::optional<Event> read_mix_minus(std::string id, const nlohmann::json& data) {
  const auto is_level = [](const nlohmann::json& value) {
    return value.is_number_integer() && value >= kLeastLevel && value <= 0;
  };
  contract::MixMinusStateEvent out;
  out.id = std::move(id);
  const auto active = data.find("active"), sources = data.find("sources");
  if (active == data.end() || !active->is_array() || sources == data.end() || !sources->is_object()) {
    return std::nullopt;
  }
  for (const nlohmann::json& slot : *active) {
    if (slot.is_null()) {
      out.active.emplace_back();
    } else if (slot.is_array() && slot.size() == 2 && slot[0].is_string() && is_level(slot[1])) {
      out.active.push_back(contract::MixMinusStateEvent::Heard{slot[0].get<std::string>(), slot[1].get<int>()});
    } else {
      return std::nullopt;
    }
  }
  for (const auto& [source, level] : sources->items()) {
    if (!is_level(level)) return std::nullopt;
    out.sources.push_back({source, level.get<int>()});
  }
  return out;
}

std::optional<Event> read_event(const Fields& message) {
  // A name may be as long as a sender's, between prefix and suffix.
  const std::string name = message.text("event", kMaxNameBytes * 2, Text::kName);
  const Fields data = message.object("data");
  for (const auto& [text, change] : kPresenceChanges) {
    if (name == "stream_" + std::string(text)) return read_stream(data, change);
    if (name == "peer_" + std::string(text)) return read_peer(data, change);
  }
  if (name == "room_stats") {
    return contract::RoomStats{static_cast<uint32_t>(data.number("peers", 0, UINT32_MAX))};
  }
  if (name == "session_closing") {
    contract::SessionClosing out{data.text("reason", kMaxNameBytes, Text::kFree), std::nullopt};
    if (const auto retry = data.optional_number("retry_ms", UINT32_MAX)) out.retry_ms = static_cast<uint32_t>(*retry);
    return out;
  }
  if (auto id = middle(name, kReceiverEventPrefix, kStateEventSuffix)) {
    contract::ReceiverStateEvent out{*id,
                                     read_choice(data, "state", kReceiverStates, contract::ReceiverState::kNoSource)};
    if (const auto reason = data.optional_text("reason", kMaxNameBytes, Text::kFree)) {
      out.reason = read_error_code(*reason);
    }
    return out;
  }
  if (auto id = middle(name, kReceiverEventPrefix, kQualityEventSuffix)) {
    // The peer itself is not told, only its hash.
    return contract::QualityEvent{*id,
                                  static_cast<uint32_t>(data.number("mos", 0, kMaxMos)),
                                  {"", data.text("name", kMaxNameBytes, Text::kName)}};
  }
  if (auto sender = middle(name, kSenderEventPrefix, kStateEventSuffix)) {
    return contract::SenderStateEvent{*sender,
                                      read_choice(data, "state", kSenderStates, contract::SenderState::kCreated)};
  }
  if (auto sender = middle(name, kSenderEventPrefix, kLevelEventSuffix)) {
    return contract::SenderLevelEvent{*sender, data.number_below_zero("level", kLeastLevel)};
  }
  if (auto id = middle(name, kReceiverEventPrefix, kLevelEventSuffix)) {
    return contract::ReceiverLevelEvent{*id, data.number_below_zero("level", kLeastLevel)};
  }
  if (auto sender = middle(name, kSenderEventPrefix, kLimitEventSuffix)) {
    contract::StreamLimitEvent out{*sender, data.number("max_bitrate", 0, kMaxBitrateBps), {}};
    for (const uint64_t layer : data.numbers("layers", kMaxLayer + 1, kMaxLayer)) {
      out.layers.push_back(static_cast<uint8_t>(layer));
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ServerMessage> parse_server_message(ByteView message, bool is_text) {
  Problem problem;
  nlohmann::json document;
  if (!parse_message(message, is_text, document, problem)) return std::nullopt;
  const Fields fields(document, "", problem);
  const std::string type = fields.text("type", kMaxNameBytes, Text::kFree);
  std::optional<ServerMessage> out;
  if (type == "answer") {
    out = read_answer(fields);
  } else if (type == "event") {
    std::optional<Event> event = read_event(fields);
    const std::string name = fields.text("event", kMaxNameBytes * 2, Text::kName);
    if (auto id = middle(name, kMixMinusEventPrefix, kStateEventSuffix); id && !problem.found()) {
      event = read_mix_minus(std::move(*id), document["data"]);
    }
    if (event) out = std::move(*event);
  }
  if (problem.found()) return std::nullopt;
  return out;
}

}  // namespace atm::json
