// The JSON bodies of the admin API: what is asked, decoded, and what is answered, as docs/openapi.json says. Called by
// control/http alone. Parsers are bounded (limits.h), ignore unknown fields and name the field that is wrong.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "contract/admin.h"

namespace atm::json {

struct RightsBody {
  std::optional<bool> publish, subscribe;  // one of them at least
};
struct RevokeBody {
  std::string token_id;
  std::optional<WallTime> until;
};

Result<RightsBody> parse_rights(std::string_view body);
Result<bool> parse_muted(std::string_view body);         // {"muted": true}
Result<RevokeBody> parse_revoke(std::string_view body);  // {"jti": …, "exp": seconds?}
Result<bool> parse_drain(std::string_view body);         // {"end_sessions": true}; an empty body: true

// {"status": true, "data": …}
std::string envelope(std::span<const contract::RoomsRead::Room> rooms);  // {"rooms": […]}
std::string envelope(const contract::RoomRead& room);                    // {"room", "peers": […]}
std::string envelope(const contract::PeerReport& peer);
std::string envelope_sessions(size_t sessions);  // {"sessions": n}

}  // namespace atm::json
