#include "media/mixminus/mixer.h"

#include <gtest/gtest.h>

#include <deque>

namespace atm::mixminus {
namespace {

using Id = Ranking::Id;

// Sources "a", "b", … whose levels are told every 20 ms, and a mixer that decides then.
struct Talk {
  explicit Talk(bool hears_all = true, size_t slots = kSlots) : mixer("me", hears_all) {
    for (const char* peer : {"a", "b", "c", "d", "e", "me"}) {
      Source& source = sources.emplace_back();
      source.key = {peer, "audio_main"};
      source.id = ranking.add(source.key);
    }
    for (size_t slot = 0; slot < slots; ++slot) mixer.bind(slot, true);
  }
  void run(Duration length) {
    for (Duration gone{}; gone < length; gone += 20ms) {
      for (Source& source : sources) {
        source.loudness.on_frame(now, source.dbov, static_cast<uint32_t>(48 * (to_ms(now - Instant{}))));
        if (source.loudness.is_talking(now)) {
          ranking.place(now, source.id, source.loudness.dbov(now), source.loudness.is_settled(now),
                        source.loudness.audible_at());
        } else {
          ranking.silence(source.id);
        }
      }
      changes += mixer.decide(now, ranking);
      now += 20ms;
    }
  }
  void say(const std::string& who, int dbov) {
    for (Source& source : sources) {
      if (source.key.peer == who) source.dbov = dbov;
    }
  }
  Id id(const std::string& who) const {
    for (const Source& source : sources) {
      if (source.key.peer == who) return source.id;
    }
    return Ranking::kNobody;
  }
  // "a-c": who holds which slot.
  std::string heard() const {
    std::string out;
    for (size_t slot = 0; slot < kSlots; ++slot) {
      const Id holder = mixer.holder(slot);
      out += holder == Ranking::kNobody ? "-" : ranking.key(holder).peer;
    }
    return out;
  }

  struct Source {
    contract::StreamKey key;
    Id id{};
    int dbov = kSilence;
    Loudness loudness;
  };
  std::deque<Source> sources;
  Ranking ranking;
  Mixer mixer;
  Instant now = Instant{} + 1h;
  size_t changes = 0;
};

TEST(Mixer, AFreeSlotIsTakenByTheFirstFrameOfWhoeverTalks) {
  Talk talk;
  talk.run(100ms);
  EXPECT_EQ(talk.heard(), "---");
  talk.say("c", -30);
  talk.run(20ms);
  EXPECT_EQ(talk.heard(), "c--");
  talk.say("a", -50);
  talk.run(20ms);
  EXPECT_EQ(talk.heard(), "ca-");
}

TEST(Mixer, NobodyHearsItself) {
  Talk talk;
  talk.say("me", -5);
  talk.run(1s);
  EXPECT_EQ(talk.heard(), "---");
  for (const char* who : {"a", "b", "c"}) talk.say(who, -40);
  talk.run(1s);
  EXPECT_EQ(talk.heard(), "abc");
}

TEST(Mixer, ALouderTalkerTakesTheQuietestSlotWithin180Ms) {
  Talk talk;
  talk.say("a", -30);
  talk.say("b", -40);
  talk.say("c", -35);
  talk.run(1s);
  talk.say("d", -32);
  talk.run(160ms);
  EXPECT_EQ(talk.heard(), "acb") << "loudest first";
  talk.run(20ms);
  EXPECT_EQ(talk.heard(), "acd");
  talk.run(5s);
  EXPECT_EQ(talk.heard(), "acd") << "and b, now outside, does not come back";
}

TEST(Mixer, ABurstTakesNoSlotFromWhoTalks) {
  Talk talk;
  for (const char* who : {"a", "b", "c"}) talk.say(who, -40);
  talk.run(1s);
  for (int i = 0; i < 20; ++i) {
    talk.say("d", -5);
    talk.run(150ms);
    talk.say("d", kSilence);
    talk.run(200ms);
    ASSERT_EQ(talk.heard(), "abc");
  }
}

TEST(Mixer, WhoIsNotLouderByTheMarginWaitsForAPause) {
  Talk talk;
  for (const char* who : {"a", "b", "c"}) talk.say(who, -40);
  talk.run(1s);
  talk.say("d", -40 + kMargin - 1);
  talk.run(3s);
  EXPECT_EQ(talk.heard(), "abc");
  talk.say("b", kSilence);
  talk.run(kHold + 20ms);
  EXPECT_EQ(talk.heard(), "adc");
}

TEST(Mixer, APauseBetweenWordsCostsNoSlot) {
  Talk talk;
  for (const char* who : {"a", "b", "c"}) talk.say(who, -30);
  talk.run(1s);
  talk.say("d", -60);
  for (int word = 0; word < 20; ++word) {
    talk.say("b", kSilence);
    talk.run(240ms);
    talk.say("b", -30);
    talk.run(400ms);
    ASSERT_EQ(talk.heard(), "abc");
  }
}

TEST(Mixer, WhoIsSilentForLongLeaves) {
  Talk talk;
  talk.say("a", -30);
  talk.run(1s);
  talk.say("a", kSilence);
  talk.run(kHold + kLinger - 40ms);
  EXPECT_EQ(talk.heard(), "a--");
  EXPECT_LE(talk.mixer.next_timeout(), talk.now + 60ms);
  talk.run(60ms);
  EXPECT_EQ(talk.heard(), "---");
  EXPECT_EQ(talk.mixer.next_timeout(), kNever);
}

TEST(Mixer, ASlotThatNobodyListensToTakesNoPart) {
  Talk talk(true, 1);
  talk.say("a", -30);
  talk.run(100ms);
  talk.say("b", -20);
  talk.run(100ms);
  EXPECT_EQ(talk.heard(), "a--");
  talk.run(100ms);
  EXPECT_EQ(talk.heard(), "b--") << "the loudest of all in the only slot";
  talk.mixer.bind(0, false);
  talk.run(100ms);
  EXPECT_EQ(talk.heard(), "---");
}

TEST(Mixer, AManualOneHearsWhomItWasAllowedTheLoudestOfThem) {
  Talk talk(false);
  for (const char* who : {"a", "b", "c", "d", "e", "me"}) talk.say(who, -40);
  talk.run(1s);
  EXPECT_EQ(talk.heard(), "---");
  talk.mixer.allow(talk.id("me"));
  talk.mixer.allow(talk.id("e"));
  talk.mixer.allow(talk.id("e"));
  talk.run(40ms);
  EXPECT_EQ(talk.heard(), "e--");
  talk.say("d", -20);
  talk.say("a", -30);
  for (const char* who : {"a", "b", "c", "d"}) talk.mixer.allow(talk.id(who));
  talk.run(1s);
  EXPECT_EQ(talk.heard(), "eda");
  EXPECT_TRUE(talk.mixer.remove(talk.id("d")));
  EXPECT_FALSE(talk.mixer.remove(talk.id("b")));
  talk.run(20ms);
  EXPECT_EQ(talk.heard(), "eca");
}

TEST(Mixer, SwitchedOffItHearsNobody) {
  Talk talk;
  talk.say("a", -30);
  talk.run(100ms);
  talk.mixer.set_enabled(false);
  talk.run(20ms);
  EXPECT_EQ(talk.heard(), "---");
  talk.run(1s);
  EXPECT_EQ(talk.heard(), "---");
  talk.mixer.set_enabled(true);
  talk.run(20ms);
  EXPECT_EQ(talk.heard(), "a--");
}

TEST(Mixer, OneThatClaimsToBeAsLoudAsCanBeKeepsNobodyOut) {
  Talk talk;
  for (const char* liar : {"a", "b", "c"}) talk.say(liar, 0);
  talk.run(21s);
  talk.say("d", -40);
  talk.run(180ms);
  EXPECT_EQ(talk.heard().find('d') != std::string::npos, true);
}

TEST(Mixer, NothingChangesWhileTheSameTalk) {
  Talk talk;
  for (const char* who : {"a", "b", "c", "d", "e"}) talk.say(who, -30);
  talk.run(1s);
  EXPECT_EQ(talk.changes, 1u);
  talk.run(8s);
  EXPECT_EQ(talk.changes, 1u);
}

}  // namespace
}  // namespace atm::mixminus
