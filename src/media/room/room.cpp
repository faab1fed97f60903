#include "media/room/room.h"

#include <algorithm>

#include "base/assert.h"

namespace atm::room {

using contract::PresenceChange;
using contract::PublishScope;
using contract::SubscribeScope;
using sender::KeyFrameAsk;

// --- presence ---------------------------------------------------------------------------------------------------

bool Room::sees_streams_of(const Participant& viewer, const std::string& peer) {
  // Everybody is told of its own streams ("my stream" of the SDK), whatever the scope.
  if (viewer.presence.peer == peer || viewer.subscribe != SubscribeScope::kManual) return true;
  return viewer.subscribed_peers.contains(peer);
}

bool Room::sees_peer(const Participant& viewer, const RelayedPeer& other) {
  return viewer.presence.peer != other.peer && viewer.subscribe == SubscribeScope::kFull &&
         other.publish == PublishScope::kFull;
}

void Room::enter(Now now, SessionId id, const std::string& peer, SubscribeScope subscribe, PublishScope publish,
                 contract::Protocol protocol, const std::string& metadata, Output& out) {
  ASSERT(find_participant(id) == nullptr);
  remove_remote_peer(peer, out);  // it has come over here; its old slice learns that from us
  participants_.push_back(
      {id,
       {peer, publish, contract::PeerStatus::kConnected, Entered{now.mono, self_}, metadata, protocol},
       subscribe,
       {}});
  const Participant& newcomer = participants_.back();
  const auto tell_of = [&](const RelayedPeer& other) {
    if (sees_peer(newcomer, other)) {
      out.events.emplace_back(
          id, contract::PeerEvent{PresenceChange::kAdded, other.peer, other.status, other.metadata, other.protocol});
    }
  };
  for (const Participant& other : participants_) tell_of(other.presence);
  for (const auto& [name, other] : remote_peers_) tell_of(other);
  for (const auto& [key, published] : streams_) {
    if (sees_streams_of(newcomer, key.peer)) {
      out.events.emplace_back(id, stream_event(published->source, PresenceChange::kAdded));
    }
  }
  tell_peer(newcomer.presence, PresenceChange::kAdded, out);
  tell_room_stats(out);
  SliceState change;
  change.peers.push_back(newcomer.presence);
  relay_change(std::move(change), out);
}

bool Room::refuses(const std::string& peer) const {
  if (duplicates_ != Duplicates::kRefuse) return false;
  const auto other = remote_peers_.find(peer);
  return other != remote_peers_.end() && other->second.status != contract::PeerStatus::kReconnecting;
}

void Room::set_status(SessionId id, contract::PeerStatus status, Output& out) {
  Participant* participant = find_participant(id);
  if (participant == nullptr || participant->presence.status == status) return;
  participant->presence.status = status;
  tell_peer(participant->presence, PresenceChange::kUpdated, out);
  SliceState change;
  change.peers.push_back(participant->presence);
  relay_change(std::move(change), out);
}

void Room::leave(SessionId id, Output& out) {
  const auto it = std::find_if(participants_.begin(), participants_.end(), [id](const auto& p) { return p.id == id; });
  if (it == participants_.end()) return;
  const Participant gone = std::move(*it);
  participants_.erase(it);
  tell_peer(gone.presence, PresenceChange::kRemoved, out);
  tell_room_stats(out);
  SliceState change;
  change.gone_peers.push_back(gone.presence.peer);
  relay_change(std::move(change), out);
}

bool Room::subscribe_peer(SessionId id, const std::string& peer, Output& out) {
  Participant* participant = find_participant(id);
  if (participant == nullptr || sees_streams_of(*participant, peer)) return true;
  if (participant->subscribed_peers.size() >= kMaxSubscribedPeers) return false;
  participant->subscribed_peers.insert(peer);
  for (const auto& [key, published] : streams_) {
    if (key.peer == peer) out.events.emplace_back(id, stream_event(published->source, PresenceChange::kAdded));
  }
  return true;
}

void Room::unsubscribe_peer(SessionId id, const std::string& peer, Output& out) {
  Participant* participant = find_participant(id);
  if (participant == nullptr || participant->subscribed_peers.erase(peer) == 0) return;
  for (const auto& [key, published] : streams_) {
    if (key.peer == peer) out.events.emplace_back(id, stream_event(published->source, PresenceChange::kRemoved));
  }
}

void Room::tell_peer(const RelayedPeer& about, PresenceChange change, Output& out) {
  for (const Participant& viewer : participants_) {
    if (sees_peer(viewer, about))
      out.events.emplace_back(viewer.id,
                              contract::PeerEvent{change, about.peer, about.status, about.metadata, about.protocol});
  }
}

void Room::tell_room_stats(Output& out) {
  const contract::RoomStats stats{static_cast<uint32_t>(participants_.size() + remote_peers_.size())};
  for (const Participant& viewer : participants_) out.events.emplace_back(viewer.id, stats);
}

// --- streams ----------------------------------------------------------------------------------------------------

contract::StreamEvent Room::stream_event(const Source& source, PresenceChange change) {
  contract::StreamEvent event;
  event.change = change;
  event.peer = source.key.peer;
  event.stream = source.key.stream;
  event.kind = source.kind;
  event.scaling = source.told_scaling();
  event.active = source.active;
  event.label = source.label;
  return event;
}

void Room::tell_stream(const Source& source, PresenceChange change, Output& out) {
  for (const Participant& viewer : participants_) {
    if (sees_streams_of(viewer, source.key.peer)) out.events.emplace_back(viewer.id, stream_event(source, change));
  }
}

Source* Room::publish(Source source, Output& out) {
  // A source that a slice did not say the end of yet is another's of that name: its peer has entered here since.
  const StreamId id{uint64_t{static_cast<uint16_t>(self_)} << 48 | next_stream_++};
  Published* published = insert(std::move(source), id, self_, out);
  if (published == nullptr) return nullptr;
  SliceState change;
  change.streams.push_back(relayed(*published));
  relay_change(std::move(change), out);
  return &published->source;
}

Room::Published* Room::insert(Source source, StreamId id, SliceId slice, Output& out) {
  const contract::StreamKey key = source.key;
  auto [it, is_new] = streams_.try_emplace(key, nullptr);
  if (!is_new) return nullptr;
  it->second = std::make_unique<Published>(Published{std::move(source), {}, id, {}, slice});
  Published& published = *it->second;
  if (published.source.kind == MediaKind::kAudio) rank(published);
  tell_stream(published.source, PresenceChange::kAdded, out);
  const auto [first, last] = waiting_.equal_range(key);
  for (auto waiting = first; waiting != last; ++waiting) {
    Receiver& receiver = *waiting->second;
    published.subscribers.push_back(&receiver);
    receiver.attach(receiver.kind() == published.source.kind ? &published.source : nullptr);
    tell_state(receiver, out);
  }
  waiting_.erase(first, last);
  return &published;
}

void Room::unpublish(const contract::StreamKey& key, Output& out) {
  const auto it = streams_.find(key);
  if (it == streams_.end()) return;
  leave_mixers(*it->second, out);
  const std::unique_ptr<Published> published = std::move(it->second);
  streams_.erase(it);
  for (Receiver* receiver : published->subscribers) {
    receiver->attach(nullptr);
    tell_state(*receiver, out);
    waiting_.emplace(key, receiver);
  }
  tell_stream(published->source, PresenceChange::kRemoved, out);
  if (!is_local(*published)) {
    remote_streams_.erase(published->id);
    return;
  }
  SliceState change;
  change.gone_streams.push_back(key);
  relay_change(std::move(change), out);
}

void Room::on_updated(Source& source, bool active_changed, Output& out) {
  tell_updated(source, active_changed, out);
  on_codecs_changed(source, out);
}

void Room::on_codecs_changed(Source& source, Output& out) {
  SliceState change;
  change.streams.push_back(relayed(*find_published(source.key)));
  relay_change(std::move(change), out);
}

void Room::tell_updated(Source& source, bool active_changed, Output& out) {
  tell_stream(source, PresenceChange::kUpdated, out);
  if (!active_changed) return;
  if (!source.active && source.rank) {
    source.loudness.stop();
    is_undecided_ |= ranking_.silence(*source.rank);
  }
  for (Receiver* receiver : find_published(source.key)->subscribers) {
    receiver->on_active_changed();
    tell_state(*receiver, out);
  }
}

// --- views ------------------------------------------------------------------------------------------------------

void Room::bind(Now now, Receiver& receiver, const contract::StreamKey& remote, Output& out) {
  if (receiver.remote()) unbind(receiver, out);
  receiver.bind(remote);
  if (Published* published = find_published(remote)) {
    published->subscribers.push_back(&receiver);
    // A stream of the other kind cannot be shown on this m-line; the receiver says "no source" for as long.
    receiver.attach(receiver.kind() == published->source.kind ? &published->source : nullptr);
    on_demand_changed(now, receiver, out);
    if (const auto layer = receiver.wants_key_frame_of(now)) want_key_frame(now, published->source, *layer, out);
  } else {
    waiting_.emplace(remote, &receiver);
  }
  tell_state(receiver, out);
}

void Room::unbind(Receiver& receiver, Output& out) {
  if (!receiver.remote()) return;
  if (receiver.is_slot()) leave_slot(receiver, out);
  const contract::StreamKey& remote = *receiver.remote();
  if (Published* published = find_published(remote)) stop_showing(receiver, *published, out);
  const auto [first, last] = waiting_.equal_range(remote);
  for (auto it = first; it != last; ++it) {
    if (it->second != &receiver) continue;
    waiting_.erase(it);
    break;
  }
  receiver.unbind();
  tell_state(receiver, out);
}

void Room::stop_showing(Receiver& receiver, Published& published, Output& out) {
  std::erase(published.subscribers, &receiver);
  if (!published.subscribers.empty()) return;
  stop_viewing(published, out);
  if (has_subscribers(published.source)) return;
  published.source.cancel_key_frames();
  published.source.forget_packets();
}

void Room::fan_out(Now now, Source& source, std::span<const peer::MediaPacket> packets, Output& out) {
  Published* published = find_published(source.key);
  ASSERT(published != nullptr);
  uint64_t first = 0;
  if (source.kind == MediaKind::kVideo) {
    for (const peer::MediaPacket& packet : packets) {
      if (packet.starts_key_frame) on_key_frame(now, *published, packet.simulcast_layer, out);
      first = source.recent.add(packet);
    }
    measure(now, *published, packets, out);
    first -= packets.size() - 1;
  } else {
    for (const peer::MediaPacket& packet : packets) source.add_frame(now.mono, packet);
  }
  relay_packets(*published, packets, out);
  std::array<bool, peer::kMaxSimulcastLayers> are_wanted{};
  for (Receiver* receiver : published->subscribers) {
    if (receiver->source() == nullptr) continue;
    for (size_t i = 0; i < packets.size(); ++i) {
      if (!receiver->forward(now, packets[i], out.pool, out.datagrams)) continue;
      source.recent.for_each_after(packets[i], first + i, [&](const peer::MediaPacket& earlier) {
        receiver->forward(now, earlier, out.pool, out.datagrams);
      });
    }
    if (const auto layer = receiver->wants_key_frame_of(now)) are_wanted[*layer] = true;
    tell_state(*receiver, out);
    if (receiver->has_queued_media()) out.touched.push_back(receiver->owner());
  }
  for (uint8_t layer = 0; layer < are_wanted.size(); ++layer) {
    if (are_wanted[layer]) want_key_frame(now, source, layer, out);
  }
}

void Room::on_key_frame(Now now, Published& published, uint8_t simulcast_layer, Output& out) {
  KeyFrameAsk& ask = published.source.key_frames[simulcast_layer];
  published.source.key_frame_at = now.mono;
  // What its publisher may send can have waited for it.
  if (ask.is_wanted() && is_local(published)) note_demand(published, out);
  ask.on_key_frame();
}

void Room::measure(Now now, Published& published, std::span<const peer::MediaPacket> packets, Output& out) {
  bool has_changed = false;
  for (const peer::MediaPacket& packet : packets) has_changed |= published.source.measure(now.mono, packet);
  // Where the publisher is; other slices are told.
  if (has_changed && is_local(published)) on_updated(published.source, false, out);
}

bool Room::has_subscribers(const Source& source) const {
  const auto it = streams_.find(source.key);
  return it != streams_.end() && !(it->second->subscribers.empty() && it->second->viewing_slices.empty());
}

uint32_t Room::viewers_of(const Source& source) const {
  const auto it = streams_.find(source.key);
  if (it == streams_.end()) return 0;
  auto viewers = static_cast<uint32_t>(it->second->subscribers.size());
  for (const ViewingSlice& viewing : it->second->viewing_slices) viewers += viewing.demand.viewers;
  return viewers;
}

void Room::want_key_frame(Now now, Source& source, uint8_t simulcast_layer, Output& out) {
  if (source.kind != MediaKind::kVideo || simulcast_layer >= source.key_frames.size()) return;
  source.key_frames[simulcast_layer].want(now.mono);
  ask_if_due(now, source, out);
  if (source.publisher != nullptr) {
    out.touched.push_back(source.owner);
  } else {
    out.wake_rooms_at(source.next_key_frame_timeout());
  }
}

void Room::on_key_frame_wanted(Now now, Receiver& receiver, Output& out) {
  if (receiver.source() == nullptr) return;
  receiver.on_picture_lost(now);
  want_key_frame(now, *receiver.source(), receiver.shown_simulcast_layer(now), out);
}

void Room::on_picture_lost(Now now, Source& source, uint8_t simulcast_layer, Output& out) {
  if (has_subscribers(source)) want_key_frame(now, source, simulcast_layer, out);
}

void Room::on_target_changed(Now now, Receiver& receiver, Output& out) {
  tell_state(receiver, out);
  if (receiver.source() == nullptr) return;
  if (const auto layer = receiver.wants_key_frame_of(now)) want_key_frame(now, *receiver.source(), *layer, out);
}

void Room::on_key_frame_timeout(Now now, Source& source, Output& out) {
  ask_if_due(now, source, out);
}

void Room::ask_if_due(Now now, Source& source, Output& out) {
  for (uint8_t layer = 0; layer < source.key_frames.size(); ++layer) {
    KeyFrameAsk& ask = source.key_frames[layer];
    if (ask.is_wanted() && !source.is_sent(now.mono, layer)) ask.cancel();
    if (!ask.take_due(now.mono)) continue;
    if (source.publisher != nullptr) {
      source.publisher->request_key_frame(now, source.media, out.datagrams, layer);
    } else if (const Published* published = find_published(source.key)) {
      send(published->slice, WantKeyFrame{published->id, layer}, out);
    }
  }
}

void Room::tell_state(Receiver& receiver, Output& out) {
  if (const auto state = receiver.take_state_change()) {
    out.events.emplace_back(receiver.owner(), contract::ReceiverStateEvent{receiver.id(), *state, receiver.reason()});
  }
}

Room::Participant* Room::find_participant(SessionId id) {
  const auto it = std::find_if(participants_.begin(), participants_.end(), [id](const auto& p) { return p.id == id; });
  return it == participants_.end() ? nullptr : &*it;
}

Room::Published* Room::find_published(const contract::StreamKey& key) {
  const auto it = streams_.find(key);
  return it == streams_.end() ? nullptr : it->second.get();
}

}  // namespace atm::room
