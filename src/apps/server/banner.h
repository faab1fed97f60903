// What the server prints when it is up: for people the addresses, tokens and links of dev mode, for programs one line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/server/config.h"

namespace atm::server {

struct Listening {
  SocketAddress http;
  std::optional<SocketAddress> https;
  std::vector<SocketAddress> media;
};

// One line for scripts, "ready {json}": http, https (or null), media.
std::string ready_line(const Listening& listening);
// For people. `token`: a ready one for room "demo" in dev mode, "" otherwise. `addresses`: this machine's.
std::string banner(const Config& config, const Listening& listening, const std::vector<IpAddress>& addresses,
                   const std::string& token);

}  // namespace atm::server
