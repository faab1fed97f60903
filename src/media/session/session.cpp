#include "media/session/session.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "contract/json/rpc.h"
#include "media/quality/gate.h"

namespace atm::session {

using contract::SenderState;

// The mixer of mix_minus_audio.
constexpr const char* kDefaultMixer = "default";

Session::Session(SessionId id, std::string conn_id, contract::ConnectRequest request, const peer::Config& peer_config,
                 room::Room& room, Now now, Rng& rng)
    : id_(id),
      conn_id_(std::move(conn_id)),
      request_(std::move(request)),
      room_(room),
      rng_(rng),
      admission_(now, request_.grant),
      server_max_bps_(peer_config.max_incoming_video_bps),
      peer_(limited(peer_config), rng),
      started_at_(now.mono),
      publisher_limit_(request_.bitrate_control_mode, max_video_bps()) {}

Session::~Session() = default;

// --- negotiation ------------------------------------------------------------------------------------------------

Result<std::string> Session::connect(Now now, Output& out) {
  return negotiate(now, request_.sdp, request_.senders, request_.receivers, out);
}

Result<std::string> Session::restart_ice(Now now, const std::string& sdp, Output& out) {
  std::vector<contract::SenderInfo> senders;
  for (const auto& [name, sender] : senders_) senders.push_back(sender.info);
  contract::ReceiverCounts receivers;
  for (const auto& [id, entry] : receivers_) {
    ++(entry.receiver->kind() == MediaKind::kAudio ? receivers.audio : receivers.video);
  }
  return negotiate(now, sdp, senders, receivers, out);
}

Result<std::string> Session::negotiate(Now now, const std::string& sdp,
                                       const std::vector<contract::SenderInfo>& senders,
                                       const contract::ReceiverCounts& receivers, Output& out) {
  if (senders.size() > kMaxSenders || receivers.audio > kMaxReceiversPerKind ||
      receivers.video > kMaxReceiversPerKind) {
    return fail(ErrorCode::kTooMany, "too many senders or receivers");
  }
  if (!senders.empty() && !admission_.may_publish())
    return fail(ErrorCode::kForbidden, "the token gives no right to publish");
  TRY(offer, peer_.read_offer(sdp));
  if (auto fits = check_http_offer(offer.offer); !fits) return tl::unexpected(std::move(fits).error());
  TRY(plan, lines_.plan(offer.offer, senders, receivers));
  for (const auto& added : plan.added_senders) {
    const auto it = senders_.find(added.info.name);
    const bool is_replaced = std::find(plan.removed_senders.begin(), plan.removed_senders.end(), added.info.name) !=
                             plan.removed_senders.end();
    if (it != senders_.end() && !is_replaced) return fail(ErrorCode::kInvalidRequest, "a sender's name is used twice");
  }
  write_max_bitrates(plan, senders);
  make_one_stream(plan);
  negotiation::Policy policy;
  policy.codecs = request_.codecs;
  TRY(answer, peer_.answer_offer(now, offer, plan.decisions, policy));
  if (auto fits = check_http_answer(plan); !fits) return tl::unexpected(std::move(fits).error());

  lines_.commit(plan);
  take_max_bitrates(senders);
  for (const std::string& name : plan.removed_senders) {
    const auto it = senders_.find(name);
    if (it == senders_.end()) continue;
    unpublish(it->second, out);
    senders_.erase(it);
  }
  for (const auto& added : plan.added_senders) {
    const auto [it, is_new] =
        senders_.insert_or_assign(added.info.name, Sender{added.info, added.media, added.has_track});
    if (is_present_) publish(it->second, out);
  }
  for (const std::string& receiver_id : plan.removed_receivers) {
    const auto it = receivers_.find(receiver_id);
    if (it == receivers_.end()) continue;
    room_.unbind(*it->second.receiver, out);  // the room points to it
    receivers_.erase(it);
  }
  for (const auto& added : plan.added_receivers) add_receiver(added);
  for (auto& [name, sender] : senders_) {
    if (sender.source != nullptr && sender.source->take_formats(peer_.media(sender.media))) {
      room_.on_codecs_changed(*sender.source, out);
    }
  }
  out.touched.push_back(id_);
  return std::move(answer);
}

void Session::add_receiver(const LineBindings::AddedReceiver& added) {
  ReceiverEntry& entry = receivers_[added.id];
  ASSERT(entry.receiver == nullptr);  // the room may point to it: it would have to be unbound before
  entry.receiver = std::make_unique<receiver::Receiver>(added.id, added.kind, id_, peer_, added.media, rng_);
}

void Session::publish(Sender& sender, Output& out) {
  if (sender.source != nullptr || sender.is_stopped || !admission_.may_publish()) return;
  room::Source source;
  source.key = {request_.peer, sender.info.name};
  source.kind = sender.info.kind;
  source.label = sender.info.label;
  source.screen = sender.info.screen;
  source.content_hint = sender.info.content_hint;
  source.active = is_active(sender);
  source.owner = id_;
  source.publisher = &peer_;
  source.media = sender.media;
  source.take_formats(peer_.media(sender.media));
  sender.source = room_.publish(std::move(source), out);
  if (sender.source == nullptr) return;  // another session of this peer still has the name
  set_state(sender, is_active(sender) ? SenderState::kConnecting : SenderState::kDeactived, out);
  sender.published = {.max_bitrate_bps = sender.info.max_bitrate_bps, .demand = {}};
  sender.source->has_new_demand = sender.info.kind == MediaKind::kVideo;  // and be it that nobody views it
}

void Session::set_state(Sender& sender, SenderState state, Output& out) {
  if (sender.told_state == state) return;
  sender.told_state = state;
  if (is_present_) out.events.emplace_back(id_, contract::SenderStateEvent{sender.info.name, state});
}

void Session::unpublish(Sender& sender, Output& out) {
  if (sender.source == nullptr) return;
  sender.source = nullptr;
  room_.unpublish({request_.peer, sender.info.name}, out);
  set_state(sender, SenderState::kClosed, out);
}

// --- datagrams --------------------------------------------------------------------------------------------------

peer::Output Session::peer_output(Output& out) {
  return {out.datagrams, packets_, peer_events_};
}

void Session::on_datagram(Now now, const Datagram& datagram, Output& out) {
  if (is_over_) return;
  peer::Output peer_out = peer_output(out);
  peer_.on_datagram(now, datagram, peer_out);
}

void Session::on_burst_end(Now now, Output& out) {
  if (!packets_.empty()) forward_packets(now, out);
  if (!peer_events_.empty()) on_peer_events(now, out);
  if (is_reconnecting_ || closing_at_) check_life(now, out);
  if (!is_present_) return;
  if (sharing_.is_due(now.mono, peer_.estimate_bps())) share_bandwidth(now, out);
  if (limit_due() <= now.mono) limit_publishing(now, out);
}

void Session::share_bandwidth(Now now, Output& out) {
  viewed_.clear();
  size_t live_audio = 0;
  for (auto& [id, entry] : receivers_) {
    if (entry.receiver->kind() == MediaKind::kVideo) {
      viewed_.push_back({entry.receiver.get(), &entry.claim});
    } else {
      live_audio += entry.receiver->state() == contract::ReceiverState::kLive;
    }
  }
  const auto estimate = peer_.estimate_bps();
  sharing_.share(now, estimate, live_audio, viewed_);
  peer_.set_send_demand(sharing_.demand_bps());
  const auto is_bound = [](const Sharing::Viewed& viewed) { return viewed.receiver->remote().has_value(); };
  const auto bound = static_cast<uint64_t>(std::count_if(viewed_.begin(), viewed_.end(), is_bound));
  for (const Sharing::Viewed& viewed : viewed_) {
    // What is left over is for all alike: else their publishers would take it several times.
    const share::Claim& claim = *viewed.claim;
    const uint64_t room = claim.bps + (claim.room_bps - claim.bps) / std::max<uint64_t>(bound, 1);
    viewed.receiver->set_room(estimate ? std::optional(room) : std::nullopt);
    if (viewed.has_changed) room_.on_target_changed(now, *viewed.receiver, out);
    room_.on_demand_changed(now, *viewed.receiver, out);
  }
  out.touched.push_back(id_);
}

void Session::tell_quality(Now now, Output& out) {
  next_quality_ = kNever;
  for (auto& [id, entry] : receivers_) {
    receiver::Receiver& receiver = *entry.receiver;
    if (!receiver.remote()) continue;
    next_quality_ = now.mono + quality::kTellInterval;
    if (const auto mos = receiver.take_quality(now)) {
      out.events.emplace_back(id_, contract::QualityEvent{id, *mos, receiver.source()->key});
    }
  }
}

void Session::forward_packets(Now now, Output& out) {
  for (auto& [name, sender] : senders_) {
    if (sender.source == nullptr || muted_.contains(name)) continue;
    const auto is_its = [&sender](const peer::ReceivedPacket& received) { return received.media == sender.media; };
    // Late packets of a track that was switched off do not count as its return.
    if (sender.told_state == SenderState::kConnecting && std::any_of(packets_.begin(), packets_.end(), is_its)) {
      set_state(sender, SenderState::kConnected, out);
    }
    if (sender.info.kind == MediaKind::kAudio) listen(now, sender, out);
    if (!room_.has_subscribers(*sender.source)) continue;
    media_packets_.clear();
    for (const peer::ReceivedPacket& received : packets_) {
      if (is_its(received)) sender.source->read(peer_.media(sender.media), received, out.pool, media_packets_);
    }
    if (!media_packets_.empty()) room_.fan_out(now, *sender.source, media_packets_, out);
  }
  media_packets_.clear();
  packets_.clear();
}

// Before the packets go out: who is heard from now on gets these already.
void Session::listen(Now now, Sender& sender, Output& out) {
  for (const peer::ReceivedPacket& received : packets_) {
    if (received.media != sender.media) continue;
    sender.source->listen(now.mono, peer_.media(sender.media), received);
  }
  room_.on_heard(now, *sender.source, out);
  if (sender.source->tells_level) watch_levels(now, out);
}

void Session::on_peer_events(Now now, Output& out) {
  // Handling one can append more (an answer can fail), so by index.
  for (size_t i = 0; i < peer_events_.size(); ++i) {
    peer::Event event = std::move(peer_events_[i]);
    if (std::holds_alternative<peer::Connected>(event)) {
      connected_at_ = now.mono;
      if (!has_channel()) enter_room(now, out);
    } else if (const auto* failed = std::get_if<peer::Failed>(&event)) {
      end(failed->why);
    } else if (const auto* opened = std::get_if<peer::ChannelOpened>(&event)) {
      on_channel_opened(now, *opened, out);
    } else if (const auto* message = std::get_if<peer::ChannelMessage>(&event)) {
      if (channel_ == message->channel) on_message(now, *message, out);
    } else if (const auto* closed = std::get_if<peer::ChannelClosed>(&event)) {
      if (channel_ == closed->channel) end("data channel closed");
    } else if (std::holds_alternative<peer::RemoteClosed>(event)) {
      end("closed by the client");
    } else if (const auto* wanted = std::get_if<peer::KeyFrameWanted>(&event)) {
      on_key_frame_wanted(now, wanted->media, out);
    } else if (const auto* lost = std::get_if<peer::PictureLost>(&event)) {
      on_picture_lost(now, *lost, out);
    } else if (std::holds_alternative<peer::WayRenewed>(event)) {
      renew_pictures(now, out);
    }
  }
  peer_events_.clear();
  out.touched.push_back(id_);
}

void Session::on_channel_opened(Now now, const peer::ChannelOpened& event, Output& out) {
  // The first channel is the one; others are the application's own affair. A session that has left its room stays out.
  if (channel_ || closing_at_ || !has_channel()) return;
  channel_ = event.channel;
  enter_room(now, out);
}

void Session::enter_room(Now now, Output& out) {
  if (room_.refuses(request_.peer)) return close(now, contract::Ending::kDuplicatePeer, out);
  is_present_ = true;
  LOG_INFO("session", "room={} peer={} conn={:.10} connected", request_.room, request_.peer, conn_id_);
  room_.enter(now, id_, request_.peer, request_.subscribe_scope, request_.publish_scope, request_.protocol, metadata(),
              out);
  for (auto& [name, sender] : senders_) publish(sender, out);
  open_mixer(out);
}

void Session::open_mixer(Output& out) {
  if (request_.mix_minus == contract::MixMinusMode::kDisabled || !admission_.may_subscribe()) return;
  const bool hears_all = request_.mix_minus == contract::MixMinusMode::kAll;
  room_.add_mixer(id_, request_.peer, kDefaultMixer, hears_all, out);
}

void Session::on_key_frame_wanted(Now now, size_t media, Output& out) {
  for (auto& [id, entry] : receivers_) {
    if (entry.receiver->media() == media) room_.on_key_frame_wanted(now, *entry.receiver, out);
  }
}

void Session::on_picture_lost(Now now, const peer::PictureLost& lost, Output& out) {
  const uint8_t layer = peer_.media(lost.media).simulcast_layer_of(lost.ssrc);
  for (auto& [name, sender] : senders_) {
    if (sender.media == lost.media && sender.source != nullptr) room_.on_picture_lost(now, *sender.source, layer, out);
  }
}

// The client's decoders wait for what was lost under way: libwebrtc's ask for a key frame after three seconds. What the
// client publishes is looked at as it comes: on_picture_lost().
void Session::renew_pictures(Now now, Output& out) {
  for (auto& [id, entry] : receivers_) {
    const receiver::Receiver& receiver = *entry.receiver;
    if (receiver.kind() != MediaKind::kVideo || receiver.target().is_paused) continue;
    room_.on_key_frame_wanted(now, *entry.receiver, out);
  }
}

// --- life -------------------------------------------------------------------------------------------------------

void Session::on_timeout(Now now, Output& out) {
  if (is_over_) return;
  peer::Output peer_out = peer_output(out);
  peer_.on_timeout(now, peer_out);
  on_burst_end(now, out);
  for (auto& [name, sender] : senders_) {
    if (sender.source != nullptr) room_.on_key_frame_timeout(now, *sender.source, out);
  }
  expire_pending(now, out);
  check_admission(now, out);
  if (is_present_ && next_quality_ <= now.mono) tell_quality(now, out);
  if (is_present_ && next_levels_ <= now.mono) tell_levels(now, out);
  check_life(now, out);
}

void Session::check_life(Now now, Output& out) {
  if (is_over_) return;
  if (closing_at_) {
    if (now.mono >= *closing_at_ || !peer_.has_unconfirmed_messages()) end(end_reason_);
    return;
  }
  if (!connected_at_) {
    if (now.mono - started_at_ >= kConnectTimeout) end("no ICE and DTLS within 10 s");
    return;
  }
  if (!is_present_ && now.mono - *connected_at_ >= kChannelTimeout) return end("no data channel within 10 s");
  const Duration silence = now.mono - peer_.last_authenticated();
  if (silence >= kDroppedAfter) return end("no traffic for 30 s");
  const bool is_silent = silence >= kReconnectingAfter;
  if (is_silent == is_reconnecting_) return;
  is_reconnecting_ = is_silent;
  if (is_present_) {
    room_.set_status(id_, is_silent ? contract::PeerStatus::kReconnecting : contract::PeerStatus::kConnected, out);
  }
}

Instant Session::next_timeout() const {
  if (is_over_) return kNever;
  Instant due = peer_.next_timeout();
  if (is_present_) due = std::min({due, sharing_.next_timeout(), limit_due(), next_quality_, next_levels_});
  // Nothing else counts any more, and what is not looked at in check_life() must not be due either.
  if (closing_at_) return std::min(due, *closing_at_);
  if (!connected_at_) {
    due = std::min(due, started_at_ + kConnectTimeout);
  } else {
    if (!is_present_) due = std::min(due, *connected_at_ + kChannelTimeout);
    due = std::min(due, peer_.last_authenticated() + (is_reconnecting_ ? kDroppedAfter : kReconnectingAfter));
  }
  due = std::min(due, admission_.next_timeout());
  for (const Pending& pending : pending_) due = std::min(due, pending.deadline);
  for (const auto& [name, sender] : senders_) {
    if (sender.source != nullptr) due = std::min(due, sender.source->next_key_frame_timeout());
  }
  return due;
}

void Session::close(Now now, contract::Ending ending, Output& out) {
  if (is_over_ || closing_at_) return;
  if (!channel_) return end(to_text(ending));
  contract::SessionClosing event{to_text(ending), std::nullopt};
  if (ending == contract::Ending::kShutdown || ending == contract::Ending::kDrain) {
    const Duration least = ending == contract::Ending::kShutdown ? kRetryAfterShutdown : Duration{};
    event.retry_ms =
        static_cast<uint32_t>(to_ms(least) + int64_t{rng_.below(static_cast<uint32_t>(to_ms(kRetrySpread)))});
  }
  send_text(now, json::to_json(event), out);
  linger(now, to_text(ending), out);
}

void Session::linger(Now now, const char* reason, Output& out) {
  end_reason_ = reason;
  closing_at_ = now.mono + kCloseLinger;
  leave_room(out);
  out.touched.push_back(id_);
}

void Session::end(const char* reason) {
  if (is_over_) return;
  is_over_ = true;
  end_reason_ = reason;
}

void Session::hang_up(Now now, Output& out) {
  peer::Output peer_out = peer_output(out);
  peer_.close(now, peer_out);
}

void Session::leave_room(Output& out) {
  for (auto& [id, entry] : receivers_) room_.unbind(*entry.receiver, out);
  for (auto& [name, sender] : senders_) unpublish(sender, out);
  room_.remove_mixers(id_, out);
  if (is_present_) room_.leave(id_, out);
  is_present_ = false;
}

}  // namespace atm::session
