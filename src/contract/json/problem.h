// The body of a refused call of WHIP and WHEP: problem details (RFC 9457), application/problem+json. Called by
// control/http; the calls of the session protocol have envelopes (http_body.h) instead.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atm::json {

// {"type": "about:blank", "title": "Not Found", "status": 404, "detail": why, "code": "CONN_NOT_FOUND"}
std::string problem(unsigned status, std::string_view title, const Error& error);

}  // namespace atm::json
