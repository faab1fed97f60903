// The issue calls of the token API (`POST /app/{webrtc,whip,whep}_session`) as a plain struct that knows no encoding.
// Decoded by contract/json, answered by control/http with a token of control/token.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace atm::contract {

enum class TokenKind : uint8_t { kWebrtc, kWhip, kWhep };

struct TokenRequest {
  TokenKind kind = TokenKind::kWebrtc;
  std::string room;
  std::optional<std::string> peer;  // always there for kWhip
  bool publish = true;              // kWebrtc alone; the other two publish, or subscribe, by what they are
  bool subscribe = true;
  std::optional<std::chrono::seconds> expires_in;  // absent: the token does not expire, as in the first generation
};

}  // namespace atm::contract
