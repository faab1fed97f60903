// Session: the requests that come over the data channel, and the answers and events that go back.
#include <algorithm>

#include "base/log.h"
#include "contract/json/rpc.h"
#include "media/quality/gate.h"
#include "media/session/session.h"

namespace atm::session {
namespace {
// A slot of a mixer is bound like a stream of nobody: {peer: "", stream: "mix_minus_default_0"}.
constexpr std::string_view kMixMinusPrefix = "mix_minus_";

bool is_mix_minus_slot(const contract::StreamKey& key) {
  return key.peer.empty() && key.stream.compare(0, kMixMinusPrefix.size(), kMixMinusPrefix) == 0;
}

struct Slot {
  std::string mixer;
  size_t slot = 0;
};
// The id of the mixer may have underscores of its own; there are fewer than ten slots.
std::optional<Slot> read_slot(std::string_view stream) {
  stream.remove_prefix(kMixMinusPrefix.size());
  if (stream.size() < 3 || stream[stream.size() - 2] != '_') return std::nullopt;
  const size_t slot = static_cast<size_t>(stream.back() - '0');
  if (slot >= mixminus::kSlots) return std::nullopt;
  return Slot{std::string(stream.substr(0, stream.size() - 2)), slot};
}

// True when `req_id` is the newest of its kind so far: of two requests for one receiver that overtake each other on the
// unordered channel the later one wins.
bool is_newest(std::optional<uint64_t>& newest, uint64_t req_id) {
  if (newest && req_id < *newest) return false;
  newest = req_id;
  return true;
}

Result<std::string> done() {
  return std::string();
}

Result<std::string> answer_of(room::Room::Refusal refusal) {
  if (refusal) return fail(refusal->code, std::move(refusal->why));
  return done();
}
}  // namespace

void Session::on_message(Now now, const peer::ChannelMessage& message, Output& out) {
  if (!messages_.take(now.mono)) {
    ++counters_.messages_unread;
    return;
  }
  auto parsed = json::parse_rpc(message.bytes, message.is_text);
  if (auto* request = std::get_if<contract::RpcRequest>(&parsed)) {
    ++counters_.requests;
    if (!requests_.take(now.mono)) {
      ++counters_.requests_rate_limited;
      return answer(now, request->req_id, fail(ErrorCode::kRateLimited, "too many requests"), out);
    }
    on_request(now, std::move(*request), out);
    return;
  }
  ++counters_.messages_malformed;
  const auto& reject = std::get<contract::RpcReject>(parsed);
  if (reject.req_id) answer(now, *reject.req_id, fail(reject.code, reject.why), out);
}

void Session::on_request(Now now, contract::RpcRequest request, Output& out) {
  // It has left its room, and nothing may bring it back: its peer's next session may be there already.
  if (closing_at_) return answer(now, request.req_id, fail(ErrorCode::kShuttingDown, "the session is ending"), out);
  const bool is_negotiation = std::holds_alternative<contract::PeerUpdateSdp>(request.body);
  if (const auto handled = handle(now, request, out)) {
    const auto* result = std::get_if<Result<std::string>>(&*handled);
    if (result == nullptr) return;
    answer(now, request.req_id, *result, out);
    if (is_negotiation && *result) retry_pending(now, out);
    return;
  }
  if (pending_.size() >= kMaxPendingRequests) {
    return answer(now, request.req_id, fail(ErrorCode::kTooMany, "too many requests wait for a negotiation"), out);
  }
  pending_.push_back({std::move(request), now.mono + kPendingRequestTimeout});
  out.touched.push_back(id_);
}

Session::Answer Session::handle(Now now, const contract::RpcRequest& request, Output& out) {
  return std::visit([&](const auto& body) { return on(now, request.req_id, body, out); }, request.body);
}

void Session::retry_pending(Now now, Output& out) {
  std::vector<Pending> waiting = std::move(pending_);
  pending_.clear();
  for (Pending& pending : waiting) {
    if (const auto handled = handle(now, pending.request, out)) {
      answer(now, pending.request.req_id, std::get<Result<std::string>>(*handled), out);
    } else {
      pending_.push_back(std::move(pending));
    }
  }
}

void Session::expire_pending(Now now, Output& out) {
  for (size_t i = 0; i < pending_.size();) {
    if (now.mono < pending_[i].deadline) {
      ++i;
      continue;
    }
    const uint64_t req_id = pending_[i].request.req_id;
    pending_.erase(pending_.begin() + static_cast<ptrdiff_t>(i));
    answer(now, req_id, fail(ErrorCode::kTrackNotFound, "no such sender or receiver was negotiated within 10 s"), out);
  }
}

void Session::answer(Now now, uint64_t req_id, const Result<std::string>& result, Output& out) {
  contract::RpcAnswer reply;
  reply.req_id = req_id;
  if (!result) {
    ++counters_.requests_refused;
    reply.data = result.error();
  } else if (!result->empty()) {
    reply.data = contract::RpcAnswer::Sdp{*result};
  }
  send_text(now, json::to_json(reply), out);
}

void Session::tell(Now now, const contract::Event& event, Output& out) {
  if (!is_present_) return;
  if (!has_channel()) {
    const auto* stream = std::get_if<contract::StreamEvent>(&event);
    if (stream != nullptr) follow(now, stream->kind, out);
    return;
  }
  send_text(now, json::to_json(event), out);
}

void Session::send_text(Now now, const std::string& text, Output& out) {
  if (!channel_) return;
  peer::Output peer_out = peer_output(out);
  // A client that reads nothing for so long that the channel's queue is full has lost the thread: it must come anew.
  if (!peer_.send_message(now, *channel_, as_bytes(text), /*is_text=*/true, peer_out)) end("data channel is stuck");
  out.touched.push_back(id_);
}

// --- peer.* -----------------------------------------------------------------------------------------------------

Session::Answer Session::on(Now, uint64_t, const contract::PeerPing&, Output&) {
  return done();
}

Session::Answer Session::on(Now now, uint64_t, const contract::PeerClose&, Output& out) {
  linger(now, "closed by the client", out);
  return done();
}

Session::Answer Session::on(Now now, uint64_t, const contract::PeerUpdateSdp& body, Output& out) {
  return negotiate(now, body.sdp, body.senders, body.receivers, out);
}

// --- sender.*, receiver.* ---------------------------------------------------------------------------------------

Session::Answer Session::on(Now, uint64_t req_id, const contract::SenderToggle& body, Output& out) {
  const auto it = senders_.find(body.name);
  if (it == senders_.end() || it->second.info.kind != body.kind)
    return std::nullopt;  // the negotiation may still bring it
  Sender& sender = it->second;
  if (!is_newest(sender.newest_toggle, req_id)) return done();
  if (body.label) sender.info.label = *body.label;
  using Track = contract::SenderToggle::Track;
  if (body.track == Track::kStopped) {
    sender.is_stopped = true;
    unpublish(sender, out);
    return done();
  }
  sender.is_stopped = false;
  sender.has_track = body.track == Track::kSwitched;
  if (!is_present_) return done();
  if (sender.source == nullptr) {
    publish(sender, out);
    return done();
  }
  take_active(sender, out);
  return done();
}

Session::Answer Session::on(Now now, uint64_t req_id, const contract::ReceiverSwitch& body, Output& out) {
  if (!admission_.may_subscribe()) return fail(ErrorCode::kForbidden, "the token gives no right to subscribe");
  const auto it = receivers_.find(body.id);
  if (it == receivers_.end()) return std::nullopt;
  receiver::Receiver& receiver = *it->second.receiver;
  if (is_newest(it->second.newest_priority, req_id)) {
    contract::ReceiverLimit limit = receiver.limit();
    limit.priority = body.priority;
    receiver.set_limit(limit);
  }
  if (!is_newest(it->second.newest_binding, req_id)) return done();
  if (is_mix_minus_slot(body.remote)) {
    return receiver.remote() != body.remote ? bind_slot(now, req_id, receiver, body.remote, out) : done();
  }
  view(now, it->second, body.remote, out);
  return done();
}

void Session::view(Now now, ReceiverEntry& entry, const contract::StreamKey& remote, Output& out) {
  receiver::Receiver& receiver = *entry.receiver;
  const bool is_another = receiver.remote() != remote;
  if (is_another) entry.claim.forget();
  share_bandwidth(now, out);  // before it asks for a key frame of the wrong layer
  if (!is_another) return;
  room_.bind(now, receiver, remote, out);
  sharing_.on_bind(now.mono);
  if (next_quality_ == kNever) next_quality_ = now.mono + quality::kTellInterval;
  if (receiver.kind() == MediaKind::kAudio) watch_levels(now, out);
}

Session::Answer Session::bind_slot(Now now, uint64_t req_id, receiver::Receiver& receiver,
                                   const contract::StreamKey& remote, Output& out) {
  const auto slot = read_slot(remote.stream);
  if (!slot || receiver.kind() != MediaKind::kAudio) {
    return fail(ErrorCode::kInvalidRequest, "no slot of a mixer, or not for this receiver");
  }
  if (next_quality_ == kNever) next_quality_ = now.mono + quality::kTellInterval;
  watch_levels(now, out);
  return answer_of(room_.bind_slot(now, {id_, request_.peer, req_id}, receiver, slot->mixer, slot->slot, out));
}

Session::Answer Session::on(Now now, uint64_t req_id, const contract::ReceiverSetLimit& body, Output& out) {
  const auto it = receivers_.find(body.id);
  if (it == receivers_.end()) return std::nullopt;
  if (!is_newest(it->second.newest_limit, req_id)) return done();
  contract::ReceiverLimit limit = body.limit;
  if (!is_newest(it->second.newest_priority, req_id)) limit.priority = it->second.receiver->limit().priority;
  it->second.receiver->set_limit(limit);
  share_bandwidth(now, out);
  return done();
}

Session::Answer Session::on(Now, uint64_t req_id, const contract::ReceiverDisconnect& body, Output& out) {
  const auto it = receivers_.find(body.id);
  if (it == receivers_.end()) return std::nullopt;
  if (is_newest(it->second.newest_binding, req_id)) room_.unbind(*it->second.receiver, out);
  return done();
}

// --- mix_minus.*, room.* ----------------------------------------------------------------------------------------

Session::Answer Session::on(Now now, uint64_t req_id, const contract::MixMinusSource& body, Output& out) {
  if (!admission_.may_subscribe()) return fail(ErrorCode::kForbidden, "the token gives no right to subscribe");
  return answer_of(room_.change_source(now, {id_, request_.peer, req_id}, body, out));
}

Session::Answer Session::on(Now now, uint64_t req_id, const contract::MixMinusToggle& body, Output& out) {
  if (!admission_.may_subscribe()) return fail(ErrorCode::kForbidden, "the token gives no right to subscribe");
  return answer_of(room_.toggle_mixer(now, {id_, request_.peer, req_id}, body, out));
}

// Of more peers than can be subscribed to the one that was named longest ago is forgotten: what is late of it counts.
bool Session::is_newest_subscription(const std::string& peer, uint64_t req_id) {
  const auto [it, is_new] = newest_subscriptions_.try_emplace(peer, req_id);
  if (!is_new && req_id < it->second) return false;
  it->second = req_id;
  if (newest_subscriptions_.size() > room::kMaxSubscribedPeers) {
    newest_subscriptions_.erase(std::min_element(newest_subscriptions_.begin(), newest_subscriptions_.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  return true;
}

Session::Answer Session::on(Now, uint64_t req_id, const contract::RoomSubscription& body, Output& out) {
  if (request_.subscribe_scope != contract::SubscribeScope::kManual) {
    return fail(ErrorCode::kNotSupported, "this session's subscription scope is not manual");
  }
  if (!is_newest_subscription(body.peer, req_id)) return done();
  if (!body.subscribe) {
    room_.unsubscribe_peer(id_, body.peer, out);
  } else if (!room_.subscribe_peer(id_, body.peer, out)) {
    return fail(ErrorCode::kTooMany, "too many peers are subscribed to");
  }
  return done();
}

}  // namespace atm::session
