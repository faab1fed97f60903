// Any data channel message: parse_rpc() must refuse or read it, and what it read must come back the same. The same
// bytes as an HTTP body and as a server's message must be refused or read, too.
#include "base/assert.h"
#include "contract/json/http_body.h"
#include "contract/json/rpc.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  const ByteView bytes(data, size);
  for (const bool is_text : {true, false}) {
    const auto first = json::parse_rpc(bytes, is_text);
    json::parse_server_message(bytes, is_text);
    const auto* request = std::get_if<contract::RpcRequest>(&first);
    if (request == nullptr) continue;
    const std::string text = json::to_json(*request);
    const auto second = json::parse_rpc(as_bytes(text), true);
    // Written with its defaults a message can be longer than what was read, and so over the limit.
    if (const auto* again = std::get_if<contract::RpcRequest>(&second)) ASSERT(json::to_json(*again) == text);
  }
  std::string token;
  const auto connect = json::parse_connect(as_text(bytes), &token);
  if (connect) {
    const std::string text = json::to_json(*connect, token);
    const auto again = json::parse_connect(text, &token);
    if (again) ASSERT(json::to_json(*again, token) == text);
  }
  (void)json::parse_ice_remote(as_text(bytes));
  (void)json::parse_ice_restart(as_text(bytes));
  (void)json::parse_token_request(contract::TokenKind::kWebrtc, as_text(bytes));
  return 0;
}
