// Session: what is asked of the server over the data channel, and what it says there.
#include <algorithm>

#include "client/session.h"
#include "contract/json/rpc.h"

namespace atm::client {

using contract::StreamKey;

void Session::ask(Now now, contract::RpcBody body, Rpc::Use use, uint64_t request, Output& out) {
  if (!connection_.channel) {
    if (use == Rpc::Use::kApplication) finish(request, {}, out);  // a wish: told when there is a connection
    return;
  }
  const Duration timeout = use == Rpc::Use::kPing ? kPingTimeout : kRequestTimeout;
  send_text(now, rpc_.ask(now, std::move(body), use, request, timeout), out);
}

void Session::send_text(Now now, const std::string& text, Output& out) {
  peer::Output peer_out = peer_output(out);
  peer_->send_message(now, *connection_.channel, as_bytes(text), true, peer_out);
  route(now, out);
}

void Session::finish(uint64_t request, std::optional<Error> error, Output& out) {
  if (request != 0) out.events.emplace_back(RequestDone{request, std::move(error)});
}

// The channel has opened: the server knows nothing of this session yet but its offer.
void Session::resync(Now now, Output& out) {
  for (const Receiver& receiver : receivers_) resync_receiver(now, receiver, out);
  for (const auto& [source, is_added] : mix_sources_) {
    if (is_added) {
      ask(now, contract::MixMinusSource{"default", StreamKey{source.first, source.second}, true}, Rpc::Use::kResync, 0,
          out);
    }
  }
  if (!mix_enabled_) ask(now, contract::MixMinusToggle{"default", false}, Rpc::Use::kResync, 0, out);
  for (const auto& [peer, is_subscribed] : subscribed_peers_) {
    if (is_subscribed) ask(now, contract::RoomSubscription{peer, true}, Rpc::Use::kResync, 0, out);
  }
  for (const Sender& sender : senders_) {
    const SenderConfig& config = sender.publisher.config();
    if (sender.is_stopped || config.has_track) continue;
    contract::SenderToggle toggle{config.name, config.kind, contract::SenderToggle::Track::kNone, {}, {}};
    ask(now, std::move(toggle), Rpc::Use::kResync, 0, out);
  }
}

void Session::resync_receiver(Now now, const Receiver& receiver, Output& out) {
  if (receiver.limit) ask(now, contract::ReceiverSetLimit{receiver.id, *receiver.limit}, Rpc::Use::kResync, 0, out);
  if (receiver.remote) {
    ask(now, contract::ReceiverSwitch{receiver.id, receiver.priority, *receiver.remote}, Rpc::Use::kResync, 0, out);
  }
}

void Session::view(Now now, size_t index, StreamKey remote, uint32_t priority, uint64_t request, Output& out) {
  Receiver& receiver = receivers_[index];
  receiver.remote = std::move(remote);
  receiver.priority = priority;
  sync_receiver(now, index);
  ask(now, contract::ReceiverSwitch{receiver.id, priority, *receiver.remote}, Rpc::Use::kApplication, request, out);
}

void Session::limit(Now now, size_t index, contract::ReceiverLimit limit, uint64_t request, Output& out) {
  Receiver& receiver = receivers_[index];
  receiver.limit = limit;
  receiver.priority = limit.priority;
  ask(now, contract::ReceiverSetLimit{receiver.id, limit}, Rpc::Use::kApplication, request, out);
}

void Session::unview(Now now, size_t index, uint64_t request, Output& out) {
  Receiver& receiver = receivers_[index];
  receiver.remote.reset();
  receiver.viewer->reset();
  sync_receiver(now, index);
  ask(now, contract::ReceiverDisconnect{receiver.id}, Rpc::Use::kApplication, request, out);
}

void Session::mix_minus_source(Now now, StreamKey remote, bool add, uint64_t request, Output& out) {
  mix_sources_[{remote.peer, remote.stream}] = add;
  ask(now, contract::MixMinusSource{"default", std::move(remote), add}, Rpc::Use::kApplication, request, out);
}

void Session::mix_minus_toggle(Now now, bool enable, uint64_t request, Output& out) {
  mix_enabled_ = enable;
  ask(now, contract::MixMinusToggle{"default", enable}, Rpc::Use::kApplication, request, out);
}

void Session::subscribe(Now now, std::string peer, bool subscribe, uint64_t request, Output& out) {
  subscribed_peers_[peer] = subscribe;
  ask(now, contract::RoomSubscription{std::move(peer), subscribe}, Rpc::Use::kApplication, request, out);
}

void Session::ping(Now now, uint64_t request, Output& out) {
  if (!connection_.channel) return finish(request, Error{ErrorCode::kClosed, "there is no connection"}, out);
  ask(now, contract::PeerPing{}, Rpc::Use::kQuestion, request, out);
}

void Session::set_token(Now now, uint64_t request, std::string token, Output& out) {
  config_.token = token;
  ask(now, contract::PeerToken{std::move(token)}, Rpc::Use::kApplication, request, out);
}

void Session::set_track(Now now, size_t index, bool has_track, std::optional<std::string> label, uint64_t request,
                        Output& out) {
  using Track = contract::SenderToggle::Track;
  Sender& sender = senders_[index];
  if (sender.is_stopped) return finish(request, Error{ErrorCode::kClosed, "the sender was stopped"}, out);
  sender.publisher.set_track(has_track, label);
  const SenderConfig& config = sender.publisher.config();
  contract::SenderToggle toggle{config.name, config.kind, has_track ? Track::kSwitched : Track::kNone,
                                has_track ? sender.track_id : std::string(), std::move(label)};
  ask(now, std::move(toggle), Rpc::Use::kApplication, request, out);
}

void Session::stop_sender(Now now, size_t index, uint64_t request, Output& out) {
  Sender& sender = senders_[index];
  if (sender.is_stopped) return finish(request, {}, out);
  sender.is_stopped = true;
  lines_.stop_sender(index);
  const SenderConfig& config = sender.publisher.config();
  contract::SenderToggle toggle{config.name, config.kind, contract::SenderToggle::Track::kStopped, {}, {}};
  ask(now, std::move(toggle), Rpc::Use::kApplication, request, out);
  renegotiate(now);
}

std::vector<contract::SenderInfo> Session::sender_infos() const {
  std::vector<contract::SenderInfo> out;
  for (const Sender& sender : senders_) {
    if (sender.is_stopped) continue;
    const SenderConfig& config = sender.publisher.config();
    contract::SenderInfo info;
    info.kind = config.kind;
    info.name = config.name;
    info.uuid = sender.track_id;
    info.label = config.label;
    info.screen = config.screen;
    info.simulcast = config.simulcast;
    info.max_bitrate_bps = config.max_bitrate_bps;
    info.content_hint = config.content_hint;
    out.push_back(std::move(info));
  }
  return out;
}

// --- renegotiation ----------------------------------------------------------------------------------------------

void Session::renegotiate(Now now) {
  if (!peer_) return;  // the first offer has it
  is_dirty_ = true;
  if (!is_updating_ && connection_.channel && update_at_ == kNever) update_at_ = now.mono + kGather;
}

void Session::update_sdp(Now now, Output& out) {
  update_at_ = kNever;
  if (!connection_.channel || is_updating_) return;
  is_dirty_ = false;
  is_updating_ = true;
  contract::PeerUpdateSdp update{peer_->make_offer(lines_.offer(), {config_.codecs}), sender_infos(),
                                 receiver_ids_.counts()};
  ask(now, std::move(update), Rpc::Use::kUpdate, 0, out);
}

// --- what comes -------------------------------------------------------------------------------------------------

void Session::on_rpc_done(Now now, Rpc::Done done, Output& out) {
  std::optional<Error> error;
  if (const auto* refused = std::get_if<Error>(&done.answer.data)) error = *refused;
  switch (done.pending.use) {
    case Rpc::Use::kApplication:
    case Rpc::Use::kQuestion:
      return finish(done.pending.request, std::move(error), out);
    case Rpc::Use::kPing:
      return on_ping_done(now, error, out);
    case Rpc::Use::kResync:
      return;
    case Rpc::Use::kUpdate:
      break;
  }
  is_updating_ = false;
  if (const auto* sdp = std::get_if<contract::RpcAnswer::Sdp>(&done.answer.data)) {
    peer::Output peer_out = peer_output(out);
    const auto taken = peer_->accept_answer(now, sdp->sdp, peer_out);
    // The offer stands half-way, and no other can follow it.
    if (!taken) return recover(now, Recovery::Way::kConnect, Error{ErrorCode::kBadAnswer, taken.error().why}, out);
  } else if (error && error->code == ErrorCode::kTimeout) {
    is_dirty_ = true;
  } else if (error) {
    out.events.emplace_back(Refused{std::move(*error)});
  }
  if (is_dirty_) renegotiate(now);
}

void Session::on_server_event(Now now, contract::Event event, Output& out) {
  if (const auto* closing = std::get_if<contract::SessionClosing>(&event)) {
    const contract::SessionClosing copy = *closing;
    out.events.emplace_back(std::move(event));
    return on_server_closes(now, copy, out);
  }
  if (const auto* limit = std::get_if<contract::StreamLimitEvent>(&event)) {
    for (Sender& sender : senders_) {
      if (sender.publisher.config().name != limit->name) continue;
      sender.limit = *limit;
      rates_at_ = now.mono;
    }
  }
  out.events.emplace_back(std::move(event));
}

}  // namespace atm::client
