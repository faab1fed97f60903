// The RPC of the data channel in its JSON form: requests in, answers and events out, and both the other way round for
// clients of the protocol (the SDK, the simulation). Called by media/session for every data channel message.
// A message is text, or a binary zlib stream of that text; both are bounded. Nothing a peer sends is an error of ours:
// a refused message comes back as RpcReject, with the req_id if it can be answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "contract/session.h"

namespace atm::json {

// The SDK compresses from this size on (counted in UTF-16 units there; bytes are close enough for a client of ours).
inline constexpr size_t kCompressFromBytes = 1000;

// Server side. An answer or event from a client has no req_id in its reject: answering an answer could go on for ever.
std::variant<contract::RpcRequest, contract::RpcReject> parse_rpc(ByteView message, bool is_text);
std::string to_json(const contract::RpcAnswer& answer);
std::string to_json(const contract::Event& event);
// The answer to a reject that has a req_id.
contract::RpcAnswer answer_to(const contract::RpcReject& reject);

// Client side. nullopt: malformed, or an event that this build does not know.
std::string to_json(const contract::RpcRequest& request);
using ServerMessage = std::variant<contract::RpcAnswer, contract::Event>;
std::optional<ServerMessage> parse_server_message(ByteView message, bool is_text);

// `peer_hash` of events: 32 bits of FNV-1a over the peer's id, stable over servers and versions.
uint32_t peer_hash(std::string_view peer);

}  // namespace atm::json
