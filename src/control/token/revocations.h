// Tokens that do not count any more, by their `jti`. For the router, which asks it at every connect and renewal. In
// memory only: a server that starts anew knows none, so revoked tokens should expire soon. Bounded; promises never to
// forget a token that could still be used to make room for another.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace atm::token {

// Limits: named in docs/limits.md. About 100 bytes each.
inline constexpr size_t kMaxRevocations = 65'536;

class Revocations {
 public:
  // `until`: when the token expires by itself; nothing: it is not known, and never forgotten. False: the list is full.
  bool add(Now now, const std::string& id, std::optional<WallTime> until);
  bool has(const std::string& id) const { return until_.contains(id); }
  size_t size() const { return until_.size(); }

 private:
  std::unordered_map<std::string, std::optional<WallTime>> until_;
};

}  // namespace atm::token
