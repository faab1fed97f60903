#include "io/tcp/places.h"

#include <gtest/gtest.h>

namespace atm::io {
namespace {

IpAddress host(size_t number) {
  return IpAddress::v4(10, 0, static_cast<uint8_t>(number / 250), static_cast<uint8_t>(number % 250));
}

TEST(Places, OfOneAddressTheLongestWaitingMakesRoom) {
  Places places;
  for (uint64_t id = 0; id < kMaxWaitingPerAddress; ++id) {
    const auto entry = places.enter(id, host(1));
    EXPECT_TRUE(entry.may_stay);
    EXPECT_FALSE(entry.evicted);
  }
  places.admit(0);
  EXPECT_FALSE(places.enter(100, host(1)).evicted) << "one of them waits no longer";
  EXPECT_EQ(places.enter(101, host(1)).evicted, 1u);
  EXPECT_EQ(places.enter(102, host(1)).evicted, 2u);
  EXPECT_FALSE(places.enter(103, host(2)).evicted) << "others are not concerned";
}

TEST(Places, AFloodFromManyAddressesTakesNobodysPlaceWhoIsAdmitted) {
  Places places;
  for (uint64_t id = 0; id < 100; ++id) {
    places.enter(id, host(id));
    places.admit(id);
  }
  uint64_t evictions = 0;
  for (uint64_t id = 100; id < 10'000; ++id) {
    const auto entry = places.enter(id, host(id));
    ASSERT_TRUE(entry.may_stay) << "a client among them gets in, for as long as it takes 256 others to come";
    if (!entry.evicted) continue;
    ++evictions;
    EXPECT_EQ(*entry.evicted, id - kMaxWaiting);
  }
  EXPECT_EQ(evictions, 10'000 - 100 - kMaxWaiting);
  EXPECT_EQ(places.waiting(), kMaxWaiting);
  EXPECT_EQ(places.connections(), 100 + kMaxWaiting);
}

TEST(Places, AnAddressHasABoundOfItsOwnAndAllHaveOneTogether) {
  Places places;
  uint64_t id = 0;
  for (size_t i = 0; i < kMaxPerAddress; ++i) {
    EXPECT_TRUE(places.enter(++id, host(1)).may_stay);
    places.admit(id);
  }
  EXPECT_FALSE(places.enter(++id, host(1)).may_stay);
  places.leave(1);
  EXPECT_TRUE(places.enter(++id, host(1)).may_stay);
  EXPECT_EQ(places.enter(id + 1, host(1)).evicted, id) << "within the address's bound: the one that waits";
  places.admit(++id);
  for (size_t number = 2; places.connections() < kMaxConnections; ++number) {
    for (size_t i = 0; i < kMaxPerAddress; ++i) {
      EXPECT_TRUE(places.enter(++id, host(number)).may_stay);
      places.admit(id);
    }
  }
  EXPECT_FALSE(places.enter(++id, host(99)).may_stay);
  places.leave(2);
  EXPECT_TRUE(places.enter(++id, host(99)).may_stay);
  EXPECT_EQ(places.enter(id + 1, host(98)).evicted, id);
  EXPECT_EQ(places.connections(), kMaxConnections);
}

TEST(Places, AnIpv6NetworkIsOneAddress) {
  Places places;
  for (uint64_t id = 0; id < kMaxWaitingPerAddress; ++id) {
    EXPECT_FALSE(places.enter(id, *IpAddress::parse("2001:db8::" + std::to_string(id))).evicted);
  }
  EXPECT_EQ(places.enter(1'000, *IpAddress::parse("2001:db8::ffff:1")).evicted, 0u);
  EXPECT_FALSE(places.enter(1'001, *IpAddress::parse("2001:db8:0:1::1")).evicted);
}

TEST(Places, LeavesNothingBehind) {
  Places places;
  for (int round = 0; round < 3; ++round) {
    for (uint64_t id = 0; id < 500; ++id) {
      places.enter(id, host(id % 7));
      if (id % 3 == 0) places.admit(id);
    }
    for (uint64_t id = 0; id < 500; ++id) places.leave(id);
    EXPECT_EQ(places.connections(), 0u);
    EXPECT_EQ(places.waiting(), 0u);
  }
  places.leave(1);
  places.admit(1);
}

}  // namespace
}  // namespace atm::io
