// zlib streams (RFC 1950) of data channel messages: the first-generation SDK compresses what has 1,000 characters or
// more. Called by the RPC parser, and by clients of the protocol that want to send like it. Bounded in size; says
// nothing about what is inside.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace atm::json {

// Exactly one whole stream of at most `bytes_max` bytes, or nothing; `too_large` tells the two reasons apart.
std::optional<std::string> inflate(ByteView stream, size_t bytes_max, bool& too_large);
Bytes deflate(std::string_view text);

}  // namespace atm::json
