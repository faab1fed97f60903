#include "media/mixminus/loudness.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atm::mixminus {
namespace {

// Frames of 20 ms, one after the other.
struct Voice {
  void say(int dbov, Duration length, Duration frame = 20ms) {
    for (Duration said{}; said < length; said += frame) {
      loudness.on_frame(now, dbov, timestamp);
      now += frame;
      timestamp += static_cast<uint32_t>(48 * (frame / 1ms));
    }
  }
  void wait(Duration length) {
    now += length;
    timestamp += static_cast<uint32_t>(48 * (length / 1ms));
  }
  int dbov() const { return loudness.dbov(now - 20ms); }
  bool is_settled() const { return loudness.is_settled(now - 20ms); }

  Instant now = Instant{} + 1h;
  uint32_t timestamp = 0xFFFF'0000;  // wraps within two seconds
  Loudness loudness;
};

TEST(Loudness, TalksFromTheFirstAudibleFrameUntilAWhileAfterTheLast) {
  Voice voice;
  EXPECT_FALSE(voice.loudness.is_talking(voice.now));
  voice.say(-127, 1s);
  EXPECT_FALSE(voice.loudness.is_talking(voice.now));
  voice.say(-30, 20ms);
  EXPECT_TRUE(voice.loudness.is_talking(voice.now));
  EXPECT_EQ(voice.dbov(), -30);
  voice.say(-127, kHold - 20ms);
  EXPECT_TRUE(voice.loudness.is_talking(voice.now - 1us));
  EXPECT_FALSE(voice.loudness.is_talking(voice.now));
}

TEST(Loudness, ASteadySoundHasItsLevelAndAFallingOneSinks) {
  Voice voice;
  voice.say(-25, 1s);
  EXPECT_EQ(voice.dbov(), -25);
  voice.say(-60, 200ms);
  EXPECT_NEAR(voice.dbov(), -45, 2) << "100 dB a second";
  voice.say(-60, 400ms);
  EXPECT_EQ(voice.dbov(), -60);
  voice.say(-20, 60ms);
  EXPECT_NEAR(voice.dbov(), -25, 2) << "it rises faster";
}

TEST(Loudness, SinksWithoutFrames) {
  Voice voice;
  voice.say(-20, 1s);
  EXPECT_NEAR(voice.loudness.dbov(voice.now + 240ms), -40, 1);
  EXPECT_EQ(voice.loudness.dbov(voice.now + 10s), kSilence);
}

// Where in a frame it begins: the frames at its ends are as loud as they are full.
void burst(Voice& voice, Duration length, Duration into_frame, int dbov = -10) {
  const Duration first = 20ms - into_frame;
  const auto part = [&](Duration full) {
    if (full > 0us) voice.say(dbov + static_cast<int>(10 * std::log10(to_us(full) / 20'000.0)), 20ms);
  };
  part(first);
  voice.say(dbov, (length - first) / 20ms * 20ms);
  part((length - first) % 20ms);
}

TEST(Loudness, ABurstOf150MsDoesNotSettleWhereverInAFrameItBegins) {
  for (Duration into{}; into < 20ms; into += 1ms) {
    Voice voice;
    voice.say(-127, 1s);
    burst(voice, 150ms, into);
    EXPECT_FALSE(voice.is_settled()) << to_ms(into);
    voice.say(-127, 100ms);
    EXPECT_FALSE(voice.is_settled()) << to_ms(into);
  }
}

TEST(Loudness, TalkSettlesWithin180MsAndFirstWithFramesOf60) {
  for (Duration into{}; into < 20ms; into += 1ms) {
    Voice voice;
    voice.say(-127, 1s);
    burst(voice, 200ms, into);
    EXPECT_TRUE(voice.is_settled()) << to_ms(into);
  }
  Voice voice;
  voice.say(-30, 180ms, 60ms);
  EXPECT_FALSE(voice.loudness.is_settled(voice.now - 60ms));
  voice.say(-30, 60ms, 60ms);
  EXPECT_TRUE(voice.loudness.is_settled(voice.now - 60ms));
}

TEST(Loudness, AShortPauseEndsNoRunAndALongOneDoes) {
  Voice voice;
  voice.say(-30, 100ms);
  voice.say(-127, 60ms);
  voice.say(-30, 100ms);
  EXPECT_TRUE(voice.is_settled());
  voice.say(-127, 120ms);
  EXPECT_FALSE(voice.is_settled());
  voice.say(-30, 100ms);
  EXPECT_FALSE(voice.is_settled());
}

TEST(Loudness, JitterMakesNoBurstLonger) {
  Voice voice;
  for (int i = 0; i < 8; ++i)
    voice.loudness.on_frame(voice.now += i == 7 ? 90ms : 20ms, -10, static_cast<uint32_t>(i) * 960);
  EXPECT_FALSE(voice.loudness.is_settled(voice.now));
}

TEST(Loudness, LateFramesDoNotCountButAnotherNumberingDoesAfterAPause) {
  Voice voice;
  voice.say(-30, 100ms);
  voice.loudness.on_frame(voice.now, -1, voice.timestamp - 2 * 960);
  EXPECT_EQ(voice.loudness.dbov(voice.now), -30);
  voice.wait(200ms);
  voice.timestamp -= 100'000;
  voice.say(-20, 400ms);
  EXPECT_EQ(voice.dbov(), -20);
  EXPECT_TRUE(voice.is_settled());
}

TEST(Loudness, OneThatIsAlwaysAtFullLevelCountsAsTheQuietestInTheEnd) {
  Voice liar;
  liar.say(0, 9s);
  EXPECT_EQ(liar.dbov(), 0) << "what has no history yet is believed";
  liar.say(0, 5s);
  EXPECT_EQ(liar.dbov(), kQuietest);
  EXPECT_TRUE(liar.loudness.is_talking(liar.now)) << "but heard, when nobody else talks";
  liar.say(0, 60s);
  EXPECT_EQ(liar.dbov(), kQuietest);
}

TEST(Loudness, WhoPausesNowAndThenIsBelieved) {
  Voice voice;
  for (int i = 0; i < 40; ++i) {
    voice.say(-18, 2s);
    EXPECT_EQ(voice.dbov(), -18);
    voice.say(-90, 500ms);
  }
  for (int i = 0; i < 40; ++i) {
    voice.say(-18, 2s);
    EXPECT_EQ(voice.dbov(), -18);
    voice.wait(500ms);  // nothing is sent (DTX)
  }
}

TEST(Loudness, SteadyNoiseCountsByHowFarSpeechIsAboveIt) {
  Voice voice;
  for (int i = 0; i < 15; ++i) {
    voice.say(-20, 1s);
    voice.say(-40, 1s);
  }
  EXPECT_EQ(voice.dbov(), kQuietest);
  voice.say(-20, 1s);
  EXPECT_EQ(voice.dbov(), kQuietest + 20);
}

TEST(Loudness, ATrackThatIsSwitchedOffIsSilentAtOnce) {
  Voice voice;
  voice.say(-20, 1s);
  voice.loudness.stop();
  EXPECT_FALSE(voice.loudness.is_talking(voice.now));
  EXPECT_EQ(voice.loudness.dbov(voice.now), kSilence);
  voice.say(-20, 20ms);
  EXPECT_TRUE(voice.loudness.is_talking(voice.now));
}

}  // namespace
}  // namespace atm::mixminus
