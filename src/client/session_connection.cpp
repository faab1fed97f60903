// Session: connections, how they are made, watched, brought back and ended.
#include <algorithm>

#include "base/assert.h"
#include "client/session.h"
#include "contract/json/http_body.h"

namespace atm::client {

using Way = Recovery::Way;

void Session::connect(Now now, Output& out) {
  if (state_ != State::kCreated) return;
  set_state(State::kConnecting, {}, out);
  use_ice_servers(now, config_.ice_servers, true, out);
  open(now, out);
}

void Session::open(Now now, Output& out) {
  url_tried_ = 0;
  if (recovery_.is_running()) gather_again(now, out);
  try_url(now, out);
}

void Session::make_peer(Now now) {
  peer::Config config;
  config.role = peer::Role::kClient;
  config.dtls = &dtls_;
  if (!config_.relay_only) config.addresses = config.local_addresses = addresses_;
  peer_ = std::make_unique<peer::Peer>(config, rng_);
  peer_->open_channel_when_connected("data");
  if (gatherer_) {
    for (const ice::Candidate& candidate : gatherer_->candidates()) peer_->add_local_candidate(candidate);
  }
  lines_.renew(rng_);
  for (Sender& sender : senders_) sender.publisher.renew();
  for (size_t i = 0; i < receivers_.size(); ++i) {
    receivers_[i].viewer->reset();
    sync_receiver(now, i);
  }
  is_dirty_ = is_updating_ = false;
  update_at_ = kNever;
}

void Session::try_url(Now now, Output& out) {
  close_peer(now, out);
  make_peer(now);
  contract::ConnectRequest request;
  request.room = config_.room;
  request.peer = config_.peer;
  request.client_version = config_.version;
  request.mix_minus = config_.mix_minus;
  request.subscribe_scope = config_.subscribe_scope;
  request.publish_scope = config_.publish_scope;
  request.bitrate_control_mode = config_.bitrate_control_mode;
  request.applies_stream_limits = true;
  request.codecs = config_.codecs;
  request.senders = sender_infos();
  request.receivers = receiver_ids_.counts();
  request.playout_delay = config_.playout_delay;
  request.metadata = config_.metadata;
  request.sdp = peer_->make_offer(lines_.offer(), {config_.codecs});
  connection_.url = urls_[url_tried_];
  call(CallUse::kConnect, HttpCall::Method::kPost, connection_.url + "/webrtc/connect",
       json::to_json(request, config_.token), out);
}

uint64_t Session::call(CallUse use, HttpCall::Method method, std::string url, std::string body, Output& out) {
  const uint64_t id = next_call_++;
  // One at a time: the answer to an earlier one is for a connection, or for credentials, that are no more.
  if (use == CallUse::kConnect) abandon_connect();
  if (use == CallUse::kRestart) std::erase_if(calls_, [use](const auto& one) { return one.second.use == use; });
  calls_[id] = {use, use == CallUse::kConnect ? connection_.url : std::string()};
  out.calls.push_back({id, method, std::move(url), std::move(body), kCallTimeout});
  return id;
}

void Session::on_reply(Now now, uint64_t id, Result<std::string> body, Output& out) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  const auto [use, server] = std::move(it->second);
  calls_.erase(it);
  if (use == CallUse::kAbandoned) return give_back(server, body, out);
  if (state_ == State::kDisconnected || !peer_) return;
  if (use == CallUse::kConnect) on_connect_reply(now, std::move(body), out);
  if (use == CallUse::kRestart) on_restart_reply(now, std::move(body), out);
}

void Session::abandon_connect() {
  for (auto& [id, one] : calls_) {
    if (one.use == CallUse::kConnect) one.use = CallUse::kAbandoned;
  }
}

// The server has made a connection that nobody uses.
void Session::give_back(const std::string& server, const Result<std::string>& body, Output& out) {
  if (!body) return;
  const auto answer = json::parse_connect_answer(*body);
  if (!answer || answer->conn_id.empty()) return;
  call(CallUse::kGiveBack, HttpCall::Method::kDelete, server + "/webrtc/conn/" + answer->conn_id, {}, out);
}

bool Session::owes_last_word() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const auto& one) {
    return one.second.use == CallUse::kAbandoned || one.second.use == CallUse::kGiveBack;
  });
}

void Session::on_connect_reply(Now now, Result<std::string> body, Output& out) {
  if (!body) return on_open_failed(now, std::move(body).error(), out);
  auto answer = json::parse_connect_answer(*body);
  if (!answer) return on_open_failed(now, std::move(answer).error(), out);
  connection_.conn_id = std::move(answer->conn_id);
  connection_.node_id = answer->node_id;
  peer::Output peer_out = peer_output(out);
  if (const auto taken = peer_->accept_answer(now, answer->sdp, peer_out); !taken) {
    return on_open_failed(now, Error{ErrorCode::kBadAnswer, taken.error().why}, out);
  }
  open_due_ = now.mono + (was_open_ ? kOpenAgain : kFirstOpen);
  take_peer_output(now, out);
  if (gatherer_) {
    for (const ice::Candidate& candidate : gatherer_->candidates()) tell_candidate(candidate, out);
  }
  if (!answer->ice_servers.empty()) {
    out.events.emplace_back(IceServersGiven{answer->ice_servers});
    use_ice_servers(now, answer->ice_servers, false, out);
  }
  check_relays(now, out);
}

// Of a connection that is being made, the first one or another.
void Session::on_open_failed(Now now, Error error, Output& out) {
  open_due_ = kNever;
  if (!is_final(error.code) && url_tried_ + 1 < urls_.size()) {
    ++url_tried_;
    return try_url(now, out);
  }
  if (!was_open_) return end(now, std::move(error), out);
  if (!recovery_.is_running()) return recover(now, Way::kConnect, std::move(error), out);
  if (recovery_.failed(now, false, is_final(error.code)) == Recovery::Verdict::kGiveUp) {
    end(now, std::move(error), out);
  }
}

void Session::on_opened(Now now, uint16_t channel, Output& out) {
  if (connection_.channel) return;
  connection_.channel = channel;
  open_due_ = kNever;
  rates_at_ = now.mono;
  pinged_at_ = now.mono;
  is_pinging_ = false;
  was_open_ = true;
  resync(now, out);
  if (recovery_.is_running()) on_recovered(out);
  set_state(State::kConnected, {}, out);
  if (is_dirty_) renegotiate(now);
}

void Session::on_recovered(Output& out) {
  recovery_.stop();
  restart_due_ = kNever;
  set_state(State::kConnected, {}, out);
  for (const uint64_t request : restart_requests_) finish(request, {}, out);
  restart_requests_.clear();
}

void Session::on_lost(Now now, Error why, Output& out) {
  if (state_ == State::kDisconnected) return;
  if (!connection_.channel) return on_open_failed(now, std::move(why), out);
  if (!config_.reconnects) return end(now, std::move(why), out);
  recover(now, Way::kConnect, std::move(why), out);
}

void Session::recover(Now now, Way way, std::optional<Error> why, Output& out) {
  if (state_ == State::kDisconnected || !was_open_) return;
  if (!config_.reconnects && way == Way::kConnect) return end(now, std::move(why), out);
  recovery_.start(now, way);
  set_state(State::kReconnecting, std::move(why), out);
}

void Session::try_recovery(Now now, Output& out) {
  if (recovery_.way() == Way::kConnect && !config_.reconnects) {
    return end(now, Error{ErrorCode::kTimeout, "the connection did not come back"}, out);
  }
  if (recovery_.way() == Way::kConnect) return open(now, out);
  restart(now, out);
}

void Session::restart(Now now, Output& out) {
  gather_again(now, out);
  peer_->restart_ice(now);
  const std::string sdp = peer_->make_offer(lines_.offer(), {config_.codecs});
  call(CallUse::kRestart, HttpCall::Method::kPost, connection_.url + "/webrtc/ice_restart",
       json::restart_body(connection_.node_id, connection_.conn_id, sdp), out);
}

void Session::on_restart_reply(Now now, Result<std::string> body, Output& out) {
  const bool is_unreached =
      !body && (body.error().code == ErrorCode::kNetworkError || body.error().code == ErrorCode::kTimeout);
  Result<std::string> sdp = body ? json::parse_restart_answer(*body) : std::move(body);
  peer::Output peer_out = peer_output(out);
  const bool is_taken = sdp && peer_->accept_answer(now, *sdp, peer_out);
  if (is_taken) {
    restart_due_ = now.mono + kRestartPatience;
    is_pinging_ = false;
    pinged_at_ = Instant{};
    rates_at_ = now.mono;
    return take_peer_output(now, out);
  }
  if (recovery_.failed(now, is_unreached, false) == Recovery::Verdict::kGiveUp) {
    end(now, sdp ? Error{ErrorCode::kBadAnswer, "an answer to a restart that does not fit"} : sdp.error(), out);
  }
}

void Session::restart_ice(Now now, uint64_t request, Output& out) {
  if (!connection_.channel) return finish(request, Error{ErrorCode::kClosed, "there is no connection"}, out);
  restart_requests_.push_back(request);
  if (recovery_.is_running()) return recovery_.nudge(now);
  recover(now, Way::kRestart, {}, out);
}

// Called every kRateInterval. What the server sends is proof enough; when nothing comes it is asked.
void Session::check_quiet(Now now, Output& out) {
  if (!connection_.channel || is_pinging_) return;
  const bool is_restarted = recovery_.is_running() && recovery_.way() == Way::kRestart && restart_due_ != kNever;
  if (recovery_.is_running() && !is_restarted) return;
  // After a restart an answer to a request of ours is the proof: what is heard may be media that we cannot answer.
  const Instant heard = is_restarted ? pinged_at_ : std::max(peer_->last_authenticated(), pinged_at_);
  const Duration patience = is_restarted ? Duration{kRateInterval} : Duration{kQuiet};
  if (now.mono - heard < patience) return;
  is_pinging_ = true;
  pinged_at_ = now.mono;
  ask(now, contract::PeerPing{}, Rpc::Use::kPing, 0, out);
}

void Session::on_ping_done(Now now, const std::optional<Error>& error, Output& out) {
  is_pinging_ = false;
  if (!error) {
    if (recovery_.is_running() && recovery_.way() == Way::kRestart && restart_due_ != kNever) on_recovered(out);
    return;
  }
  if (error->code == ErrorCode::kTimeout && !recovery_.is_running()) {
    recover(now, Way::kRestart, Error{ErrorCode::kTimeout, "the server is not heard any more"}, out);
  }
}

void Session::on_server_closes(Now now, const contract::SessionClosing& closing, Output& out) {
  Error why{ErrorCode::kClosed, "the server ended the session: " + closing.reason};
  if (!closing.retry_ms || !config_.reconnects) return end(now, std::move(why), out);
  // Another server, if there is one, at once; this one when it said.
  const auto here = std::find(urls_.begin(), urls_.end(), connection_.url);
  if (here != urls_.end()) std::rotate(here, here + 1, urls_.end());
  close_peer(now, out);
  const Duration wait = urls_.size() > 1 ? Duration{} : Duration{std::chrono::milliseconds(*closing.retry_ms)};
  if (!recovery_.is_running()) recovery_.start(now, Way::kConnect, wait);
  set_state(State::kReconnecting, std::move(why), out);
}

void Session::disconnect(Now now, Output& out) {
  end(now, {}, out);
}

void Session::close_peer(Now now, Output& out) {
  rpc_.close(done_);
  const std::vector<Rpc::Done> done = std::move(done_);
  done_.clear();
  for (const Rpc::Done& one : done) {
    if (one.pending.use == Rpc::Use::kApplication) finish(one.pending.request, {}, out);  // resync() says it again
    if (one.pending.use == Rpc::Use::kQuestion) finish(one.pending.request, std::get<Error>(one.answer.data), out);
  }
  if (peer_) {
    peer::Output peer_out = peer_output(out);
    peer_->close(now, peer_out);
    route(now, out);
    packets_.clear();
    peer_events_.clear();
    peer_.reset();
  }
  if (!connection_.conn_id.empty()) {
    // A connection that is up has said so itself, by DTLS.
    const CallUse use = connection_.channel ? CallUse::kOther : CallUse::kGiveBack;
    call(use, HttpCall::Method::kDelete, connection_.url + "/webrtc/conn/" + connection_.conn_id, {}, out);
  }
  connection_ = {};
}

void Session::end(Now now, std::optional<Error> why, Output& out) {
  if (state_ == State::kDisconnected) return;
  recovery_.stop();
  open_due_ = restart_due_ = update_at_ = rates_at_ = kNever;
  abandon_connect();
  close_peer(now, out);
  stop_gathering(now, out);
  for (Receiver& receiver : receivers_) receiver.viewer->reset();
  const Error closed{ErrorCode::kClosed, "the session has ended"};
  for (const uint64_t request : restart_requests_) finish(request, closed, out);
  restart_requests_.clear();
  set_state(State::kDisconnected, std::move(why), out);
}

}  // namespace atm::client
