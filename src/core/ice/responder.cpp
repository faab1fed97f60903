#include "core/ice/responder.h"

#include <algorithm>

namespace atm::ice {
namespace {

constexpr size_t kMaxAnswerSize = 128;  // bytes; the largest, a success over IPv6, has 76, a 420 with eight types 88

constexpr uint16_t kBadRequest = 400;
constexpr uint16_t kUnauthenticated = 401;
constexpr uint16_t kUnknownAttribute = 420;
constexpr uint16_t kRoleConflict = 487;

void sign_and_close(stun::MessageWriter& writer, const Integrity* integrity) {
  if (integrity != nullptr) {
    if (const auto room = writer.integrity_room()) integrity->sign(*room);
  }
  writer.fingerprint();
}

}  // namespace

Responder::Responder(Role role, uint64_t tie_breaker, Credentials local) : role_(role), tie_breaker_(tie_breaker) {
  Integrity integrity(local.pwd);
  keys_.push_back({std::move(local), std::move(integrity), 0, kNever});
}

void Responder::stand(Role role, uint64_t tie_breaker) {
  role_ = role;
  tie_breaker_ = tie_breaker;
}

void Responder::restart(Now now, Credentials local) {
  keys_.front().ends_at = now.mono + kPreviousCredentialsTime;
  const uint32_t generation = keys_.front().generation + 1;
  Integrity integrity(local.pwd);
  keys_.push_front({std::move(local), std::move(integrity), generation, kNever});
  while (keys_.size() > 1 + kMaxPreviousCredentials || now.mono >= keys_.back().ends_at) keys_.pop_back();
}

// RFC 8445 7.3: the user name's first half, up to the colon, is the one that we gave out. The second half is the peer's
// own and proves nothing: the password does.
const Responder::Key* Responder::find_key(Now now, std::string_view username) const {
  const size_t colon = username.find(':');
  if (colon == std::string_view::npos) return nullptr;
  const std::string_view ufrag = username.substr(0, colon);
  for (const Key& key : keys_) {
    if (now.mono < key.ends_at && key.credentials.ufrag == ufrag) return &key;
  }
  return nullptr;
}

bool Responder::has_ufrag(Now now, std::string_view ufrag) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const Key& key) { return now.mono < key.ends_at && key.credentials.ufrag == ufrag; });
}

Responder::Conflict Responder::conflict_of(const stun::Message& request) const {
  // RFC 8445 6.1.1: against a full agent a lite one is always controlled, so whatever the tie-breakers say, the peer
  // is the one that has to change.
  if (role_ == Role::kLite) return request.ice_controlled ? Conflict::kIsTheirs : Conflict::kNone;
  // RFC 8445 7.3.1.1: the larger tie-breaker controls, our own when they are equal.
  const auto& theirs = role_ == Role::kControlling ? request.ice_controlling : request.ice_controlled;
  if (!theirs) return Conflict::kNone;
  const bool ours_controls = tie_breaker_ >= *theirs;
  return ours_controls == (role_ == Role::kControlling) ? Conflict::kIsTheirs : Conflict::kIsOurs;
}

std::optional<Responder::Accepted> Responder::on_request(Now now, const Path& path, const stun::Message& request,
                                                         size_t size, SendBatch& out, Counters& counters) {
  if (!request.username || !request.integrity) {
    ++counters.missing_credentials;
    refuse_unproven(now, path, request, size, kBadRequest, out, counters);  // RFC 8489 9.1.3
    return std::nullopt;
  }
  const Key* key = find_key(now, *request.username);
  if (key == nullptr || !key->integrity.verifies(request)) {
    ++(key == nullptr ? counters.unknown_ufrag : counters.bad_integrity);
    refuse_unproven(now, path, request, size, kUnauthenticated, out, counters);  // RFC 8489 9.1.3
    return std::nullopt;
  }
  // MESSAGE-INTEGRITY covers no address: the check of another path, sent again from here, would otherwise prove this
  // one, and move the call with USE-CANDIDATE. No answer either.
  if (is_replay(request.id, path)) {
    ++counters.replayed;
    return std::nullopt;
  }
  // RFC 8489 6.3.1: after the credentials.
  if (!request.unknown().empty()) {
    ++counters.unknown_attributes;
    send_refusal(path, request, {kUnknownAttribute, request.unknown()}, *key, out);
    return std::nullopt;
  }
  const Conflict conflict = conflict_of(request);
  if (conflict != Conflict::kNone) ++counters.role_conflict;
  if (conflict == Conflict::kIsTheirs) {
    send_refusal(path, request, {kRoleConflict}, *key, out);
    return std::nullopt;
  }
  ++counters.requests;
  remember(request.id, path);
  send_success(path, request, *key, out);
  // RFC 8445 7.1.1 has every check carry PRIORITY; one without it still proves its path.
  return Accepted{key->generation, request.use_candidate, conflict == Conflict::kIsOurs, request.priority.value_or(0)};
}

bool Responder::is_replay(const stun::TransactionId& id, const Path& path) const {
  return std::any_of(recent_.begin(), recent_.begin() + static_cast<ptrdiff_t>(recent_count_),
                     [&](const Check& check) { return check.id == id && check.path != path; });
}

void Responder::remember(const stun::TransactionId& id, const Path& path) {
  recent_[recent_at_] = {id, path};
  recent_at_ = (recent_at_ + 1) % recent_.size();
  recent_count_ = std::min(recent_count_ + 1, recent_.size());
}

void Responder::refuse_unproven(Now now, const Path& path, const stun::Message& request, size_t size, uint16_t code,
                                SendBatch& out, Counters& counters) {
  if (errors_ == 0 || now.mono - errors_since_ >= 1s) {
    errors_since_ = now.mono;
    errors_ = 0;
  }
  uint8_t answer[kMaxAnswerSize];
  const size_t answer_size = write_refusal(answer, request, {code}, nullptr);
  // An answer longer than its request would make this server an amplifier for forged source addresses.
  const auto to_address = std::count(answered_.begin(), answered_.begin() + errors_, path.remote.ip);
  if (answer_size > size || errors_ == kMaxUnprovenErrors || to_address == kMaxErrorsPerAddress) {
    ++counters.errors_withheld;
    return;
  }
  answered_[errors_++] = path.remote.ip;
  out.append(path, {answer, answer_size});
}

// Without reason phrases: nobody reads them, and they would make the answers long.
size_t Responder::write_refusal(MutByteView out, const stun::Message& request, const Refusal& refusal, const Key* key) {
  stun::MessageWriter writer(out, stun::Class::kError, request.id);
  writer.error(refusal.code, "");
  if (!refusal.unknown.empty()) writer.unknown_attributes(refusal.unknown);
  // RFC 8489 9.1.4: signed once the request has proved that both know the key.
  sign_and_close(writer, key == nullptr ? nullptr : &key->integrity);
  return writer.finish();
}

void Responder::send_refusal(const Path& path, const stun::Message& request, const Refusal& refusal, const Key& key,
                             SendBatch& out) {
  const size_t size = write_refusal(out.reserve(kMaxAnswerSize), request, refusal, &key);
  out.commit(path, size);
}

void Responder::send_success(const Path& path, const stun::Message& request, const Key& key, SendBatch& out) {
  stun::MessageWriter writer(out.reserve(kMaxAnswerSize), stun::Class::kSuccess, request.id);
  writer.xor_mapped_address(path.remote);  // RFC 8445 7.3.1.2
  sign_and_close(writer, &key.integrity);
  out.commit(path, writer.finish());
}

}  // namespace atm::ice
