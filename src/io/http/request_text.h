// A request of the HTTP client as the bytes that go over the wire (RFC 9112 3). Nothing that a caller gives can add a
// header or a second request: what has line breaks or is no token is refused.
#pragma once

#include <string>

#include "base/result.h"
#include "io/http/client.h"
#include "io/http/url.h"

namespace atm::io {

// INVALID_REQUEST: method or headers cannot be sent.
Result<std::string> write_request(const HttpRequest& request, const Url& url, const std::string& user_agent);

}  // namespace atm::io
