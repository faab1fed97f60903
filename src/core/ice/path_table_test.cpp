#include "core/ice/path_table.h"

#include <gtest/gtest.h>

namespace atm0s::ice {
namespace {

Path path_of(uint16_t port) {
  return {{IpAddress::v4(192, 0, 2, 1), port}, IpAddress::v4(198, 51, 100, 1)};
}
Instant at(Duration since) {
  return Instant{} + since;
}

TEST(PathTable, SelectsTheFirstUntilOneIsNominated) {
  PathTable paths;
  EXPECT_FALSE(paths.selected());
  paths.prove(path_of(1), at(0s));
  paths.prove(path_of(2), at(1s));
  EXPECT_EQ(paths.selected(), path_of(1));
  EXPECT_FALSE(paths.is_nominated());
  paths.nominate(path_of(2));
  EXPECT_EQ(paths.selected(), path_of(2));
  paths.prove(path_of(1), at(2s));
  EXPECT_EQ(paths.selected(), path_of(2));
}

TEST(PathTable, ForgetsTheOldestButNeverTheSelected) {
  PathTable paths;
  for (uint16_t port = 1; port <= kMaxPaths; ++port) EXPECT_FALSE(paths.prove(path_of(port), at(1s * port)));
  EXPECT_EQ(paths.selected(), path_of(1));
  EXPECT_TRUE(paths.prove(path_of(100), at(20s)));
  EXPECT_EQ(paths.size(), kMaxPaths);
  EXPECT_TRUE(paths.contains(path_of(1)));
  EXPECT_FALSE(paths.contains(path_of(2)));
  paths.nominate(path_of(5));
  paths.prove(path_of(101), at(21s));
  EXPECT_FALSE(paths.contains(path_of(1)));
}

TEST(PathTable, TellsPathsByBothEnds) {
  PathTable paths;
  paths.prove(path_of(1), at(0s));
  Path other = path_of(1);
  other.local = IpAddress::v4(198, 51, 100, 2);
  EXPECT_FALSE(paths.contains(other));
}

TEST(PathTable, ExpiresWhatIsNotProvedAgain) {
  PathTable paths;
  EXPECT_EQ(paths.next_timeout(), kNever);
  paths.prove(path_of(1), at(0s));
  paths.prove(path_of(2), at(10s));
  paths.nominate(path_of(1));
  EXPECT_EQ(paths.next_timeout(), at(30s));
  paths.expire(at(30s) - 1us);
  EXPECT_EQ(paths.selected(), path_of(1));
  paths.expire(at(30s));
  EXPECT_EQ(paths.selected(), path_of(2));  // still alive
  EXPECT_FALSE(paths.is_nominated());
  paths.expire(at(40s));
  EXPECT_FALSE(paths.selected());
  EXPECT_EQ(paths.next_timeout(), kNever);
}

}  // namespace
}  // namespace atm0s::ice
