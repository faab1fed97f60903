// Room: who talks in one slice, told to those others that have mixers, so that their ranking knows all sources. Packets
// come over the relay only once somebody holds a slot: as for any viewer.
#include <algorithm>

#include "media/room/room.h"

namespace atm::room {

using mixminus::Ranking;

void Room::want_levels(bool are_wanted, Output& out) {
  for (const auto& [slice, known] : slices_) send(slice, WantLevels{are_wanted}, out);
}

void Room::on_levels_wanted(Slice& slice, bool are_wanted) {
  slice.wants_levels = are_wanted;
  are_levels_wanted_ =
      std::any_of(slices_.begin(), slices_.end(), [](const auto& one) { return one.second.wants_levels; });
}

void Room::relay_levels(Now now, bool is_news, Output& out) {
  has_level_news_ |= is_news;
  const Duration since = now.mono - levels_told_at_;
  if (since < (has_level_news_ ? kLeastLevelsInterval : kLevelsInterval)) return;
  SliceLevels levels;
  for (Ranking::Id id = ranking_.loudest(); id != Ranking::kNobody && levels.talkers.size() < kMaxRelayedTalkers;
       id = ranking_.quieter_than(id)) {
    const Published* published = ranked(id).published;
    if (!is_local(*published)) continue;
    levels.talkers.push_back(
        {published->id, static_cast<int8_t>(ranking_.level(now.mono, id)), ranking_.is_settled(now.mono, id)});
  }
  if (levels.talkers.empty() && !has_told_talkers_) return;
  has_level_news_ = false;
  has_told_talkers_ = !levels.talkers.empty();
  levels_told_at_ = now.mono;
  for (const auto& [slice, known] : slices_) {
    if (known.wants_levels) send(slice, levels, out);
  }
}

void Room::on_levels(Now now, Slice& slice, const SliceLevels& levels, Output& out) {
  bool is_news = false;
  for (const SliceLevels::Talker& talker : levels.talkers) {
    const auto it = remote_streams_.find(talker.id);
    if (it == remote_streams_.end() || !it->second->source.rank) continue;
    is_news |= ranking_.place(now.mono, *it->second->source.rank, talker.dbov, talker.is_settled, now.mono);
    std::erase(slice.talkers, talker.id);
  }
  for (const StreamId gone : slice.talkers) {
    const auto it = remote_streams_.find(gone);
    if (it != remote_streams_.end() && it->second->source.rank) is_news |= ranking_.silence(*it->second->source.rank);
  }
  slice.talkers.clear();
  for (const SliceLevels::Talker& talker : levels.talkers) slice.talkers.push_back(talker.id);
  is_undecided_ |= is_news;
  decide_if_due(now, out);
}

}  // namespace atm::room
