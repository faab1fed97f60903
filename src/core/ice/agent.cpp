#include "core/ice/agent.h"

#include <algorithm>

#include "base/assert.h"
#include "wire/stun/message.h"

namespace atm::ice {

Agent::Agent(Role role, Credentials local, Rng& rng)
    : rng_(rng),
      role_(role),
      tie_breaker_(rng.u64()),
      responder_(role, tie_breaker_, std::move(local)),
      checks_(rng),
      consent_(rng) {
  checks_.set_controlling(role == Role::kControlling);
}

void Agent::set_remote(Now now, Credentials remote) {
  if (role_ == Role::kLite) return;
  if (remote_ && !awaits_remote_ && remote_->credentials() == remote) return;  // the same answer again
  remote_.emplace(std::move(remote), local().ufrag, tie_breaker_);
  remote_->stand(role_ == Role::kControlling, tie_breaker_);
  role_switches_ = 0;
  awaits_remote_ = false;
  consent_.forget();
  searches_for_quiet_ = false;
  if (started_) search(now);
}

void Agent::add_local_candidate(const Candidate& candidate) {
  if (!checks_.add_local(candidate)) ++counters_.candidates_refused;
}

void Agent::remove_local_candidate(const Candidate& candidate) {
  checks_.remove_local(candidate);
  const auto& left = checks_.local();
  const Base base = base_of(candidate);
  if (std::any_of(left.begin(), left.end(), [&](const Candidate& other) { return base_of(other) == base; })) return;
  const bool had_path = selected().has_value();
  paths_.remove_from(base);
  if (had_path && !selected()) lost_ = true;
}

std::optional<CandidateType> Agent::selected_type() const {
  if (!selected()) return std::nullopt;
  const bool is_mapped = mapped_address_ && mapped_over_ == selected();
  std::optional<CandidateType> of_base;
  for (const Candidate& candidate : checks_.local()) {
    if (base_of(candidate) != base_of(*selected())) continue;
    if (is_mapped && candidate.address == mapped_address_) return candidate.type;
    if (candidate.type == CandidateType::kRelayed) return candidate.type;
    if (candidate.type == CandidateType::kHost) of_base = candidate.type;
  }
  // A NAT gave the way to the remote side an address of its own.
  return is_mapped ? CandidateType::kPeerReflexive : of_base;
}

void Agent::add_remote_candidate(const Candidate& candidate) {
  if (role_ == Role::kLite) return;
  // RFC 8839 4.4: a trickled candidate that belongs to another generation than the current one.
  const bool is_stale =
      !candidate.ufrag.empty() && remote_ && !awaits_remote_ && candidate.ufrag != remote_->credentials().ufrag;
  if (is_stale || !checks_.add_remote(candidate)) ++counters_.candidates_refused;
}

void Agent::start(Now now, SendBatch& out) {
  if (role_ == Role::kLite || started_) return;
  started_ = true;
  search(now);
  on_timeout(now, out);
}

void Agent::search(Now now) {
  searched_at_ = now.mono;
  checks_.search(now.mono);
}

// With a path in use that has gone quiet, or that a failed search left unconfirmed.
Instant Agent::search_again_at() const {
  if (awaits_remote_ || !selected()) return kNever;
  if (checks_.is_searching()) return checks_.has_failed() ? searched_at_ + kQuietAfter : kNever;
  return std::max(paths_.selected_proved_at(), searched_at_) + kQuietAfter;
}

void Agent::restart(Now now, Credentials local_credentials) {
  responder_.restart(now, std::move(local_credentials));
  if (role_ == Role::kLite) return;
  awaits_remote_ = true;
  lost_ = false;
  checks_.stop();
  checks_.clear_remote();
}

bool Agent::on_datagram(Now now, const Path& path, ByteView datagram, SendBatch& out) {
  const auto message = stun::parse_message(datagram);
  if (!message) {
    ++counters_.malformed;
    return false;
  }
  // RFC 8445 7.1, 7.2.5, RFC 8489 7: ICE always uses FINGERPRINT; what lacks it is for somebody else.
  if (message->fingerprint != stun::Fingerprint::kRight) {
    ++counters_.bad_fingerprint;
    return false;
  }
  if (message->method == stun::kBinding) {
    switch (message->message_class) {
      case stun::Class::kRequest:
        return on_request(now, path, *message, datagram.size(), out);
      case stun::Class::kSuccess:
      case stun::Class::kError:
        return on_response(now, path, *message, out);
      case stun::Class::kIndication:
        break;  // RFC 8445 11: a keepalive, which proves nothing
    }
  }
  ++counters_.unexpected_message;
  return false;
}

bool Agent::on_request(Now now, const Path& path, const stun::Message& request, size_t size, SendBatch& out) {
  const auto accepted = responder_.on_request(now, path, request, size, out, counters_);
  if (!accepted) return false;
  if (role_ != Role::kLite) return on_request_to_full(now, path, *accepted);
  prove(now, path);
  // RFC 8445 7.3.2: the controlling side chose this path. It may choose again: libwebrtc sends USE-CANDIDATE over
  // whatever it uses, and has moved to another interface then. After a restart the old generation chooses no more.
  if (accepted->use_candidate && accepted->generation >= nominated_generation_) {
    nominated_generation_ = accepted->generation;
    paths_.nominate(path);
  } else if (accepted->generation >= nominated_generation_ && path != selected() &&
             now.mono - paths_.selected_proved_at() >= kQuietAfter) {
    // The peer has moved, behind a NAT say, and does not repeat USE-CANDIDATE: RFC 7675 has its checks go where it
    // sends.
    paths_.nominate(path);
  }
  return true;
}

bool Agent::on_request_to_full(Now now, const Path& path, const Responder::Accepted& request) {
  if (request.switches_role && !switch_role()) return false;
  // RFC 8445 7.3.1.4: it proves nothing about the way there; our own check will.
  last_authenticated_ = now.mono;
  const bool is_chosen = role_ == Role::kControlled && request.use_candidate;
  // RFC 8445 7.3.1.5: what the other side chose is in use once our own check of it has been answered.
  if (checks_.trigger(now.mono, {path, request.priority, is_chosen, is_validated(path)})) select(now, path);
  return true;
}

// RFC 8445 7.2.5.1, 7.3.1.1. False when a peer has us do it all the time.
bool Agent::switch_role() {
  if (role_switches_ == kMaxRoleSwitches) return false;
  ++role_switches_;
  role_ = role_ == Role::kControlling ? Role::kControlled : Role::kControlling;
  responder_.stand(role_, tie_breaker_);
  checks_.set_controlling(role_ == Role::kControlling);
  if (remote_) remote_->stand(role_ == Role::kControlling, tie_breaker_);
  return true;
}

void Agent::prove(Now now, const Path& path) {
  last_authenticated_ = now.mono;
  lost_ = false;
  if (paths_.prove(path, now.mono)) ++counters_.paths_evicted;
}

bool Agent::on_response(Now now, const Path& path, const stun::Message& response, SendBatch& out) {
  if (remote_ && consent_.owns(response.id)) return on_consent_response(now, path, response);
  if (!remote_ || !checks_.owns(response.id)) {
    ++counters_.unexpected_message;
    return false;
  }
  const auto outcome = checks_.on_response(now, path, response, *remote_, out, counters_);
  if (const auto* conflict = std::get_if<CheckList::Conflict>(&outcome)) {
    // Of two checks that were sent in the old role, the second finds the new one already.
    if (conflict->sent_as_controlling != (role_ == Role::kControlling)) return false;
    tie_breaker_ = rng_.u64();  // RFC 8445 7.2.5.1
    if (switch_role()) return false;
    checks_.stop();
    lost_ = !selected();
    return false;
  }
  const auto* answer = std::get_if<CheckList::Answer>(&outcome);
  if (answer == nullptr) return false;
  const bool had_path = selected().has_value();
  prove(now, path);
  // The first path is in use before it is nominated, so consent is kept up from here on.
  if (!had_path) consent_.start(now.mono, check_priority_of(path));
  if (answer->rtt) rtt_ = answer->rtt;
  if (answer->nominated) select(now, path);
  note_mapped(path, answer->mapped_address);
  return true;
}

void Agent::note_mapped(const Path& path, const std::optional<SocketAddress>& mapped) {
  if (!mapped || path != selected()) return;
  mapped_address_ = mapped;
  mapped_over_ = path;
}

void Agent::select(Now now, const Path& path) {
  if (is_nominated() && selected() == path) return;  // chosen again: the consent checks keep their pace
  paths_.nominate(path);
  consent_.start(now.mono, check_priority_of(path));
}

uint32_t Agent::check_priority_of(const Path& path) const {
  const auto local = std::find_if(checks_.local().begin(), checks_.local().end(),
                                  [&](const Candidate& known) { return base_of(known) == base_of(path); });
  const uint32_t own = local == checks_.local().end() ? 0 : local->priority;
  return reflexive_priority(own);
}

bool Agent::on_consent_response(Now now, const Path& path, const stun::Message& response) {
  // RFC 7675 5.1: only an authentic success is consent; an error neither gives nor takes it.
  if (response.message_class != stun::Class::kSuccess) {
    ++counters_.errors_received;
    return false;
  }
  if (!remote_->verifies(response)) {
    ++counters_.bad_response_integrity;
    return false;
  }
  const auto answer = consent_.on_success(now.mono, path, response.id);
  if (!answer) {
    ++counters_.asymmetric_response;
    return false;
  }
  ++counters_.responses;
  prove(now, path);
  rtt_ = answer->rtt;
  note_mapped(path, response.xor_mapped_address);
  if (searches_for_quiet_ && is_nominated() && path == selected()) {
    searches_for_quiet_ = false;
    checks_.stop();
  }
  return true;
}

void Agent::on_path_closed(const Path& path) {
  const bool had_path = selected().has_value();
  if (!paths_.remove(path)) return;
  ++counters_.paths_closed;
  if (had_path && !selected()) lost_ = true;
}

void Agent::on_timeout(Now now, SendBatch& out) {
  const bool had_path = selected().has_value();
  paths_.expire(now.mono);
  if (had_path && !selected()) lost_ = true;
  if (role_ == Role::kLite || !remote_) return;
  if (lost_) {
    // RFC 7675 5.1: without consent nothing more is sent there; a restart asks anew.
    consent_.stop();
    checks_.stop();
    return;
  }
  const bool is_chosen = role_ == Role::kControlling && is_nominated() && !awaits_remote_ && !checks_.is_searching();
  if (selected() && consent_.on_timeout(now.mono, *selected(), is_chosen, *remote_, out)) ++counters_.checks_sent;
  if (now.mono >= search_again_at()) {
    searches_for_quiet_ = !checks_.is_searching();
    search(now);
  }
  if (started_ && !awaits_remote_) checks_.on_timeout(now, *remote_, out, counters_);
}

Instant Agent::next_timeout() const {
  Instant out = paths_.next_timeout();
  if (role_ == Role::kLite || !remote_ || lost_) return out;
  if (selected()) out = std::min(out, consent_.next_timeout());
  if (!started_ || awaits_remote_) return out;
  return std::min({out, search_again_at(), checks_.next_timeout()});
}

State Agent::state() const {
  if (selected()) return State::kConnected;
  if (lost_ || (!awaits_remote_ && checks_.has_failed())) return State::kFailed;
  return started_ ? State::kChecking : State::kNew;
}

std::optional<std::string_view> Agent::peek_local_ufrag(ByteView datagram) {
  const auto username = stun::peek_username(datagram);
  if (!username) return std::nullopt;
  const size_t colon = username->find(':');
  if (colon == 0 || colon == std::string_view::npos || colon > kMaxUfragLength) return std::nullopt;
  return username->substr(0, colon);
}

}  // namespace atm::ice
