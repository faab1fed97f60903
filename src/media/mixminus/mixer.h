// One mix of one listener: which of the sources that it may hear are in its few slots. Nothing is mixed: a slot is fed
// the packets of whoever holds it. media/room owns one for each mixer of its sessions, asks it after a change of the
// Ranking, and connects the slots' receivers. It promises: never a source of the listener itself; a slot that nobody
// needs is taken at once by whoever begins to talk; from one who talks it is taken only by one who is louder by kMargin
// and has talked for longer than a burst; who is silent for kLinger leaves.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "contract/session.h"
#include "media/mixminus/ranking.h"

namespace atm::mixminus {

inline constexpr size_t kSlots = 3;
// dB that a talker has to be louder than the quietest in a slot. Half as loud again, and more than levels of speech
// differ from word to word once they are smoothed.
inline constexpr int kMargin = 6;
// A slot is kept for so long after its holder has stopped to talk: what it says next needs no switch.
inline constexpr Duration kLinger = 2s;

class Mixer {
 public:
  using Id = Ranking::Id;

  // Of that peer. With `hears_all` every source of the room is allowed, else those that allow() names.
  Mixer(std::string peer, bool hears_all) : owner_(std::move(peer)), hears_all_(hears_all) {}

  // A slot takes part while somebody listens to it.
  void bind(size_t slot, bool is_bound);
  void set_enabled(bool is_enabled) { is_enabled_ = is_enabled; }
  // Manual: a source may be heard; again has no effect.
  void allow(Id id);
  // It may not, or is gone. True when it held a slot.
  bool remove(Id id);

  // True when another source than before holds a slot.
  bool decide(Instant now, const Ranking& ranking);
  // When decide() has to be called though nothing has changed.
  Instant next_timeout() const;

  // kNobody: the slot is free.
  Id holder(size_t slot) const { return slots_[slot].holder; }
  // Of those that talk and that it may hear, the loudest first, as many as there is room for: how many there are.
  size_t find_loudest(Instant now, const Ranking& ranking, std::span<Id> out) const;
  bool hears_all() const { return hears_all_; }

 private:
  struct Slot {
    bool is_bound = false;
    Id holder = Ranking::kNobody;
    Instant silent_since = kNever;
  };
  bool let_go(Instant now, const Ranking& ranking);
  struct Quietest {
    Slot* slot = nullptr;
    int level = kSilence;
  };
  Slot* find_room();
  Quietest find_quietest(Instant now, const Ranking& ranking);
  bool is_held(Id id) const;

  Ranking::Owner owner_;
  bool hears_all_;
  bool is_enabled_ = true;
  std::array<Slot, kSlots> slots_;
  size_t bound_ = 0;  // of slots_
  std::vector<Id> allowed_;
};

}  // namespace atm::mixminus
