#include "core/ice/check_list.h"

namespace atm::ice {

bool CheckList::add_local(const Candidate& candidate) {
  const auto same = [&](const Candidate& known) { return known.address == candidate.address; };
  if (std::any_of(local_.begin(), local_.end(), same)) return true;
  if (local_.size() == kMaxLocalCandidates) return false;
  local_.push_back(candidate);
  for (const Candidate& remote : remote_) add_pair(candidate, remote);
  return true;
}

bool CheckList::add_remote(const Candidate& candidate) {
  const auto same = [&](const Candidate& known) { return known.address == candidate.address; };
  const auto known = std::find_if(remote_.begin(), remote_.end(), same);
  if (known != remote_.end()) {
    refine(*known, candidate);
    return true;
  }
  if (remote_.size() == kMaxRemoteCandidates) return false;
  remote_.push_back(candidate);
  for (const Candidate& local : local_) add_pair(local, candidate);
  return true;
}

// Learned from a check (RFC 8445 7.3.1.3), and told of now: what it is and its priority are known better. A relayed
// address would otherwise be taken for a host behind a NAT, and preferred.
void CheckList::refine(Candidate& known, const Candidate& told) {
  if (known.type != CandidateType::kPeerReflexive || told.type == CandidateType::kPeerReflexive) return;
  known = told;
  for (CandidatePair& pair : pairs_) {
    if (pair.path.remote != told.address) continue;
    pair.remote_priority = told.priority;
    pair.is_relayed |= told.type == CandidateType::kRelayed;
    pair.priority = priority_of(pair);
  }
  sort();
}

void CheckList::remove_local(const Candidate& candidate) {
  std::erase_if(local_, [&](const Candidate& known) { return known.address == candidate.address; });
  const Base base = base_of(candidate);
  if (std::any_of(local_.begin(), local_.end(), [&](const Candidate& other) { return base_of(other) == base; })) return;
  std::erase_if(pairs_, [&](const CandidatePair& pair) { return base_of(pair.path) == base; });
}

void CheckList::clear_remote() {
  remote_.clear();
  pairs_.clear();
}

// RFC 8445 6.1.2.2: pairs have one component, one address family, and link-local addresses keep to themselves.
void CheckList::add_pair(const Candidate& local, const Candidate& remote) {
  const Base base = base_of(local);
  const IpAddress& a = base.ip;
  const IpAddress& b = remote.address.ip;
  if (local.component != remote.component || a.is_v4() != b.is_v4()) return;
  if (!a.is_v4() && a.is_link_local() != b.is_link_local()) return;
  CandidatePair pair;
  pair.path = {remote.address, a, Transport::kUdp, base.local_port};
  pair.is_relayed = local.type == CandidateType::kRelayed || remote.type == CandidateType::kRelayed;
  pair.local_priority = local.priority;
  pair.remote_priority = remote.priority;
  pair.priority = priority_of(pair);
  pair.check_priority = reflexive_priority(local.priority);
  insert(pair);
}

uint64_t CheckList::priority_of(const CandidatePair& pair) const {
  return is_controlling_ ? pair_priority(pair.local_priority, pair.remote_priority)
                         : pair_priority(pair.remote_priority, pair.local_priority);
}

void CheckList::set_controlling(bool is_controlling) {
  is_controlling_ = is_controlling;
  for (CandidatePair& pair : pairs_) {
    pair.priority = priority_of(pair);
    if (pair.state == PairState::kInProgress) pair.state = PairState::kWaiting;
    pair.nominating = false;
    pair.chosen = false;
  }
  sort();
}

void CheckList::sort() {
  std::stable_sort(pairs_.begin(), pairs_.end(), [](const auto& a, const auto& b) { return a.priority > b.priority; });
}

void CheckList::insert(CandidatePair pair) {
  // RFC 8445 6.1.2.4: two pairs of one path are one; the first keeps its place. That of a server-reflexive candidate is
  // its host's, which was there before.
  const auto same = [&](const CandidatePair& known) { return known.path == pair.path; };
  if (std::any_of(pairs_.begin(), pairs_.end(), same)) return;
  const auto at = std::upper_bound(pairs_.begin(), pairs_.end(), pair,
                                   [](const auto& x, const auto& y) { return x.priority > y.priority; });
  pairs_.insert(at, pair);
  if (pairs_.size() > kMaxPairs) pairs_.pop_back();  // RFC 8445 6.1.2.5
}

void CheckList::search(Instant now) {
  searching_ = true;
  first_success_at_ = kNever;
  next_check_at_ = std::max(next_check_at_, now);
  for (CandidatePair& pair : pairs_) {
    pair.state = PairState::kWaiting;
    pair.nominating = false;
  }
}

void CheckList::stop() {
  searching_ = false;
  // RFC 8445 8.1.2: nothing waiting is sent any more and nothing in progress again.
  for (CandidatePair& pair : pairs_) {
    if (pair.state == PairState::kInProgress) pair.state = PairState::kWaiting;
    pair.nominating = false;
    pair.triggered = false;
  }
}

bool CheckList::has_failed() const {
  const auto failed = [](const CandidatePair& pair) { return pair.state == PairState::kFailed; };
  return searching_ && !pairs_.empty() && std::all_of(pairs_.begin(), pairs_.end(), failed);
}

CandidatePair* CheckList::find(const Path& path) {
  const auto at =
      std::find_if(pairs_.begin(), pairs_.end(), [&](const CandidatePair& known) { return known.path == path; });
  return at == pairs_.end() ? nullptr : &*at;
}

bool CheckList::trigger(Instant now, const Request& request) {
  if (!searching_ && !request.chosen) return false;
  CandidatePair* pair = find(request.path);
  if (pair == nullptr) pair = add_reflexive(now, request.path, request.priority);
  if (pair == nullptr) return false;
  if (request.chosen) {  // the last choice counts
    for (CandidatePair& other : pairs_) other.chosen = false;
    pair->chosen = true;
  }
  if (pair->state == PairState::kSucceeded) {
    if (request.is_validated) {
      if (request.chosen) stop();
      return request.chosen;
    }
    if (!searching_) pair->state = PairState::kWaiting;  // it answered once, and that has expired
  }
  if (pair->state == PairState::kFailed) pair->state = PairState::kWaiting;
  // RFC 8445 7.3.1.4 has a check that is in progress begun again: what came from there has opened the way through the
  // NATs for it. To send it again does the same, and its first answer counts too.
  if (pair->state == PairState::kInProgress && !pair->hurried && pair->transaction.sends < kCheckSends) {
    pair->hurried = true;
    pair->transaction.retry_at = std::min(pair->transaction.retry_at, std::max(now, pair->transaction.sent_at + kPace));
  }
  pair->triggered |= pair->state == PairState::kWaiting;
  return false;
}

// RFC 8445 7.3.1.3: a remote candidate that nobody told us of.
CandidatePair* CheckList::add_reflexive(Instant now, const Path& path, uint32_t priority) {
  const auto local = std::find_if(local_.begin(), local_.end(),
                                  [&](const Candidate& known) { return base_of(known) == base_of(path); });
  if (local == local_.end() || !make_room_for_reflexive(now, path)) return nullptr;
  if (remote_.size() == kMaxRemoteCandidates) return nullptr;
  Candidate reflexive;
  reflexive.foundation = "prflx" + std::to_string(remote_.size());
  reflexive.priority = priority;
  reflexive.address = path.remote;
  reflexive.type = CandidateType::kPeerReflexive;
  remote_.push_back(reflexive);
  add_pair(*local, reflexive);
  CandidatePair* pair = find(path);
  if (pair != nullptr) pair->is_reflexive = true;
  return pair;
}

bool CheckList::make_room_for_reflexive(Instant now, const Path& path) {
  const auto is_like = [&](const CandidatePair& pair) {
    return pair.is_reflexive && base_of(pair.path) == base_of(path) && pair.path.remote.ip == path.remote.ip;
  };
  if (static_cast<size_t>(std::count_if(pairs_.begin(), pairs_.end(), is_like)) < kMaxReflexivePairs) return true;
  const auto old = std::find_if(pairs_.begin(), pairs_.end(), [&](const CandidatePair& pair) {
    return is_like(pair) && pair.state == PairState::kFailed && pair.transaction.sent_at + kReflexiveRest <= now;
  });
  if (old == pairs_.end()) return false;
  const SocketAddress address = old->path.remote;
  pairs_.erase(old);
  const auto has_it = [&](const CandidatePair& pair) { return pair.path.remote == address; };
  if (std::any_of(pairs_.begin(), pairs_.end(), has_it)) return true;
  std::erase_if(remote_, [&](const Candidate& known) {
    return known.address == address && known.type == CandidateType::kPeerReflexive;
  });
  return true;
}

bool CheckList::owns(const stun::TransactionId& id) const {
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const CandidatePair& pair) {
    return pair.state == PairState::kInProgress && pair.transaction.id == id;
  });
}

// RFC 8445 14.3: at least 500 ms, and long enough for every pair to have had its turn.
Duration CheckList::initial_rto() const {
  const auto open = std::count_if(pairs_.begin(), pairs_.end(), [](const CandidatePair& pair) {
    return pair.state == PairState::kWaiting || pair.state == PairState::kInProgress;
  });
  return std::max<Duration>(kMinCheckRto, kPace * open);
}

void CheckList::send_new(Instant now, CandidatePair& pair, const RemoteAgent& remote, SendBatch& out,
                         Counters& counters) {
  pair.state = PairState::kInProgress;
  pair.hurried = false;
  Transaction& transaction = pair.transaction;
  transaction.id = make_transaction_id(rng_);
  transaction.sent_at = now;
  transaction.first_rto = initial_rto();
  transaction.rto = transaction.first_rto;
  transaction.retry_at = now + transaction.rto;
  transaction.sends = 1;
  transaction.is_controlling = is_controlling_;
  next_check_at_ = now + kPace;
  remote.send_check(pair.path, {transaction.id, pair.check_priority, pair.nominating}, out);
  ++counters.checks_sent;
}

void CheckList::retransmit(Instant now, CandidatePair& pair, const RemoteAgent& remote, SendBatch& out,
                           Counters& counters) {
  Transaction& transaction = pair.transaction;
  if (transaction.sends == kCheckSends) {  // RFC 8445 7.2.5.2.3: no answer
    pair.state = PairState::kFailed;
    pair.nominating = pair.triggered = false;
    return;
  }
  ++transaction.sends;
  transaction.rto *= 2;
  // RFC 8489 6.2.1: after the last request Rm times the first RTO, not the doubled one.
  transaction.retry_at =
      now + (transaction.sends == kCheckSends ? kLastWaitRtos * transaction.first_rto : transaction.rto);
  remote.send_check(pair.path, {transaction.id, pair.check_priority, pair.nominating}, out);
  ++counters.checks_sent;
}

CheckList::Outcome CheckList::on_response(Now now, const Path& path, const stun::Message& message,
                                          const RemoteAgent& remote, SendBatch& out, Counters& counters) {
  const auto pair = std::find_if(pairs_.begin(), pairs_.end(), [&](const CandidatePair& known) {
    return known.state == PairState::kInProgress && known.transaction.id == message.id;
  });
  if (pair == pairs_.end()) return {};
  const bool was_nominating = pair->nominating;
  // RFC 8489 9.1.4: what is not authentic is as if it had never come. Errors from before authentication are unsigned:
  // their transaction id is all that they have to show, and to fail a pair the worst that they can do.
  const bool is_error = message.message_class == stun::Class::kError;
  const uint16_t code = is_error && message.error ? message.error->code : uint16_t{0};
  if (!remote.verifies(message) && code != 400 && code != 401) {
    ++counters.bad_response_integrity;
    return {};
  }
  if (code == 487) {  // RFC 8445 7.2.5.1
    ++counters.role_conflict;
    pair->state = PairState::kWaiting;
    pair->nominating = false;
    pair->triggered = true;
    return Conflict{pair->transaction.is_controlling};
  }
  if (is_error) {  // RFC 8445 7.2.5.2.4
    ++counters.errors_received;
    pair->state = PairState::kFailed;
    pair->nominating = pair->triggered = false;
    return {};
  }
  if (path != pair->path) {  // RFC 8445 7.2.5.2.1
    ++counters.asymmetric_response;
    pair->state = PairState::kFailed;
    pair->nominating = pair->triggered = false;
    return {};
  }
  ++counters.responses;
  pair->state = PairState::kSucceeded;
  pair->nominating = pair->triggered = false;
  first_success_at_ = std::min(first_success_at_, now.mono);
  const bool is_nominated = was_nominating || pair->chosen;
  Answer answer{path, is_nominated, std::nullopt, message.xor_mapped_address};
  // A request that was sent twice does not tell which of the two was answered (Karn's algorithm).
  if (pair->transaction.sends == 1) answer.rtt = now.mono - pair->transaction.sent_at;
  if (is_nominated) {
    stop();
  } else {
    on_timeout(now, remote, out, counters);  // nominates at once when there is nothing better to wait for
  }
  return answer;
}

Instant CheckList::nomination_at() const {
  if (!is_controlling_ || !searching_) return kNever;
  Instant at = first_success_at_;
  bool is_better_open = false, is_direct_open = false;
  for (const CandidatePair& pair : pairs_) {
    if (pair.nominating) return kNever;
    if (pair.state == PairState::kSucceeded) {
      // RFC 8445 8.1.1 leaves it to us for how long: a better one is open, or it is none of two hosts.
      if (is_better_open) at += is_direct_open && pair.is_relayed ? kRelayedPatience : kNominationPatience;
      return at;
    }
    const bool is_open = pair.state != PairState::kFailed && first_success_at_ != kNever;
    is_better_open |= is_open;
    is_direct_open |= is_open && !pair.is_relayed;
  }
  return kNever;
}

CandidatePair* CheckList::find_nominee(Instant now) {
  if (!is_controlling_ || !searching_ || now < nomination_at()) return nullptr;
  const auto best = std::find_if(pairs_.begin(), pairs_.end(),
                                 [](const CandidatePair& pair) { return pair.state == PairState::kSucceeded; });
  return best == pairs_.end() ? nullptr : &*best;
}

void CheckList::on_timeout(Now now, const RemoteAgent& remote, SendBatch& out, Counters& counters) {
  for (CandidatePair& pair : pairs_) {
    if (pair.state == PairState::kInProgress && now.mono >= pair.transaction.retry_at) {
      retransmit(now.mono, pair, remote, out, counters);
    }
  }
  if (CandidatePair* nominee = find_nominee(now.mono)) {
    // RFC 8445 8.1.1: the chosen pair's check is repeated with USE-CANDIDATE. Ahead of the pace: it is the one check
    // that everything waits for.
    nominee->nominating = true;
    send_new(now.mono, *nominee, remote, out, counters);
    return;
  }
  if (now.mono < next_check_at_) return;
  const auto waits = [](const CandidatePair& pair) { return pair.state == PairState::kWaiting; };
  const auto is_triggered = [&](const CandidatePair& pair) { return waits(pair) && pair.triggered; };
  auto next = std::find_if(pairs_.begin(), pairs_.end(), is_triggered);
  if (next == pairs_.end() && searching_) next = std::find_if(pairs_.begin(), pairs_.end(), waits);
  if (next != pairs_.end()) send_new(now.mono, *next, remote, out, counters);
}

Instant CheckList::next_timeout() const {
  Instant out = nomination_at();
  for (const CandidatePair& pair : pairs_) {
    if (pair.state == PairState::kInProgress) out = std::min(out, pair.transaction.retry_at);
    if (pair.state == PairState::kWaiting && (searching_ || pair.triggered)) out = std::min(out, next_check_at_);
  }
  return out;
}

}  // namespace atm::ice
