// Session: what its token and the admin API let its client do: renewals in the call, rights that are given and taken.
#include "media/session/session.h"

namespace atm0s::session {

Session::Answer Session::on(Now now, uint64_t req_id, const contract::PeerToken& body, Output& out) {
  if (!admission_.ask(now, req_id)) return fail(ErrorCode::kTooMany, "too many tokens wait to be looked at");
  out.questions.push_back({conn_id_, req_id, request_.room, request_.peer, body.token});
  out.touched.push_back(id_);
  return Later{};
}

void Session::on_verdict(Now now, contract::TokenVerdict verdict, Output& out) {
  if (is_over_ || closing_at_ || !admission_.take(verdict.req_id)) return;
  if (!verdict.grant) return answer(now, verdict.req_id, tl::unexpected(std::move(verdict.grant.error())), out);
  const bool may_publish = verdict.grant->publish, may_subscribe = verdict.grant->subscribe;
  admission_.renew(now, std::move(*verdict.grant));
  apply_rights(may_publish, may_subscribe, out);
  answer(now, verdict.req_id, std::string(), out);
}

void Session::apply_rights(bool may_publish, bool may_subscribe, Output& out) {
  admission_.set_rights(may_publish, may_subscribe);
  for (auto& [name, sender] : senders_) {
    if (!may_publish) {
      unpublish(sender, out);
    } else if (is_present_) {
      publish(sender, out);
    }
  }
  if (!may_subscribe) {
    for (auto& [id, entry] : receivers_) room_.unbind(*entry.receiver, out);
  }
  out.touched.push_back(id_);
}

void Session::check_admission(Now now, Output& out) {
  while (const auto late = admission_.take_late(now.mono)) {
    answer(now, *late, fail(ErrorCode::kBusy, "the token could not be looked at in time"), out);
  }
  if (now.mono >= admission_.ends_at()) close(now, contract::Ending::kTokenExpired, out);
}

}  // namespace atm0s::session
