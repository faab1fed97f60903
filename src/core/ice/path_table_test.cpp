#include "core/ice/path_table.h"

#include <gtest/gtest.h>

#include <unordered_map>

namespace atm::ice {
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

TEST(PathTable, APathThatWasRemovedIsReplacedByTheOneProvedLast) {
  PathTable paths;
  for (const uint16_t port : {1, 2, 3}) paths.prove(path_of(port), at(1s * port));
  paths.nominate(path_of(1));
  EXPECT_FALSE(paths.remove(path_of(9)));
  EXPECT_TRUE(paths.remove(path_of(2)));
  EXPECT_EQ(paths.selected(), path_of(1));
  EXPECT_TRUE(paths.is_nominated());
  EXPECT_TRUE(paths.remove(path_of(1)));
  EXPECT_EQ(paths.selected(), path_of(3));
  EXPECT_FALSE(paths.is_nominated());
  EXPECT_TRUE(paths.remove(path_of(3)));
  EXPECT_FALSE(paths.selected());
  EXPECT_EQ(paths.next_timeout(), kNever);
}

TEST(PathTable, OfTwoTransportsAreTwoPaths) {
  PathTable paths;
  Path tcp = path_of(1);
  tcp.transport = Transport::kTcp;
  paths.prove(tcp, at(1s));
  EXPECT_FALSE(paths.contains(path_of(1)));
  paths.prove(path_of(1), at(2s));
  EXPECT_EQ(paths.selected(), tcp);
  EXPECT_EQ(paths.size(), 2u);
  EXPECT_NE(std::hash<Path>{}(tcp), std::hash<Path>{}(path_of(1)));
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

// What finds a session by its address compares whole addresses: those whose hashes collide are two.
TEST(PathTable, AddressesOfOneHashAreTwo) {
  // In a map of few buckets everybody shares one with somebody, and in one whose hash is constant with everybody.
  struct Constant {
    size_t operator()(const SocketAddress&) const { return 7; }
  };
  std::unordered_map<SocketAddress, int, Constant> map;
  std::vector<SocketAddress> addresses;
  for (uint16_t port = 1; port <= 50; ++port) {
    addresses.push_back({IpAddress::v4(192, 0, 2, 1), port});
    addresses.push_back({IpAddress::v4(192, 0, static_cast<uint8_t>(port + 2), 1), 1});
    addresses.push_back({*IpAddress::parse("2001:db8::" + std::to_string(port)), 1});
  }
  for (size_t i = 0; i < addresses.size(); ++i) map[addresses[i]] = static_cast<int>(i);
  ASSERT_EQ(map.size(), addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) EXPECT_EQ(map.at(addresses[i]), static_cast<int>(i));
  // The IPv4-mapped form is the same host, and nothing else that ends alike.
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
  EXPECT_NE(IpAddress::parse("::192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
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
}  // namespace atm::ice
