#include "control/token/revocations.h"

namespace atm::token {

bool Revocations::add(Now now, const std::string& id, std::optional<WallTime> until) {
  if (const auto known = until_.find(id); known != until_.end()) {
    // Of two tokens with one id the longer counts.
    known->second = known->second && until ? std::optional(std::max(*known->second, *until)) : std::nullopt;
    return true;
  }
  if (until_.size() >= kMaxRevocations) {
    std::erase_if(until_, [now](const auto& entry) { return entry.second && *entry.second <= now.wall; });
  }
  if (until_.size() >= kMaxRevocations) return false;
  until_.emplace(id, until);
  return true;
}

}  // namespace atm::token
