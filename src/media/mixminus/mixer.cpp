#include "media/mixminus/mixer.h"

#include <algorithm>

namespace atm::mixminus {

void Mixer::bind(size_t slot, bool is_bound) {
  slots_[slot] = {is_bound, Ranking::kNobody, kNever};
  bound_ =
      static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& one) { return one.is_bound; }));
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
      if (!ranking.is_of(id, owner_)) out[count++] = id;
    }
    return count;
  }
  for (const Id id : allowed_) {  // a list of its own: the room's would be walked to its end for one who is quiet
    if (!ranking.is_talking(id) || ranking.is_of(id, owner_)) continue;
    size_t at = count;
    while (at > 0 && ranking.level(now, out[at - 1]) < ranking.level(now, id)) --at;
    if (at == wanted) continue;
    count = std::min(count + 1, wanted);
    for (size_t i = count - 1; i > at; --i) out[i] = out[i - 1];
    out[at] = id;
  }
  return count;
}

// One that nobody needs: free, or of whoever has been silent the longest.
Mixer::Slot* Mixer::find_room() {
  Slot* silent = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.is_bound) continue;
    if (slot.holder == Ranking::kNobody) return &slot;
    if (slot.silent_since == kNever) continue;
    if (silent == nullptr || slot.silent_since < silent->silent_since) silent = &slot;
  }
  return silent;
}

// Where there is no room: of those who talk, and how loud it is.
Mixer::Quietest Mixer::find_quietest(Instant now, const Ranking& ranking) {
  Quietest found;
  for (Slot& slot : slots_) {
    if (!slot.is_bound) continue;
    const int level = ranking.level(now, slot.holder);
    if (found.slot == nullptr || level < found.level) found = {&slot, level};
  }
  return found;
}

bool Mixer::decide(Instant now, const Ranking& ranking) {
  bool has_changed = let_go(now, ranking);
  if (!is_enabled_ || bound_ == 0) return has_changed;
  std::array<Id, kSlots> loudest;
  const size_t count = find_loudest(now, ranking, std::span(loudest).first(bound_));
  std::optional<Quietest> quietest;  // once it is asked for
  for (size_t i = 0; i < count; ++i) {
    const Id id = loudest[i];
    if (is_held(id)) continue;
    Slot* slot = find_room();
    if (slot == nullptr) {
      if (!ranking.is_settled(now, id)) continue;
      if (!quietest) quietest = find_quietest(now, ranking);
      if (ranking.level(now, id) < quietest->level + kMargin) continue;
      slot = quietest->slot;
    }
    slot->holder = id;
    slot->silent_since = kNever;
    quietest.reset();
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
