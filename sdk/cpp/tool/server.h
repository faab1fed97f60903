// What the tool asks a server over HTTP, outside of sessions: tokens, rooms, whether it is there.
#pragma once

#include <string>

#include "atm0s/result.h"

namespace atm0s::tool {

struct Server {
  std::string url;
  std::string secret;
  bool verifies_tls = true;

  // The body of the answer, whatever its status.
  Result<std::string> call(const std::string& method, const std::string& path, const std::string& body = {}) const;
  // A server in dev mode gives one of a session to everybody, whatever its secret is.
  Result<std::string> dev_token(const std::string& room, const std::string& peer) const;
  Result<std::string> make_token(const std::string& room, const std::string& peer, bool publish, bool subscribe,
                                 uint32_t expires_in) const;
};

}  // namespace atm0s::tool
