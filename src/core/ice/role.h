// What an agent is in its session. A full agent's role may change, when both sides took the same one.
#pragma once

#include <cstdint>

namespace atm::ice {

// kLite: the server (RFC 8445 2.5): answers checks, sends none, is always controlled.
// kControlling, kControlled: a full agent, which sends checks; the controlling one nominates.
enum class Role : uint8_t { kLite, kControlling, kControlled };

}  // namespace atm::ice
