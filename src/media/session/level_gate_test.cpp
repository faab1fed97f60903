#include "media/session/level_gate.h"

#include <gtest/gtest.h>

namespace atm::session {
namespace {

TEST(LevelGate, TellsWhatHasMovedAndSilenceOnce) {
  LevelGate gate;
  EXPECT_EQ(gate.take(-127), std::nullopt) << "nothing has been told yet: it counts as silent";
  EXPECT_TRUE(gate.is_at_rest());
  EXPECT_EQ(gate.take(-30), -30);
  EXPECT_EQ(gate.take(-32), std::nullopt);
  EXPECT_EQ(gate.take(-33), -33);
  EXPECT_EQ(gate.take(-27), -27);
  EXPECT_FALSE(gate.is_at_rest());
  EXPECT_EQ(gate.take(-127), -127);
  EXPECT_EQ(gate.take(-127), std::nullopt);
  EXPECT_TRUE(gate.is_at_rest());
}

TEST(LevelGate, NoiseOfAMicrophoneIsSilence) {
  LevelGate gate;
  for (int level = -127; level < kQuietestTold; ++level) EXPECT_EQ(gate.take(level), std::nullopt);
  EXPECT_EQ(gate.take(kQuietestTold), kQuietestTold);
  EXPECT_EQ(gate.take(kQuietestTold - 1), -127);
}

}  // namespace
}  // namespace atm::session
