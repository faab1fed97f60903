// Room: the mixers of its participants. Who talks is told by their sessions, who holds a slot is decided by
// media/mixminus; here the slots' receivers are connected, and clients are told.
#include <algorithm>
#include <array>

#include "media/room/room.h"

namespace atm::room {

using mixminus::kSlots;
using mixminus::Ranking;

// Nobody sees it when a slot is freed or a state is told so much later, and the timers of many rooms then fall
// together.
constexpr Duration kGrain = 50ms;

// --- requests ---------------------------------------------------------------------------------------------------

void Room::add_mixer(SessionId id, const std::string& peer, const std::string& mixer, bool hears_all, Output& out) {
  const auto is_it = [&](const auto& entry) { return entry->owner == id && entry->id == mixer; };
  if (std::any_of(mixers_.begin(), mixers_.end(), is_it)) return;
  mixers_.push_back(std::make_unique<MixerEntry>(MixerEntry{id, mixer, mixminus::Mixer(peer, hears_all)}));
  if (mixers_.size() == 1) want_levels(true, out);
}

void Room::remove_mixers(SessionId id, Output& out) {
  const size_t removed = std::erase_if(mixers_, [id](const auto& entry) { return entry->owner == id; });
  if (removed == 0 || !mixers_.empty()) return;
  linger_due_ = tell_due_ = kNever;
  want_levels(false, out);
}

Room::MixerEntry* Room::find_or_make_mixer(const MixerRequest& from, const std::string& id, Output& out) {
  size_t count = 0;
  for (const auto& entry : mixers_) {
    if (entry->owner != from.session) continue;
    if (entry->id == id) return entry.get();
    ++count;
  }
  if (count >= kMaxMixers) return nullptr;
  add_mixer(from.session, from.peer, id, /*hears_all=*/false, out);
  return mixers_.back().get();
}

namespace {
Error too_many_mixers() {
  return {ErrorCode::kTooMany, "too many mixers in a session"};
}
}  // namespace

Room::Refusal Room::change_source(Now now, const MixerRequest& from, const contract::MixMinusSource& body,
                                  Output& out) {
  MixerEntry* entry = find_or_make_mixer(from, body.id, out);
  if (entry == nullptr) return too_many_mixers();
  if (entry->mixer.hears_all()) return Error{ErrorCode::kNotSupported, "this mixer hears all sources"};
  auto it = entry->wishes.find(body.remote);
  if (it == entry->wishes.end()) {
    if (entry->wishes.size() >= kMaxMixerSources) {
      std::erase_if(entry->wishes, [](const auto& wish) { return !wish.second.is_allowed; });
    }
    if (entry->wishes.size() >= kMaxMixerSources) return Error{ErrorCode::kTooMany, "too many sources of a mixer"};
    it = entry->wishes.emplace(body.remote, Wish{}).first;
  } else if (from.req_id < it->second.req_id) {
    return std::nullopt;
  }
  it->second = {body.add, from.req_id};
  const Published* published = find_published(body.remote);
  if (published == nullptr || !published->source.rank) return std::nullopt;
  if (body.add) {
    entry->mixer.allow(*published->source.rank);
  } else {
    if (entry->mixer.remove(*published->source.rank)) note_news(*entry);
    for (size_t slot = 0; slot < kSlots; ++slot) show_in_slot(now, *entry, slot, out);
  }
  is_undecided_ = true;
  decide_if_due(now, out);
  return std::nullopt;
}

Room::Refusal Room::toggle_mixer(Now now, const MixerRequest& from, const contract::MixMinusToggle& body, Output& out) {
  MixerEntry* entry = find_or_make_mixer(from, body.id, out);
  if (entry == nullptr) return too_many_mixers();
  if (from.req_id < entry->newest_toggle) return std::nullopt;
  entry->newest_toggle = from.req_id;
  entry->mixer.set_enabled(body.enable);
  is_undecided_ = true;
  decide_if_due(now, out);
  return std::nullopt;
}

Room::Refusal Room::bind_slot(Now now, const MixerRequest& from, Receiver& receiver, const std::string& mixer,
                              size_t slot, Output& out) {
  MixerEntry* entry = find_or_make_mixer(from, mixer, out);
  if (entry == nullptr) return too_many_mixers();
  if (receiver.remote()) unbind(receiver, out);
  if (Receiver* other = entry->slots[slot]) unbind(*other, out);
  entry->slots[slot] = &receiver;
  entry->mixer.bind(slot, true);
  receiver.bind_slot({"", "mix_minus_" + mixer + "_" + std::to_string(slot)});
  tell_state(receiver, out);
  note_news(*entry);  // and be it that its slots are free
  is_undecided_ = true;
  decide_if_due(now, out);
  return std::nullopt;
}

// --- who may be heard -------------------------------------------------------------------------------------------

void Room::rank(Published& published) {
  const auto it = streams_.find(published.source.key);  // whose key stays where it is
  const Ranking::Id id = *(published.source.rank = ranking_.add(it->first));
  const auto at = static_cast<uint32_t>(id);
  if (at >= ranked_.size()) ranked_.resize(at + 1);
  ranked_[at] = {&published, contract::MixMinusStateEvent::name_of(it->first)};
  for (const auto& entry : mixers_) {
    const auto wish = entry->wishes.find(it->first);
    if (wish != entry->wishes.end() && wish->second.is_allowed) entry->mixer.allow(id);
  }
}

void Room::leave_mixers(Published& published, Output& out) {
  if (!published.source.rank) return;
  const Ranking::Id id = *published.source.rank;
  for (const auto& entry : mixers_) {
    if (!entry->mixer.remove(id)) continue;
    note_news(*entry);
    for (Receiver* receiver : entry->slots) {
      if (receiver == nullptr || receiver->source() != &published.source) continue;
      stop_showing(*receiver, published, out);
      receiver->attach(nullptr);
      tell_state(*receiver, out);
    }
  }
  for (const auto& entry : mixers_) {
    if (entry->told) entry->told->forget(id);
  }
  ranking_.remove(id);
  published.source.rank.reset();
  is_undecided_ = true;
  wake_mixers(out);
}

void Room::leave_slot(Receiver& receiver, Output& out) {
  for (const auto& entry : mixers_) {
    const auto it = std::find(entry->slots.begin(), entry->slots.end(), &receiver);
    if (it == entry->slots.end()) continue;
    *it = nullptr;
    entry->mixer.bind(static_cast<size_t>(it - entry->slots.begin()), false);
    note_news(*entry);
  }
  if (receiver.source() == nullptr) return;
  if (Published* published = find_published(receiver.source()->key)) stop_showing(receiver, *published, out);
  is_undecided_ = true;
  wake_mixers(out);
}

// --- who is heard -----------------------------------------------------------------------------------------------

void Room::on_heard(Now now, Source& source, Output& out) {
  if (!source.rank || !ranks_talkers()) return;
  const mixminus::Loudness& loudness = source.loudness;
  bool is_news = false;
  if (source.active && loudness.is_talking(now.mono)) {
    is_news = ranking_.place(now.mono, *source.rank, loudness.dbov(now.mono), loudness.is_settled(now.mono),
                             loudness.audible_at());
  } else {
    is_news = ranking_.silence(*source.rank);
  }
  is_undecided_ |= is_news;
  if (are_levels_wanted_) relay_levels(now, is_news, out);
  decide_if_due(now, out);
}

void Room::decide_if_due(Now now, Output& out) {
  if (!ranks_talkers()) return;
  is_undecided_ |= ranking_.expire(now.mono);
  if (mixers_.empty()) return wake_mixers(out);
  // While no more talk than there are slots, nobody's level takes a slot from anybody.
  const bool is_contested = ranking_.talking() > kSlots;
  const bool is_next = now.mono - decided_at_ >= kDecisionInterval && (is_undecided_ || is_contested);
  if (is_next || (is_undecided_ && decisions_.take(now.mono))) decide(now, out);
  if (tell_due_ == kNever && ranking_.talking() > 0) tell_due_ = now.mono;
  if (tell_due_ <= now.mono) tell_mixers(now, out);
  wake_mixers(out);
}

void Room::decide(Now now, Output& out) {
  decided_at_ = now.mono;
  is_undecided_ = false;
  linger_due_ = kNever;
  for (const auto& entry : mixers_) {
    if (entry->mixer.decide(now.mono, ranking_)) {
      note_news(*entry);
      for (size_t slot = 0; slot < kSlots; ++slot) show_in_slot(now, *entry, slot, out);
    }
    linger_due_ = std::min(linger_due_, entry->mixer.next_timeout());
  }
}

// What holds the slot, to the receiver that is bound to it.
void Room::show_in_slot(Now now, MixerEntry& entry, size_t slot, Output& out) {
  Receiver* receiver = entry.slots[slot];
  if (receiver == nullptr) return;
  const Ranking::Id holder = entry.mixer.holder(slot);
  Published* to = holder == Ranking::kNobody ? nullptr : ranked(holder).published;
  if (receiver->source() == (to == nullptr ? nullptr : &to->source)) return;
  if (receiver->source() != nullptr) stop_showing(*receiver, *ranked(*receiver->source()->rank).published, out);
  if (to != nullptr) to->subscribers.push_back(receiver);
  receiver->attach(to == nullptr ? nullptr : &to->source);
  if (to != nullptr && !is_local(*to)) on_demand_changed(now, *receiver, out);
  tell_state(*receiver, out);
}

void Room::note_news(MixerEntry& entry) {
  entry.has_news = true;
  tell_due_ = std::min(tell_due_, entry.told_at + kMixerStateInterval);
}

// --- what clients are told --------------------------------------------------------------------------------------

void Room::Heard::forget(Ranking::Id id) {
  constexpr Ranking::Id kGone{static_cast<uint32_t>(Ranking::kNobody) - 1};
  for (Source& source : active) source.id = source.id == id ? kGone : source.id;
  for (Source& source : sources) source.id = source.id == id ? kGone : source.id;
}

Room::Heard Room::heard_by(Instant now, const MixerEntry& entry) const {
  Heard heard;
  for (size_t slot = 0; slot < kSlots; ++slot) {
    const Ranking::Id holder = entry.mixer.holder(slot);
    if (holder != Ranking::kNobody) heard.active[slot] = {holder, ranking_.level(now, holder)};
  }
  std::array<Ranking::Id, kMaxToldTalkers> loudest;
  heard.count = entry.mixer.find_loudest(now, ranking_, loudest);
  for (size_t i = 0; i < heard.count; ++i) heard.sources[i] = {loudest[i], ranking_.level(now, loudest[i])};
  return heard;
}

contract::MixMinusStateEvent Room::state_of(const MixerEntry& entry, const Heard& heard) const {
  contract::MixMinusStateEvent state;
  state.id = entry.id;
  state.active.resize(kSlots);
  for (size_t slot = 0; slot < kSlots; ++slot) {
    const Heard::Source& source = heard.active[slot];
    if (source.id != Ranking::kNobody) state.active[slot].emplace(ranked(source.id).name, source.dbov);
  }
  state.sources.reserve(heard.count);
  for (size_t i = 0; i < heard.count; ++i) {
    state.sources.emplace_back(ranked(heard.sources[i].id).name, heard.sources[i].dbov);
  }
  return state;
}

// True while there is something left to tell later.
bool Room::tell_mixer(Now now, MixerEntry& entry, Output& out) {
  const Duration since = now.mono - entry.told_at;
  if (since < (entry.has_news ? kMixerStateInterval : kMixerLevelInterval)) {
    return entry.has_news || ranking_.talking() > 0 || (entry.told && entry.told->count > 0);
  }
  const Heard heard = heard_by(now.mono, entry);
  entry.has_news = false;
  if (entry.told != heard) {
    entry.told_at = now.mono;
    entry.told = heard;
    out.events.emplace_back(entry.owner, state_of(entry, heard));
  }
  return ranking_.talking() > 0 || entry.told->count > 0;
}

void Room::tell_mixers(Now now, Output& out) {
  bool is_more = false;
  for (const auto& entry : mixers_) is_more |= tell_mixer(now, *entry, out);
  tell_due_ = is_more ? now.mono + kMixerStateInterval : kNever;
}

// --- time -------------------------------------------------------------------------------------------------------

void Room::wake_mixers(Output& out) {
  if (!ranks_talkers()) return;
  Instant due = std::min({ranking_.next_timeout(), linger_due_, tell_due_});
  if (is_undecided_ && !mixers_.empty()) due = std::min(due, decided_at_ + kDecisionInterval);
  // The last word, that nobody talks any more.
  if (are_levels_wanted_ && has_told_talkers_) due = std::min(due, levels_told_at_ + kLevelsInterval);
  if (due == kNever) return;
  const Duration late = due.time_since_epoch() % kGrain;
  if (late > 0us) due += kGrain - late;
  if (due >= mixers_due_) return;
  mixers_due_ = due;
  out.wake_rooms_at(due);
}

void Room::run_mixers(Now now, Output& out) {
  mixers_due_ = kNever;
  if (linger_due_ <= now.mono) {
    is_undecided_ = true;
    linger_due_ = kNever;  // until the decision
  }
  const bool is_news = ranking_.expire(now.mono);
  is_undecided_ |= is_news;
  if (are_levels_wanted_) relay_levels(now, is_news, out);
  decide_if_due(now, out);
}

}  // namespace atm::room
