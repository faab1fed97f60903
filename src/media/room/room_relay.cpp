// Room: what its slices tell each other, and what follows from it here.
#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "media/room/room.h"

namespace atm::room {

using contract::PresenceChange;

// What the buffers of a burst hold from the beginning: most need never grow, whichever stream they are used for next.
// Those that must, do so in powers of two, and stay as large.
constexpr size_t kUsualBurstPackets = 16;
constexpr size_t kUsualBurstBytes = 16 * 1'024;
constexpr size_t kUsualRoomName = 64;
// So many are made when none is left: a moment with one more on its way than ever before need not make another.
constexpr size_t kBurstsMadeAtOnce = 8;

// --- to other slices --------------------------------------------------------------------------------------------

void Room::send(SliceId to, decltype(RelayMessage::body) body, Output& out) {
  out.relay.push_back({self_, to, name_, std::move(body)});
}

void Room::relay_change(SliceState change, Output& out) {
  change.version = ++version_;
  for (const auto& [slice, known] : slices_) send(slice, change, out);
}

void Room::relay_packets(const Published& published, std::span<const peer::MediaPacket> packets, Output& out) {
  for (const auto& [to, demand] : published.viewing_slices) {
    RelayMessage message = take_spare_burst(out);
    message.from = self_;
    message.to = to;
    message.room = name_;
    auto& burst = std::get<RelayedPackets>(message.body);
    burst.id = published.id;
    burst.round_trip = published.source.round_trip();
    fill(burst, packets);
    out.relay.push_back(std::move(message));
  }
}

RelayMessage Room::take_spare_burst(Output& out) {
  if (out.spare_bursts.empty()) {
    for (size_t i = 0; i < kBurstsMadeAtOnce; ++i) {
      RelayMessage& made = out.spare_bursts.emplace_back();
      made.room.reserve(kUsualRoomName);
      auto& burst = made.body.emplace<RelayedPackets>();
      burst.packets.reserve(kUsualBurstPackets);
      burst.payloads.reserve(kUsualBurstBytes);
    }
  }
  RelayMessage spare = std::move(out.spare_bursts.back());
  out.spare_bursts.pop_back();
  return spare;
}

void Room::fill(RelayedPackets& burst, std::span<const peer::MediaPacket> packets) {
  size_t size = 0;
  for (const peer::MediaPacket& packet : packets)
    size += packet.payload.bytes().size() + packet.payload.trailer().size();
  burst.packets.clear();
  burst.payloads.clear();
  // std::bit_ceil: reserve() alone would grow to each new size anew.
  burst.packets.reserve(std::bit_ceil(packets.size()));
  burst.payloads.reserve(std::bit_ceil(size));
  for (const peer::MediaPacket& packet : packets) {
    const ByteView payload = packet.payload.bytes(), trailer = packet.payload.trailer();
    RelayedPacket& relayed = burst.packets.emplace_back(RelayedPacket{packet, payload.size(), trailer.size()});
    relayed.packet.payload = {};
    burst.payloads.insert(burst.payloads.end(), payload.begin(), payload.end());
    burst.payloads.insert(burst.payloads.end(), trailer.begin(), trailer.end());
  }
}

RelayedStream Room::relayed(const Published& published) {
  const Source& source = published.source;
  const Participant* peer = find_participant(source.owner);
  return {source.key,         peer == nullptr ? Entered{} : peer->presence.entered,
          published.id,       source.kind,
          source.label,       source.active,
          source.codecs,      source.simulcast_layers,
          source.scaling,     source.screen,
          source.content_hint};
}

SliceState Room::whole_state() {
  SliceState state;
  state.version = version_;
  state.is_whole = true;
  for (const Participant& participant : participants_) state.peers.push_back(participant.presence);
  for (const auto& [key, published] : streams_) {
    if (is_local(*published)) state.streams.push_back(relayed(*published));
  }
  return state;
}

void Room::send_digests(Now now, std::span<const SliceId> others, Output& out) {
  std::vector<SliceId> silent;
  for (const auto& [slice, known] : slices_) {
    if (now.mono - known.heard_at >= kSliceSilence) silent.push_back(slice);
  }
  for (const SliceId slice : silent) remove_slice(slice, out);
  for (const SliceId slice : others) {
    SliceDigest digest{version_, {}, !mixers_.empty()};
    for (const auto& [id, published] : remote_streams_) {
      if (published->slice != slice) continue;
      published->known = own_demand(now, *published);
      if (published->known.viewers > 0) digest.viewed.push_back({id, published->known});
    }
    send(slice, std::move(digest), out);
  }
}

void Room::close(Output& out) {
  for (const auto& [slice, known] : slices_) send(slice, SliceGone{}, out);
}

// --- from other slices ------------------------------------------------------------------------------------------

// Two slices each let one of the name in: both see it alike, so one stays.
bool Room::gives_way(const RelayedPeer& own, const RelayedPeer& other) const {
  const bool is_newer = other.entered < own.entered;
  const RelayedPeer& older = is_newer ? other : own;
  const bool newer_goes = duplicates_ == Duplicates::kRefuse && older.status != contract::PeerStatus::kReconnecting;
  return is_newer == newer_goes;
}

std::vector<std::pair<SessionId, contract::Ending>> Room::displaced_by(const RelayMessage& message) const {
  std::vector<std::pair<SessionId, contract::Ending>> displaced;
  const auto* state = std::get_if<SliceState>(&message.body);
  if (state == nullptr) return displaced;
  for (const RelayedPeer& peer : state->peers) {
    for (const Participant& own : participants_) {
      if (own.presence.peer != peer.peer || !gives_way(own.presence, peer)) continue;
      const bool is_older = own.presence.entered < peer.entered;
      displaced.emplace_back(own.id, is_older ? contract::Ending::kReplaced : contract::Ending::kDuplicatePeer);
    }
  }
  return displaced;
}

void Room::on_relay(Now now, const RelayMessage& message, Output& out) {
  const SliceId from = message.from;
  if (std::holds_alternative<SliceGone>(message.body)) return remove_slice(from, out);
  const auto [it, is_new] = slices_.try_emplace(from);
  Slice& slice = it->second;
  slice.heard_at = now.mono;
  if (is_new) send(from, whole_state(), out);
  if (is_new && !mixers_.empty()) send(from, WantLevels{true}, out);
  if (const auto* state = std::get_if<SliceState>(&message.body)) {
    if (state->version <= slice.version) return;  // overtaken
    if (!state->is_whole && state->version != slice.version + 1) return send(from, WantState{}, out);
    slice.version = state->version;
    apply(now, from, *state, out);
  } else if (const auto* digest = std::get_if<SliceDigest>(&message.body)) {
    if (digest->version != slice.version) send(from, WantState{}, out);
    on_levels_wanted(slice, digest->wants_levels);
    for (const auto& [key, published] : streams_) {
      if (!is_local(*published)) continue;
      const auto is_its = [id = published->id](const ViewStream& view) { return view.id == id; };
      const auto viewed = std::find_if(digest->viewed.begin(), digest->viewed.end(), is_its);
      on_view(now, from, viewed == digest->viewed.end() ? ViewStream{published->id, {}} : *viewed, out);
    }
  } else if (std::holds_alternative<WantState>(message.body)) {
    send(from, whole_state(), out);
  } else if (const auto* viewed = std::get_if<ViewStream>(&message.body)) {
    on_view(now, from, *viewed, out);
  } else if (const auto* levels = std::get_if<WantLevels>(&message.body)) {
    on_levels_wanted(slice, levels->are_wanted);
  } else if (const auto* told = std::get_if<SliceLevels>(&message.body)) {
    on_levels(now, slice, *told, out);
  } else if (const auto* wanted = std::get_if<WantKeyFrame>(&message.body)) {
    if (Published* published = find_local(wanted->id))
      want_key_frame(now, published->source, wanted->simulcast_layer, out);
  } else {
    on_packets(now, std::get<RelayedPackets>(message.body), out);
  }
}

void Room::apply(Now now, SliceId from, const SliceState& state, Output& out) {
  // Ends before beginnings: a stream can have ended and begun anew.
  std::vector<contract::StreamKey> gone_streams = state.gone_streams;
  std::vector<std::string> gone_peers = state.gone_peers;
  if (state.is_whole) {
    for (const auto& [id, published] : remote_streams_) {
      const auto is_it = [id = id](const RelayedStream& stream) { return stream.id == id; };
      if (published->slice == from && std::none_of(state.streams.begin(), state.streams.end(), is_it)) {
        gone_streams.push_back(published->source.key);
      }
    }
    for (const auto& [name, peer] : remote_peers_) {
      const auto is_it = [&name = name](const RelayedPeer& other) { return other.peer == name; };
      if (peer.entered.slice == from && std::none_of(state.peers.begin(), state.peers.end(), is_it)) {
        gone_peers.push_back(name);
      }
    }
  }
  for (const contract::StreamKey& key : gone_streams) {
    const Published* published = find_published(key);
    if (published != nullptr && published->slice == from) unpublish(key, out);
  }
  for (const std::string& name : gone_peers) {
    const auto it = remote_peers_.find(name);
    if (it != remote_peers_.end() && it->second.entered.slice == from) remove_remote_peer(name, out);
  }
  for (const RelayedPeer& peer : state.peers) apply_peer(from, peer, out);
  for (const RelayedStream& stream : state.streams) apply_stream(now, from, stream, out);
}

void Room::apply_peer(SliceId from, const RelayedPeer& peer, Output& out) {
  for (const Participant& own : participants_) {
    if (own.presence.peer == peer.peer) return;  // ours stays (displaced_by): the other slice ends its own
  }
  const auto it = remote_peers_.find(peer.peer);
  if (it != remote_peers_.end()) {
    RelayedPeer& known = it->second;
    if (known.entered == peer.entered) {
      if (known.status == peer.status) return;
      known.status = peer.status;
      return tell_peer(known, PresenceChange::kUpdated, out);
    }
    if (known.entered > peer.entered) return;
    remove_remote_peer(peer.peer, out);
  }
  ASSERT(peer.entered.slice == from);
  remote_peers_.emplace(peer.peer, peer);
  tell_peer(peer, PresenceChange::kAdded, out);
  tell_room_stats(out);
}

void Room::apply_stream(Now now, SliceId from, const RelayedStream& stream, Output& out) {
  const auto peer = remote_peers_.find(stream.key.peer);
  if (peer == remote_peers_.end() || peer->second.entered != stream.entered) return;  // of one that was replaced
  if (Published* known = find_published(stream.key)) {
    if (known->slice != from) return;
    if (known->id == stream.id) {
      Source& source = known->source;
      if (source.codecs != stream.codecs) source.set_codecs(stream.codecs);
      const bool active_changed = source.active != stream.active;
      const contract::StreamScaling told = source.told_scaling();
      source.simulcast_layers = stream.simulcast_layers;
      source.scaling = stream.scaling;
      if (!active_changed && source.label == stream.label && source.told_scaling() == told) return;
      source.active = stream.active;
      source.label = stream.label;
      return tell_updated(source, active_changed, out);
    }
    unpublish(stream.key, out);
  }
  Source source;
  source.key = stream.key;
  source.kind = stream.kind;
  source.label = stream.label;
  source.active = stream.active;
  source.codecs = stream.codecs;
  source.simulcast_layers = stream.simulcast_layers;
  source.scaling = stream.scaling;
  source.screen = stream.screen;
  source.content_hint = stream.content_hint;
  Published* published = insert(std::move(source), stream.id, from, out);
  ASSERT(published != nullptr);
  remote_streams_[stream.id] = published;
  if (published->subscribers.empty()) return;
  tell_demand(now, *published, out);
  for (const Receiver* receiver : published->subscribers) {
    if (const auto layer = receiver->wants_key_frame_of(now)) want_key_frame(now, published->source, *layer, out);
  }
}

void Room::remove_remote_peer(const std::string& name, Output& out) {
  const auto it = remote_peers_.find(name);
  if (it == remote_peers_.end()) return;
  const RelayedPeer gone = std::move(it->second);
  remote_peers_.erase(it);
  std::vector<contract::StreamKey> keys;
  for (const auto& [id, published] : remote_streams_) {
    if (published->source.key.peer == name) keys.push_back(published->source.key);
  }
  for (const contract::StreamKey& key : keys) unpublish(key, out);
  tell_peer(gone, PresenceChange::kRemoved, out);
  tell_room_stats(out);
}

void Room::remove_slice(SliceId slice, Output& out) {
  if (const auto it = slices_.find(slice); it != slices_.end()) on_levels_wanted(it->second, false);
  if (slices_.erase(slice) == 0) return;
  std::vector<std::string> names;
  for (const auto& [name, peer] : remote_peers_) {
    if (peer.entered.slice == slice) names.push_back(name);
  }
  for (const std::string& name : names) remove_remote_peer(name, out);
  for (const auto& [key, published] : streams_) {
    const auto is_its = [slice](const ViewingSlice& viewing) { return viewing.slice == slice; };
    if (std::erase_if(published->viewing_slices, is_its) > 0) note_demand(*published, out);
  }
}

void Room::on_view(Now now, SliceId from, const ViewStream& view, Output& out) {
  Published* published = find_local(view.id);
  if (published == nullptr) return;
  std::vector<ViewingSlice>& viewing = published->viewing_slices;
  const auto it = std::find_if(viewing.begin(), viewing.end(), [from](const auto& one) { return one.slice == from; });
  if (view.demand.viewers == 0) {
    if (it == viewing.end()) return;
    viewing.erase(it);
    note_demand(*published, out);
    if (has_subscribers(published->source)) return;
    published->source.cancel_key_frames();
    published->source.forget_packets();
    return;
  }
  const bool is_new = it == viewing.end();
  if (is_new) {
    viewing.push_back({from, view.demand});
  } else {
    it->demand = view.demand;
  }
  if (view.demand.rises_above(published->known)) note_demand(*published, out);
  // Of simulcast the slice says itself which layer it waits for.
  if (is_new && published->source.simulcast_layers == 1) want_key_frame(now, published->source, 0, out);
}

void Room::on_packets(Now now, const RelayedPackets& burst, Output& out) {
  const auto it = remote_streams_.find(burst.id);
  if (it == remote_streams_.end() || it->second->subscribers.empty()) return;  // on the way while it ended
  relayed_packets_.clear();
  size_t at = 0;
  for (const RelayedPacket& relayed : burst.packets) {
    peer::MediaPacket& packet = relayed_packets_.emplace_back(relayed.packet);
    const ByteView bytes = ByteView(burst.payloads).subspan(at, relayed.payload_size + relayed.trailer_size);
    packet.payload = out.pool.copy(bytes.first(relayed.payload_size), bytes.subspan(relayed.payload_size));
    at += bytes.size();
  }
  Source& source = it->second->source;
  source.relayed_round_trip = burst.round_trip;
  if (source.kind == MediaKind::kAudio) {
    for (const peer::MediaPacket& packet : relayed_packets_) source.listen(now.mono, packet);
  }
  fan_out(now, source, relayed_packets_, out);
  relayed_packets_.clear();
}

// --- time -------------------------------------------------------------------------------------------------------

Instant Room::next_timeout() const {
  Instant due = kNever;
  for (const auto& [id, published] : remote_streams_) {
    due = std::min(due, published->source.next_key_frame_timeout());
  }
  return std::min(due, mixers_due_);
}

void Room::on_timeout(Now now, Output& out) {
  for (const auto& [id, published] : remote_streams_) ask_if_due(now, published->source, out);
  if (mixers_due_ <= now.mono) run_mixers(now, out);
  out.wake_rooms_at(next_timeout());
}

Room::Published* Room::find_local(StreamId id) {
  for (const auto& [key, published] : streams_) {
    if (published->id == id && is_local(*published)) return published.get();
  }
  return nullptr;
}

}  // namespace atm::room
