// A TURN client in its work: it allocates, carries, keeps and gives back.
#include "core/turn/turn_client_test.h"

namespace atm::turn {
namespace {

using namespace test;

TEST(TurnClient, AllocatesWithTheChallengesRealmAndNonce) {
  World world;
  world.start();
  ASSERT_TRUE(world.client->relayed_address());
  EXPECT_EQ(world.server.requests[stun::kAllocate], 2u);
  EXPECT_EQ(world.server.bad_integrity, 0u);
  EXPECT_TRUE(world.failures.empty());
}

TEST(TurnClient, AllocatesWithSha256WhereTheNonceSaysSo) {
  World world({.server = {.has_sha256 = true}});
  world.start();
  ASSERT_TRUE(world.client->relayed_address());
  EXPECT_EQ(world.server.sha256_signed, 1u);
}

TEST(TurnClient, NeedsNoCredentialsWhereNoneAreAsked) {
  World world({.server = {.asks_credentials = false}, .username = "", .credential = ""});
  world.start();
  EXPECT_TRUE(world.client->relayed_address());
}

TEST(TurnClient, CarriesDatagramsBothWaysFirstByIndicationsThenByAChannel) {
  for (const Protocol protocol : {Protocol::kUdp, Protocol::kTcp}) {
    for (const size_t cut : {0, 1, 7}) {
      World world({.protocol = protocol, .cut = protocol == Protocol::kUdp ? 0u : cut});
      world.start();
      world.send(kPeer, kCheck);
      ASSERT_EQ(world.at_peers.size(), 1u);
      EXPECT_EQ(world.at_peers[0].from, world.last_relayed);
      EXPECT_EQ(world.at_peers[0].bytes, kCheck);
      world.from_peer(kPeer, kCheck);
      EXPECT_EQ(world.client->counters().received_by_indication, 1u);
      EXPECT_EQ(world.server.requests[stun::kChannelBind], 0u) << "a check needs no channel";
      world.send(kPeer, kMedia);
      EXPECT_EQ(world.server.requests[stun::kChannelBind], 1u);
      world.send(kPeer, kMedia);
      EXPECT_EQ(world.server.channel_data, 1u);
      world.from_peer(kPeer, kMedia);
      EXPECT_EQ(world.client->counters().received_by_channel, 1u);
      ASSERT_EQ(world.at_client.size(), 2u);
      EXPECT_EQ(world.at_client[1], std::pair(kPeer, kMedia));
      ASSERT_EQ(world.at_peers.size(), 3u);
      EXPECT_EQ(world.at_peers[2].bytes, kMedia);
      EXPECT_EQ(world.server.unpermitted, 0u);
      EXPECT_EQ(world.server.malformed + world.client->counters().malformed, 0u);
    }
  }
}

TEST(TurnClient, HoldsWhatIsSentBeforeThePeerIsLetInAndNoMoreThanItsBound) {
  World world;
  world.start();
  for (size_t i = 0; i < kMaxHeldDatagrams + 3; ++i) world.client->wrap(world.now(), kPeer, kCheck, world.out);
  world.settle();
  EXPECT_EQ(world.at_peers.size(), kMaxHeldDatagrams);
  EXPECT_EQ(world.client->counters().dropped_full, 3u);
  EXPECT_EQ(world.server.requests[stun::kCreatePermission], 1u);
}

TEST(TurnClient, KeepsAllocationPermissionAndChannelForHours) {
  World world({.server = {.nonce_life = 7min}});
  world.start();
  for (int i = 0; i < 3 * 360; ++i) {
    world.send(kPeer, kMedia);
    world.send(kOtherPeer, kCheck);
    world.run(10s);
    world.from_peer(kPeer, kMedia);
  }
  EXPECT_EQ(world.server.unpermitted, 0u);
  EXPECT_EQ(world.at_peers.size(), 2u * 3 * 360);
  EXPECT_EQ(world.at_client.size(), 3u * 360);
  EXPECT_GT(world.server.stale, 10u);
  EXPECT_TRUE(world.failures.empty());
}

TEST(TurnClient, LetsGoOfAPeerThatNothingIsSentToAndComesBackToIt) {
  World world;
  world.start();
  world.send(kPeer, kMedia);
  world.run(20min);
  const size_t asked = world.server.requests[stun::kChannelBind];
  EXPECT_LE(asked, 3u);
  world.from_peer(kPeer, kMedia);
  EXPECT_EQ(world.server.unpermitted, 1u);
  world.send(kPeer, kMedia);
  EXPECT_EQ(world.at_peers.size(), 2u);
  EXPECT_EQ(world.server.requests[stun::kChannelBind], asked + 1);
}

// A request and its answer are lost together in 36 of 100 cases; seven in a row end it once in 1,300 requests.
TEST(TurnClient, SurvivesLossOfAFifth) {
  int kept = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    World world({.loss_percent = 20, .seed = seed});
    world.start();
    world.run(80s);
    world.send(kPeer, kCheck);
    world.run(1h);
    kept += world.client->relayed_address().has_value();
  }
  EXPECT_GE(kept, 97);
}

TEST(TurnClient, GivesItsAllocationBack) {
  World world;
  world.start();
  EXPECT_EQ(world.server.allocation_count(world.now()), 1u);
  world.client->close(world.now(), world.out);
  EXPECT_FALSE(world.client->is_ended());
  world.settle();
  EXPECT_TRUE(world.client->is_ended());
  EXPECT_EQ(world.server.allocation_count(world.now()), 0u);
  EXPECT_EQ(world.client->next_timeout(), kNever);
}

TEST(TurnClient, GivesItsAllocationBackWithANonceThatHasGrownStale) {
  World world({.server = {.nonce_life = 2min}});
  world.start();
  world.run(3min);
  world.client->close(world.now(), world.out);
  world.settle();
  EXPECT_EQ(world.server.allocation_count(world.now()), 0u);
  EXPECT_GE(world.server.stale, 1u);
}

TEST(TurnClient, EndsSoonWhenNobodyConfirmsItsEnd) {
  World world;
  world.start();
  world.is_cut = true;
  world.client->close(world.now(), world.out);
  world.settle();
  world.run(15s);
  EXPECT_TRUE(world.client->is_ended());
  EXPECT_TRUE(world.failures.empty());
}

}  // namespace
}  // namespace atm::turn
