// Who talks in a room, the loudest first: one for all mixers of a slice. media/room places a source with each of its
// packets, and mixers walk it. Constant work for a placing, whatever the number of sources: a list for each dB, and a
// bit for each list that has somebody.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "contract/session.h"
#include "media/mixminus/loudness.h"

namespace atm::mixminus {

class Ranking {
 public:
  enum class Id : uint32_t {};
  static constexpr Id kNobody{~uint32_t{0}};
  // A participant to whom sources are compared, mostly without a look at its letters.
  struct Owner {
    explicit Owner(std::string name) : peer(std::move(name)), hash(std::hash<std::string>{}(peer)) {}
    std::string peer;
    size_t hash;
  };

  // A source, silent yet. `key` must live as long as it.
  Id add(const contract::StreamKey& key);
  void remove(Id id);

  // It talks, at that level. True when somebody may have to be heard who is not: it has just begun to, or has just
  // talked for longer than a burst.
  bool place(Instant now, Id id, int dbov, bool is_settled, Instant audible_at);
  // It talks no longer. True when it did.
  bool silence(Id id);
  // Those from whom nothing has come for kHold talk no longer. True when there were any.
  bool expire(Instant now);
  // When the next one may have to be expired.
  Instant next_timeout() const;

  // Of those who talk: kNobody behind the last.
  Id loudest() const { return first_from(0); }
  Id quieter_than(Id id) const {
    const Entry& entry = at(id);
    if (entry.links[kByLevel].after != kNobody) return entry.links[kByLevel].after;
    return entry.list + 1 < kLists ? first_from(entry.list + 1) : kNobody;
  }
  size_t talking() const { return talking_; }

  const contract::StreamKey& key(Id id) const { return *at(id).key; }
  bool is_of(Id id, const Owner& owner) const { return at(id).peer_hash == owner.hash && key(id).peer == owner.peer; }
  bool is_talking(Id id) const { return at(id).list >= 0; }
  bool is_settled(Instant now, Id id) const { return at(id).is_settled && now - at(id).audible_at <= kPause; }
  // kSilence unless it talks; sinks where packets fail to come.
  int level(Instant now, Id id) const {
    const Entry& entry = at(id);
    return entry.list < 0 ? kSilence : std::max(kSilence, fallen(-entry.list, now - entry.placed_at));
  }

 private:
  static constexpr int kLists = 1 - kSilence;
  enum Order : uint8_t { kByLevel, kByAge };
  struct Links {
    Id before = kNobody, after = kNobody;
  };
  struct Entry {
    const contract::StreamKey* key = nullptr;
    size_t peer_hash = 0;
    std::array<Links, 2> links;  // in the list of its level, and of all that talk, longest silent first
    int list = -1;               // -1: it does not talk
    bool is_settled = false;
    Instant audible_at{}, placed_at{};
  };
  struct List {
    Id first = kNobody, last = kNobody;
  };
  Entry& at(Id id) { return entries_[static_cast<uint32_t>(id)]; }
  const Entry& at(Id id) const { return entries_[static_cast<uint32_t>(id)]; }
  void append(List& list, Order order, Id id);
  void take_out(List& list, Order order, Id id);
  void leave_level(Id id);
  Id first_from(int list) const;

  std::vector<Entry> entries_;
  std::vector<Id> free_;
  std::array<List, kLists> levels_;           // by -dBov
  std::array<uint64_t, kLists / 64> used_{};  // a bit for each of levels_ that is not empty
  List ages_;
  size_t talking_ = 0;
};

}  // namespace atm::mixminus
