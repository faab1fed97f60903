// What a session's token lets it do, and until when; and the renewals that control has been asked to judge. One for
// each session, in media/session, which ends when `ends_at` is reached. Promises: a renewal that nobody judges in time
// comes out of expired(). Does not read tokens: control/token does.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "contract/session.h"

namespace atm0s::session {

// Limits: named in docs/limits.md. A client renews once in minutes.
inline constexpr size_t kMaxRenewals = 4;  // that wait for their verdict
inline constexpr Duration kRenewalTimeout = 10s;

class Admission {
 public:
  Admission(Now now, contract::Grant grant) { renew(now, std::move(grant)); }

  const contract::Grant& grant() const { return grant_; }
  // From now on this holds.
  void renew(Now now, contract::Grant grant) {
    grant_ = std::move(grant);
    ends_at_ = grant_.expires_at ? now.mono + (*grant_.expires_at - now.wall) : kNever;
  }
  void set_rights(bool publish, bool subscribe) {
    grant_.publish = publish;
    grant_.subscribe = subscribe;
  }
  // On the monotonic clock: a wall clock that is set while the session is there does not end it.
  Instant ends_at() const { return ends_at_; }

  // False: too many wait already.
  bool ask(Now now, uint64_t req_id) {
    if (asked_.size() >= kMaxRenewals) return false;
    asked_.push_back({req_id, now.mono + kRenewalTimeout});
    return true;
  }
  // False: nobody waits for a verdict on that request any more.
  bool take(uint64_t req_id) {
    return std::erase_if(asked_, [req_id](const Asked& one) { return one.req_id == req_id; }) > 0;
  }
  // One that has waited for too long; called until there is none.
  std::optional<uint64_t> take_late(Instant now) {
    if (asked_.empty() || now < asked_.front().deadline) return std::nullopt;
    const uint64_t req_id = asked_.front().req_id;
    asked_.erase(asked_.begin());
    return req_id;
  }
  Instant next_timeout() const { return asked_.empty() ? ends_at_ : std::min(ends_at_, asked_.front().deadline); }

 private:
  struct Asked {
    uint64_t req_id;
    Instant deadline;
  };

  contract::Grant grant_;
  Instant ends_at_ = kNever;
  std::vector<Asked> asked_;  // in the order of their deadlines
};

}  // namespace atm0s::session
