// An HTTP request and its reply as plain structs. Filled and sent by io/http, answered by control/http, which so knows
// no socket. `path` is as it came (percent-encoded, without the query); header names are compared without case.
// They promise nothing about limits: io/http has enforced its own before a request gets here.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"

namespace atm::contract {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // "GET", upper case
  std::string path;    // "/webrtc/conn/0-12ab"
  std::string query;   // "room=a%20b&peer=c", without "?"
  HttpHeaders headers;
  std::string body;
  SocketAddress remote;

  // The first header of that name, or "".
  std::string_view header(std::string_view name) const {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    for (const auto& [key, value] : headers) {
      if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                     [&](char a, char b) { return lower(a) == lower(b); })) {
        return value;
      }
    }
    return {};
  }
};

struct HttpReply {
  unsigned status = 200;
  std::string content_type = "application/json";  // "" when there is no body
  std::string body;
  HttpHeaders headers;  // beside Content-Type and Content-Length
};

}  // namespace atm::contract
