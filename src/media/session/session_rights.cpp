// Session: what its token and the admin API let its client do: renewals in the call, rights that are given and taken,
// streams that are muted.
#include "media/session/session.h"

namespace atm::session {

using contract::SenderState;

Session::Answer Session::on(Now now, uint64_t req_id, const contract::PeerToken& body, Output& out) {
  if (!admission_.ask(now, req_id)) return fail(ErrorCode::kTooMany, "too many tokens wait to be looked at");
  out.questions.push_back({conn_id_, req_id, request_.room, request_.peer, body.token});
  out.touched.push_back(id_);
  return Later{};
}

void Session::on_verdict(Now now, contract::TokenVerdict verdict, Output& out) {
  if (is_closing() || !admission_.take(verdict.req_id)) return;
  if (!verdict.grant) return answer(now, verdict.req_id, tl::unexpected(std::move(verdict.grant.error())), out);
  if (admission_.is_newest(verdict.req_id)) {
    admission_.renew(now, std::move(*verdict.grant));
    publisher_limit_.set_max(max_video_bps());
    limit_due_ = std::min(limit_due_, now.mono);
    apply_rights(out);
  }
  answer(now, verdict.req_id, std::string(), out);
}

void Session::override_rights(std::optional<bool> publish, std::optional<bool> subscribe, Output& out) {
  admission_.override_rights(publish, subscribe);
  apply_rights(out);
}

void Session::apply_rights(Output& out) {
  for (auto& [name, sender] : senders_) {
    if (!admission_.may_publish()) {
      unpublish(sender, out);
    } else if (is_present_) {
      publish(sender, out);
    }
  }
  if (!admission_.may_subscribe()) {
    for (auto& [id, entry] : receivers_) room_.unbind(*entry.receiver, out);
    room_.remove_mixers(id_, out);
  } else if (is_present_) {
    open_mixer(out);
  }
  out.touched.push_back(id_);
}

void Session::check_admission(Now now, Output& out) {
  while (const auto late = admission_.take_late(now.mono)) {
    answer(now, *late, fail(ErrorCode::kBusy, "the token could not be looked at in time"), out);
  }
  if (now.mono >= admission_.ends_at()) close(now, contract::Ending::kTokenExpired, out);
}

bool Session::mute(const std::string& name, bool is_muted, Output& out) {
  const auto it = senders_.find(name);
  if (it == senders_.end()) return false;
  if (is_muted) {
    muted_.insert(name);
  } else {
    muted_.erase(name);
  }
  if (it->second.source != nullptr) take_active(it->second, out);
  return true;
}

void Session::take_active(Sender& sender, Output& out) {
  const bool is_active = this->is_active(sender);
  const bool has_changed = sender.source->active != is_active;
  sender.source->active = is_active;
  sender.source->label = sender.info.label;
  room_.on_updated(*sender.source, has_changed, out);
  if (has_changed) set_state(sender, is_active ? SenderState::kConnecting : SenderState::kDeactived, out);
}

}  // namespace atm::session
