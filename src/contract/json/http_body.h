// The JSON bodies of the HTTP calls, first generation: what a client posts, decoded into contract structs, and the
// envelopes that it gets back. Called by control/http; to_json(ConnectRequest) by clients of the protocol.
// Every parser is bounded (limits.h), ignores unknown fields and names the field that is wrong. None verifies a token.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "contract/command.h"
#include "contract/ice_server.h"
#include "contract/session.h"
#include "contract/token_request.h"

namespace atm::json {

// `token` receives the token of the body ("" when there was none); the request's grant is left as it is.
Result<contract::ConnectRequest> parse_connect(std::string_view body, std::string* token);
std::string to_json(const contract::ConnectRequest& request, std::string_view token);

// node_id, sdp_mid and sdp_mline_index are ignored: there is one BUNDLE group, so one transport to trickle to.
Result<contract::IceRemote> parse_ice_remote(std::string_view body);
Result<contract::IceRestart> parse_ice_restart(std::string_view body);
Result<contract::TokenRequest> parse_token_request(contract::TokenKind kind, std::string_view body);

// {"status": true, "data": …}
std::string envelope_ok();                  // "OK"
std::string envelope_ready(bool is_ready);  // {"ready": true}
std::string envelope(const contract::ConnectDone& done, uint32_t node_id,
                     std::span<const contract::IceServer> ice_servers = {});
std::string envelope_token(std::string_view token);  // {"token": …}, of GET /dev/token
std::string envelope_dev_info(uint16_t https_port);  // {"https_port": 3443}, 0 when there is none
// {"status": false, "data": {"code": …, "message": …}, "error": "INVALID_TOKEN"}
std::string envelope(const Error& error);

// The token API's own envelope: {"success": true, "data": {"token": …}}, {"success": false, "error": "INVALID_TOKEN"}.
std::string token_envelope(std::string_view token);
std::string token_envelope(const Error& error);

}  // namespace atm::json
