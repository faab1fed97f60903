#include "client/session.h"

#include <algorithm>

#include "base/assert.h"

namespace atm::client {

Session::Session(Config config, const dtls::Context& dtls, Rng& rng)
    : config_(std::move(config)), dtls_(dtls), rng_(rng), recovery_(config_.recovery, rng), urls_(config_.urls) {
  ASSERT(!urls_.empty());
  for (const SenderConfig& sender : config_.senders) add_sender(Now{}, sender);
  for (uint32_t i = 0; i < config_.receivers.video; ++i) add_receiver(Now{}, MediaKind::kVideo);
  for (uint32_t i = 0; i < config_.receivers.audio; ++i) add_receiver(Now{}, MediaKind::kAudio);
  if (config_.mix_minus != contract::MixMinusMode::kDisabled) {
    for (size_t i = 0; i < kMixMinusSlots; ++i) {
      const size_t receiver = add_receiver(Now{}, MediaKind::kAudio);
      receivers_[receiver].remote = contract::StreamKey{"", "mix_minus_default_" + std::to_string(i)};
      slots_.push_back(receiver);
    }
  }
}

void Session::set_addresses(Now now, std::vector<SocketAddress> addresses, Output& out) {
  const bool has_changed = addresses != addresses_;
  if (gatherer_ && has_changed) {
    turn::Output gatherer_out = gatherer_output(out);
    for (const SocketAddress& old : addresses_) gatherer_->remove_host(now, old, gatherer_out);
    for (const SocketAddress& address : addresses) gatherer_->add_host(now, address, gatherer_out);
  }
  addresses_ = std::move(addresses);
  if (peer_ && has_changed && !config_.relay_only) peer_->set_addresses(addresses_);
  if (gatherer_) after_gatherer(now, out);
  if (!has_changed || !peer_ || state_ == State::kConnecting) return;
  if (recovery_.is_running()) return recovery_.nudge(now);
  if (peer_->selected_path()) return;  // what has changed is not what it uses
  recover(now, Recovery::Way::kRestart, Error{ErrorCode::kNetworkError, "the addresses of this host have changed"},
          out);
}

size_t Session::add_sender(Now now, const SenderConfig& config) {
  const size_t index = senders_.size();
  constexpr size_t kTrackIdBytes = 16;
  senders_.push_back({Publisher(config, pool_, rng_), rng_.hex(kTrackIdBytes), false, {}, {}});
  lines_.add_sender(index, config, senders_.back().track_id, rng_);
  renegotiate(now);
  return index;
}

size_t Session::add_receiver(Now now, MediaKind kind) {
  const size_t index = receivers_.size();
  Receiver receiver;
  receiver.id = receiver_ids_.next(kind);
  receiver.viewer = std::make_unique<Viewer>(index, kind, config_.playout_delay);
  receivers_.push_back(std::move(receiver));
  lines_.add_receiver(index, kind, {});
  renegotiate(now);
  return index;
}

std::optional<Codec> Session::codec_of(size_t sender) const {
  const auto media = lines_.of_sender(sender);
  if (!peer_ || !media || *media >= peer_->media_count()) return std::nullopt;
  const auto& codecs = peer_->media(*media).negotiated().codecs;
  return codecs.empty() ? std::nullopt : std::optional(codecs.front().codec);
}

void Session::on_datagram(Now now, const Datagram& datagram, Output& out) {
  if (gatherer_) {
    turn::Output gatherer_out = gatherer_output(out);
    if (gatherer_->on_datagram(now, datagram, gatherer_out)) return after_gatherer(now, out);
  }
  if (!peer_) return;
  peer::Output peer_out = peer_output(out);
  peer_->on_datagram(now, datagram, peer_out);
  take_peer_output(now, out);
}

void Session::on_timeout(Now now, Output& out) {
  if (gatherer_ && gatherer_->next_timeout() <= now.mono) {
    turn::Output gatherer_out = gatherer_output(out);
    gatherer_->on_timeout(now, gatherer_out);
    after_gatherer(now, out);
  }
  if (peer_ && peer_->next_timeout() <= now.mono) {
    peer::Output peer_out = peer_output(out);
    peer_->on_timeout(now, peer_out);
    take_peer_output(now, out);
  }
  for (Receiver& receiver : receivers_) {
    if (receiver.viewer->next_timeout() <= now.mono) receiver.viewer->on_timeout(now, out.events);
  }
  ask_for_key_frames(now, out);
  if (rpc_.next_timeout() <= now.mono) {
    rpc_.on_timeout(now, done_);
    const std::vector<Rpc::Done> done = std::move(done_);
    done_.clear();
    for (const Rpc::Done& one : done) on_rpc_done(now, one, out);
  }
  if (open_due_ <= now.mono) {
    open_due_ = kNever;
    const std::string more = server_error_.empty() ? "" : "; " + server_error_;
    on_open_failed(now, {ErrorCode::kTimeout, "the connection did not come up: no media path to the server" + more},
                   out);
  }
  if (restart_due_ <= now.mono) {
    restart_due_ = kNever;
    if (recovery_.is_running() && recovery_.failed(now, false, false) == Recovery::Verdict::kGiveUp) {
      end(now, Error{ErrorCode::kTimeout, "the connection did not come back"}, out);
    }
  }
  if (recovery_.take_due(now)) try_recovery(now, out);
  if (update_at_ <= now.mono) update_sdp(now, out);
  if (rates_at_ <= now.mono) {
    rates_at_ = now.mono + kRateInterval;
    share_rate(out);
    check_quiet(now, out);
    step_lip_sync(now);
  }
  route(now, out);
}

Instant Session::next_timeout() const {
  Instant due =
      std::min({rpc_.next_timeout(), open_due_, restart_due_, recovery_.next_timeout(), update_at_, rates_at_});
  if (peer_) due = std::min(due, peer_->next_timeout());
  if (gatherer_) due = std::min(due, gatherer_->next_timeout());
  for (const Receiver& receiver : receivers_) due = std::min(due, receiver.viewer->next_timeout());
  return due;
}

void Session::set_state(State state, std::optional<Error> why, Output& out) {
  if (state == state_) return;
  state_ = state;
  out.events.emplace_back(StateChanged{state, std::move(why)});
}

}  // namespace atm::client
