// The client's half of http_body.h: what a server answers to the calls of the session protocol, decoded. Called by
// client/session. Bounded (limits.h); unknown fields are ignored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/ice_server.h"

namespace atm::json {

struct ConnectAnswer {
  uint64_t node_id = 0;
  std::string conn_id;
  std::string sdp;
  std::vector<contract::IceServer> ice_servers;
};

// The refusal of an envelope is the error; BAD_ANSWER when it is none.
Result<ConnectAnswer> parse_connect_answer(std::string_view body);
// Of ice_restart: the SDP answer.
Result<std::string> parse_restart_answer(std::string_view body);

// The body of POST /webrtc/ice_remote.
std::string ice_remote_body(uint64_t node_id, std::string_view conn_id, std::string_view candidate);
// The body of POST /webrtc/ice_restart.
std::string restart_body(uint64_t node_id, std::string_view conn_id, std::string_view sdp);

}  // namespace atm::json
