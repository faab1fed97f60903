// What a session takes of its configuration: all of it. Tests of the tests put a library in its place that takes no
// notice of single properties (tests/sdk/ignoring); these two are the only door for that.
#pragma once

#include "atm0s/config.h"

namespace atm0s {

SessionConfig taken(SessionConfig config);
SenderConfig taken(SenderConfig config);

}  // namespace atm0s
