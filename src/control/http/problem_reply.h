// Refused calls of WHIP and WHEP as replies: the status that an error code stands for, and problem details (RFC 9457).
// For the router alone.
#pragma once

#include <string>

#include "base/result.h"
#include "contract/http.h"

namespace atm::control {

// RFC 9725 and RFC 9110 15.5 name them; docs/session-protocol.md has the list.
unsigned status_of(ErrorCode code);
// With the headers that the status asks for (WWW-Authenticate, Retry-After).
contract::HttpReply problem_reply(const Error& error);

}  // namespace atm::control
