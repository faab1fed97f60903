// What an agent is in its session, for its whole life.
#pragma once

#include <cstdint>

namespace atm0s::ice {

// kLite: the server (RFC 8445 2.5): answers checks, sends none, is always controlled.
// kControlling: a client's full agent: sends checks and nominates. The controlled full agent has no user yet.
enum class Role : uint8_t { kLite, kControlling };

}  // namespace atm0s::ice
