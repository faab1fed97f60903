#include "media/mixminus/mixer.h"

#include <algorithm>

namespace atm::mixminus {

void Mixer::bind(size_t slot, bool is_bound) {
  slots_[slot] = {is_bound, Ranking::kNobody, kNever};
}

void Mixer::allow(Id id) {
  if (std::find(allowed_.begin(), allowed_.end(), id) == allowed_.end()) allowed_.push_back(id);
}

bool Mixer::remove(Id id) {
  std::erase(allowed_, id);
  for (Slot& slot : slots_) {
    if (slot.holder != id) continue;
    slot.holder = Ranking::kNobody;
    return true;
  }
  return false;
}

bool Mixer::is_held(Id id) const {
  return std::any_of(slots_.begin(), slots_.end(), [id](const Slot& slot) { return slot.holder == id; });
}

bool Mixer::let_go(Instant now, const Ranking& ranking) {
  bool has_changed = false;
  for (Slot& slot : slots_) {
    if (slot.holder == Ranking::kNobody) continue;
    if (ranking.is_talking(slot.holder) && is_enabled_) {
      slot.silent_since = kNever;
      continue;
    }
    slot.silent_since = std::min(slot.silent_since, now);
    if (is_enabled_ && now - slot.silent_since < kLinger) continue;
    slot.holder = Ranking::kNobody;
    has_changed = true;
  }
  return has_changed;
}

size_t Mixer::find_loudest(Instant now, const Ranking& ranking, std::span<Id> out) const {
  const size_t wanted = out.size();
  size_t count = 0;
  if (hears_all_) {
    for (Id id = ranking.loudest(); id != Ranking::kNobody && count < wanted; id = ranking.quieter_than(id)) {
      if (ranking.key(id).peer != peer_) out[count++] = id;
    }
    return count;
  }
  for (const Id id : allowed_) {  // a list of its own: the room's would be walked to its end for one who is quiet
    if (!ranking.is_talking(id) || ranking.key(id).peer == peer_) continue;
    size_t at = count;
    while (at > 0 && ranking.level(now, out[at - 1]) < ranking.level(now, id)) --at;
    if (at == wanted) continue;
    count = std::min(count + 1, wanted);
    for (size_t i = count - 1; i > at; --i) out[i] = out[i - 1];
    out[at] = id;
  }
  return count;
}

Mixer::Slot* Mixer::find_slot_for(Instant now, const Ranking& ranking, Id id) {
  Slot* silent = nullptr;
  Slot* quietest = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.is_bound) continue;
    if (slot.holder == Ranking::kNobody) return &slot;
    if (slot.silent_since != kNever) {
      if (silent == nullptr || slot.silent_since < silent->silent_since) silent = &slot;
    } else if (quietest == nullptr || ranking.level(now, slot.holder) < ranking.level(now, quietest->holder)) {
      quietest = &slot;
    }
  }
  if (silent != nullptr) return silent;
  const bool is_long_enough = ranking.is_settled(now, id);
  if (quietest == nullptr || !is_long_enough) return nullptr;
  return ranking.level(now, id) >= ranking.level(now, quietest->holder) + kMargin ? quietest : nullptr;
}

bool Mixer::decide(Instant now, const Ranking& ranking) {
  bool has_changed = let_go(now, ranking);
  if (!is_enabled_) return has_changed;
  const auto bound = std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.is_bound; });
  std::array<Id, kSlots> loudest;
  const size_t count = find_loudest(now, ranking, std::span(loudest).first(static_cast<size_t>(bound)));
  for (size_t i = 0; i < count; ++i) {
    if (is_held(loudest[i])) continue;
    Slot* slot = find_slot_for(now, ranking, loudest[i]);
    if (slot == nullptr) continue;
    slot->holder = loudest[i];
    slot->silent_since = kNever;
    has_changed = true;
  }
  return has_changed;
}

Instant Mixer::next_timeout() const {
  Instant due = kNever;
  for (const Slot& slot : slots_) {
    if (slot.holder != Ranking::kNobody && slot.silent_since != kNever)
      due = std::min(due, slot.silent_since + kLinger);
  }
  return due;
}

}  // namespace atm::mixminus
