// What a session's token lets it do, and until when; and the renewals that control has been asked to judge. One for
// each session, in media/session, which ends when `ends_at` is reached. Promises: a renewal that nobody judges in time
// comes out of expired(). Does not read tokens: control/token does.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "contract/session.h"

namespace atm::session {

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
  bool may_publish() const { return publish_.value_or(grant_.publish); }
  bool may_subscribe() const { return subscribe_.value_or(grant_.subscribe); }
  // By the admin API, over what this token and those to come say; absent: as it is.
  void override_rights(std::optional<bool> publish, std::optional<bool> subscribe) {
    if (publish) publish_ = publish;
    if (subscribe) subscribe_ = subscribe;
  }
  // On the monotonic clock: a wall clock that is set while the session is there does not end it.
  Instant ends_at() const { return ends_at_; }

  // False: too many wait already.
  bool ask(Now now, uint64_t req_id) {
    if (asked_.size() >= kMaxRenewals) return false;
    asked_.push_back({req_id, now.mono + kRenewalTimeout});
    return true;
  }
  // Two renewals that overtake each other: false for the one with the lower req_id when the other counts already.
  bool is_newest(uint64_t req_id) {
    if (renewed_by_ && req_id < *renewed_by_) return false;
    renewed_by_ = req_id;
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
  std::optional<bool> publish_, subscribe_;
  Instant ends_at_ = kNever;
  std::optional<uint64_t> renewed_by_;
  std::vector<Asked> asked_;  // in the order of their deadlines
};

}  // namespace atm::session
