// The bearer token of a request (RFC 6750 2.1). For the router alone.
#pragma once

#include <string_view>

#include "contract/http.h"

namespace atm::control {

// "" when there is none, or another scheme.
std::string_view bearer_token(const contract::HttpRequest& request);

}  // namespace atm::control
