// Session tokens: what one says (Claims), issuing, verifying, and whether it lets someone into a room.
// Called by control/http for the issue calls and for every connect; the worker gets the Grant alone.
// A token is refused with INVALID_TOKEN whatever is wrong with it; `why` is for the log and holds nothing of the token.
// `app` is carried and judged by nobody; revocations.h judges `jti`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "contract/session.h"
#include "contract/token_request.h"

namespace atm::token {

enum class Protocol : uint8_t { kWebrtc, kWhip, kWhep };

struct Claims {
  std::optional<std::string> room;  // absent: fits any
  std::optional<std::string> peer;  // absent: fits any
  Protocol protocol = Protocol::kWebrtc;
  bool publish = true;
  bool subscribe = true;
  WallTime issued_at{};                // `ts`, milliseconds in the token
  std::optional<WallTime> expires_at;  // `exp`, seconds; absent in tokens of the first generation
  std::optional<WallTime> not_before;  // `nbf`
  std::string id;                      // `jti`
  std::string app;
  uint64_t max_bitrate_bps = 0;  // 0: the server's setting holds
  std::string metadata;
};

std::string issue(const Claims& claims, std::string_view secret);
Result<Claims> verify(std::string_view jwt, std::string_view secret, Now now, Protocol expected);
// The rights of the token in that room as that peer.
Result<contract::Grant> authorize(const Claims& claims, std::string_view room, std::string_view peer);

// What an issue call asks for; `id` is random and unique.
Claims claims_for(const contract::TokenRequest& request, Now now, std::string id);

}  // namespace atm::token
