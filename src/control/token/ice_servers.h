// The STUN and TURN servers that clients are told of, with credentials: fixed ones, or such as are good for a while
// alone, made by the scheme that coturn calls use-auth-secret and everybody the TURN REST API
// (draft-uberti-behave-turn-rest-00 2.2): the user is "<when it ends, Unix seconds>:<peer>", the password the
// HMAC-SHA1 of that under a secret that the TURN server shares, in base64. For the router, at every answer to connect.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "contract/ice_server.h"

namespace atm::token {

struct IceServerSettings {
  std::vector<std::string> urls;         // in the order in which clients are told
  std::string username, credential;      // fixed ones, of all TURN servers
  std::string turn_secret;               // or this
  std::chrono::seconds lifetime{3'600};  // of credentials made with it
};

// stun:, stuns:, turn:, turns: with a host (RFC 7064, RFC 7065).
bool is_ice_url(std::string_view url);
bool is_turn_url(std::string_view url);

// Empty without urls. STUN servers get no credentials.
std::vector<contract::IceServer> ice_servers_for(const IceServerSettings& settings, Now now, std::string_view peer);

}  // namespace atm::token
