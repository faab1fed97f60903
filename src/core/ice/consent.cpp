#include "core/ice/consent.h"

#include "core/ice/path_table.h"

namespace atm::ice {

void Consent::start(Instant now, uint32_t check_priority) {
  check_priority_ = check_priority;
  next_at_ = now + interval();
}

void Consent::stop() {
  next_at_ = kNever;
  forget();
}

// RFC 7675 5.1: 0.8 to 1.2 times the interval, so that many sessions do not fall into step.
Duration Consent::interval() {
  constexpr uint32_t kSteps = 401;
  return kConsentInterval * (800 + rng_.below(kSteps)) / 1000;
}

const Consent::Check* Consent::find(const stun::TransactionId& id) const {
  for (const Check& check : checks_) {
    if (check.open && check.id == id) return &check;
  }
  return nullptr;
}

std::optional<Consent::Answer> Consent::on_success(Instant now, const Path& path, const stun::TransactionId& id) {
  for (Check& check : checks_) {
    if (!check.open || check.id != id) continue;
    // RFC 7675 5.1: consent that has run out does not come back by a late answer; RFC 8445 7.2.5.2.1: the same path.
    if (now - check.sent_at >= kConsentTimeout || check.path != path) return std::nullopt;
    check.open = false;
    return Answer{path, now - check.sent_at};
  }
  return std::nullopt;
}

bool Consent::on_timeout(Instant now, const Path& selected, bool is_chosen, const RemoteAgent& remote, SendBatch& out) {
  if (now < next_at_) return false;
  next_at_ = now + interval();
  Check& check = checks_[checks_at_];
  checks_at_ = (checks_at_ + 1) % checks_.size();
  check = {true, make_transaction_id(rng_), selected, now};
  // With USE-CANDIDATE, as libwebrtc does for the connection that it has selected: when a NAT gives this path another
  // outer address, the lite side hears a check from a new place and must know that the call is there now.
  remote.send_check(selected, {check.id, check_priority_, is_chosen}, out);
  return true;
}

}  // namespace atm::ice
