#include "control/token/revocations.h"

#include <gtest/gtest.h>

namespace atm::token {
namespace {

Now at(Duration later) {
  return {Instant{} + later, WallTime{1'800'000'000s} + later};
}

TEST(Revocations, HoldUntilTheTokenHasExpired) {
  Revocations list;
  EXPECT_FALSE(list.has("a"));
  EXPECT_TRUE(list.add(at(0s), "a", at(60s).wall));
  EXPECT_TRUE(list.has("a"));
  EXPECT_FALSE(list.has("A"));
  EXPECT_FALSE(list.has(""));
}

TEST(Revocations, WhenTheListIsFullOnlyWhatHasExpiredIsForgotten) {
  Revocations list;
  for (size_t i = 0; i + 2 < kMaxRevocations; ++i) ASSERT_TRUE(list.add(at(0s), std::to_string(i), at(60s).wall));
  EXPECT_TRUE(list.add(at(0s), "for ever", std::nullopt));
  EXPECT_TRUE(list.add(at(0s), "long", at(600s).wall));
  EXPECT_FALSE(list.add(at(59s), "new", at(600s).wall)) << "none has expired yet";
  EXPECT_TRUE(list.add(at(59s), "long", std::nullopt)) << "one that is there";
  EXPECT_TRUE(list.add(at(60s), "new", at(600s).wall));
  EXPECT_EQ(list.size(), 3u);
  EXPECT_TRUE(list.has("for ever") && list.has("long") && list.has("new"));
}

TEST(Revocations, OfTwoExpiriesOfOneIdTheLaterCounts) {
  Revocations list;
  list.add(at(0s), "a", at(60s).wall);
  list.add(at(0s), "a", at(30s).wall);
  for (size_t i = 0; list.size() < kMaxRevocations; ++i) list.add(at(0s), std::to_string(i), std::nullopt);
  EXPECT_FALSE(list.add(at(45s), "new", std::nullopt));
  EXPECT_TRUE(list.has("a"));
}

}  // namespace
}  // namespace atm::token
