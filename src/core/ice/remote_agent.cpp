#include "core/ice/remote_agent.h"

#include "base/assert.h"

namespace atm::ice {
namespace {
// Bytes of the longest check: header, a USERNAME of two 256-character fragments, PRIORITY, USE-CANDIDATE,
// ICE-CONTROLLING or -CONTROLLED, MESSAGE-INTEGRITY and FINGERPRINT.
constexpr size_t kMaxCheckSize = 20 + (4 + 516) + 8 + 4 + 12 + 24 + 8;
}  // namespace

RemoteAgent::RemoteAgent(Credentials remote, std::string_view local_ufrag, uint64_t tie_breaker)
    : credentials_(std::move(remote)), integrity_(credentials_.pwd), tie_breaker_(tie_breaker) {
  ASSERT(credentials_.ufrag.size() <= kMaxUfragLength && local_ufrag.size() <= kMaxUfragLength);
  // RFC 8445 7.2.2: the receiver's fragment first.
  username_ = credentials_.ufrag + ':';
  username_ += local_ufrag;
}

void RemoteAgent::send_check(const Path& path, const CheckFields& fields, SendBatch& out) const {
  stun::MessageWriter writer(out.reserve(kMaxCheckSize), stun::Class::kRequest, fields.id);
  writer.username(username_);
  is_controlling_ ? writer.ice_controlling(tie_breaker_) : writer.ice_controlled(tie_breaker_);
  if (fields.use_candidate) writer.use_candidate();
  writer.priority(fields.priority);
  if (const auto room = writer.integrity_room()) integrity_.sign(*room);
  writer.fingerprint();
  const size_t size = writer.finish();
  ASSERT(size > 0);
  out.commit(path, size);
}

stun::TransactionId make_transaction_id(Rng& rng) {
  stun::TransactionId out;
  rng.fill(out.bytes);
  return out;
}

}  // namespace atm::ice
