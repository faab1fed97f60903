#include "media/mixminus/ranking.h"

#include <bit>

#include "base/assert.h"

namespace atm::mixminus {

Ranking::Id Ranking::add(const contract::StreamKey& key) {
  if (free_.empty()) {
    free_.push_back(Id{static_cast<uint32_t>(entries_.size())});
    entries_.emplace_back();
  }
  const Id id = free_.back();
  free_.pop_back();
  at(id) = Entry{};
  at(id).key = &key;
  at(id).peer_hash = std::hash<std::string>{}(key.peer);
  return id;
}

void Ranking::remove(Id id) {
  silence(id);
  at(id).key = nullptr;
  free_.push_back(id);
}

void Ranking::append(List& list, Order order, Id id) {
  at(id).links[order] = {list.last, kNobody};
  (list.last == kNobody ? list.first : at(list.last).links[order].after) = id;
  list.last = id;
}

void Ranking::take_out(List& list, Order order, Id id) {
  const Links links = at(id).links[order];
  (links.before == kNobody ? list.first : at(links.before).links[order].after) = links.after;
  (links.after == kNobody ? list.last : at(links.after).links[order].before) = links.before;
}

void Ranking::leave_level(Id id) {
  const auto list = static_cast<size_t>(at(id).list);
  take_out(levels_[list], kByLevel, id);
  if (levels_[list].first == kNobody) used_[list / 64] &= ~(uint64_t{1} << list % 64);
}

bool Ranking::place(Instant now, Id id, int dbov, bool is_settled, Instant audible_at) {
  Entry& entry = at(id);
  const int list = std::clamp(-dbov, 0, kLists - 1);
  const bool was_talking = entry.list >= 0;
  const bool is_news = !was_talking || (is_settled && !this->is_settled(now, id));
  entry.is_settled = is_settled;
  entry.placed_at = now;
  if (entry.list != list) {
    if (was_talking) leave_level(id);
    entry.list = list;
    append(levels_[static_cast<size_t>(list)], kByLevel, id);
    used_[static_cast<size_t>(list) / 64] |= uint64_t{1} << list % 64;
  }
  talking_ += !was_talking;
  if (!was_talking || entry.audible_at != audible_at) {
    if (was_talking) take_out(ages_, kByAge, id);
    append(ages_, kByAge, id);
    entry.audible_at = audible_at;
  }
  return is_news;
}

bool Ranking::silence(Id id) {
  Entry& entry = at(id);
  if (entry.list < 0) return false;
  leave_level(id);
  take_out(ages_, kByAge, id);
  entry.list = -1;
  entry.is_settled = false;
  --talking_;
  return true;
}

bool Ranking::expire(Instant now) {
  bool were_any = false;
  while (next_timeout() <= now) were_any |= silence(ages_.first);
  return were_any;
}

Instant Ranking::next_timeout() const {
  return ages_.first == kNobody ? kNever : at(ages_.first).audible_at + kHold;
}

Ranking::Id Ranking::first_from(int list) const {
  for (auto word = static_cast<size_t>(list) / 64; word < used_.size(); ++word) {
    uint64_t bits = used_[word];
    if (word == static_cast<size_t>(list) / 64) bits &= ~uint64_t{0} << list % 64;
    if (bits != 0) return levels_[word * 64 + static_cast<size_t>(std::countr_zero(bits))].first;
  }
  return kNobody;
}

}  // namespace atm::mixminus
