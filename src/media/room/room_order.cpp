// Room: which of its streams is the first, the same for whoever asks, in every slice.
#include <algorithm>

#include "media/room/room.h"

namespace atm::room {

Entered Room::entered_of(const Published& published) const {
  if (!is_local(published)) {
    const auto peer = remote_peers_.find(published.source.key.peer);
    return peer == remote_peers_.end() ? Entered{} : peer->second.entered;
  }
  const auto is_its = [&](const Participant& participant) { return participant.id == published.source.owner; };
  const auto peer = std::find_if(participants_.begin(), participants_.end(), is_its);
  return peer == participants_.end() ? Entered{} : peer->presence.entered;
}

std::optional<contract::StreamKey> Room::pick(MediaKind kind, const std::optional<contract::StreamKey>& shown) const {
  const auto known = shown ? streams_.find(*shown) : streams_.end();
  const bool is_published = known != streams_.end() && known->second->source.kind == kind;
  if (is_published && known->second->source.active) return shown;
  const Published* first = nullptr;
  const auto is_before = [this](const Published& a, const Published& b) {
    if (a.source.active != b.source.active) return a.source.active;
    return std::pair(entered_of(a), a.id) < std::pair(entered_of(b), b.id);
  };
  for (const auto& [key, published] : streams_) {
    if (published->source.kind == kind && (first == nullptr || is_before(*published, *first))) first = published.get();
  }
  if (first == nullptr || (is_published && !first->source.active)) return is_published ? shown : std::nullopt;
  return first->source.key;
}

}  // namespace atm::room
