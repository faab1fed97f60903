#include "media/mixminus/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "base/rng.h"

namespace atm::mixminus {
namespace {

using Id = Ranking::Id;

std::vector<Id> walk(const Ranking& ranking) {
  std::vector<Id> out;
  for (Id id = ranking.loudest(); id != Ranking::kNobody; id = ranking.quieter_than(id)) out.push_back(id);
  return out;
}

struct Room {
  Id add() { return ranking.add(keys.emplace_back()); }
  bool talk(Id id, int dbov, bool is_settled = false) { return ranking.place(now, id, dbov, is_settled, now); }
  std::deque<contract::StreamKey> keys;
  Ranking ranking;
  Instant now = Instant{} + 1h;
};

TEST(Ranking, WalksThoseWhoTalkTheLoudestFirst) {
  Room room;
  const Id a = room.add(), b = room.add(), c = room.add(), silent = room.add();
  EXPECT_EQ(room.ranking.loudest(), Ranking::kNobody);
  room.talk(a, -127);
  room.talk(b, 0);
  room.talk(c, -63);
  EXPECT_EQ(walk(room.ranking), (std::vector{b, c, a}));
  room.talk(a, -64);
  room.talk(b, -70);
  EXPECT_EQ(walk(room.ranking), (std::vector{c, a, b}));
  EXPECT_FALSE(room.ranking.is_talking(silent));
  EXPECT_EQ(room.ranking.level(room.now, silent), kSilence);
  EXPECT_EQ(room.ranking.talking(), 3u);
}

TEST(Ranking, SaysWhenSomebodyMayHaveToBeHeard) {
  Room room;
  const Id a = room.add();
  EXPECT_TRUE(room.talk(a, -30)) << "begins";
  EXPECT_FALSE(room.talk(a, -20));
  EXPECT_TRUE(room.talk(a, -20, true)) << "settles";
  EXPECT_FALSE(room.talk(a, -20, true));
  EXPECT_TRUE(room.ranking.silence(a));
  EXPECT_FALSE(room.ranking.silence(a));
}

TEST(Ranking, WhoIsNotHeardOfForAWhileTalksNoLonger) {
  Room room;
  const Id a = room.add(), b = room.add();
  room.talk(a, -30);
  room.now += 100ms;
  room.talk(b, -30);
  room.now += 100ms;
  room.talk(a, -30);
  EXPECT_EQ(room.ranking.next_timeout(), room.now - 100ms + kHold);
  EXPECT_FALSE(room.ranking.expire(room.now - 100ms + kHold - 1us));
  EXPECT_TRUE(room.ranking.expire(room.now - 100ms + kHold));
  EXPECT_EQ(walk(room.ranking), std::vector{a});
  EXPECT_NEAR(room.ranking.level(room.now + 160ms, a), -40, 1) << "and sinks meanwhile";
  EXPECT_TRUE(room.ranking.expire(room.now + kHold));
  EXPECT_EQ(room.ranking.next_timeout(), kNever);
}

TEST(Ranking, IsTheOrderThatSortingGivesWhateverHappens) {
  Room room;
  SeededRng rng(7);
  std::map<Id, int> model;  // all, and their level; 1: silent
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t what = rng.below(100);
    auto it = model.begin();
    if (!model.empty()) std::advance(it, static_cast<ptrdiff_t>(rng.below(model.size())));
    if (what == 0 || model.empty()) {
      model[room.add()] = 1;
    } else if (what == 1 && model.size() > 5) {
      room.ranking.remove(it->first);
      model.erase(it);
    } else if (what < 10) {
      room.ranking.silence(it->first);
      it->second = 1;
    } else {
      it->second = -static_cast<int>(rng.below(128));
      room.talk(it->first, it->second);
    }
    const std::vector<Id> order = walk(room.ranking);
    ASSERT_EQ(order.size(), static_cast<size_t>(std::count_if(model.begin(), model.end(),
                                                              [](const auto& one) { return one.second <= 0; })));
    ASSERT_EQ(order.size(), room.ranking.talking());
    for (size_t at = 0; at < order.size(); ++at) {
      ASSERT_EQ(room.ranking.level(room.now, order[at]), model[order[at]]);
      if (at > 0) {
        ASSERT_GE(model[order[at - 1]], model[order[at]]);
      }
    }
  }
}

}  // namespace
}  // namespace atm::mixminus
