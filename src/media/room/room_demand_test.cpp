// What viewers can use of a stream, here and in another slice of the room.
#include <gtest/gtest.h>

#include "core/peer/call_test.h"
#include "media/room/output_test.h"
#include "media/room/room.h"

namespace atm::room {
namespace {

using negotiation::Direction;
using peer::Call;

constexpr SessionId kAnna{1}, kBela{2};
constexpr SliceId kHere{0}, kThere{1};

// A publisher in one slice, viewers in both. What one slice says goes to the other at once, or is lost.
struct DemandTest : testing::Test {
  struct Slice : OwnedOutput {
    Slice(peer::CallWorld& world, SliceId id) : OwnedOutput(world.pool), room("room", id, 1) {}
    Room room;
  };

  void SetUp() override {
    ASSERT_TRUE(publisher.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "v", 1'000)}));
    ASSERT_TRUE(viewer.connect({Call::line(MediaKind::kVideo, Direction::kRecvOnly, "v")}));
    here.room.enter(world.now, kAnna, "anna", {}, {}, {}, "", here.out);
    there.room.enter(world.now, kBela, "bela", {}, {}, {}, "", there.out);
    Source made;
    made.key = {"anna", "cam"};
    made.kind = MediaKind::kVideo;
    made.owner = kAnna;
    made.publisher = publisher.server.peer.get();
    made.media = 1;
    made.take_formats(publisher.server.peer->media(1));
    source = here.room.publish(std::move(made), here.out);
    digests();
    digests();
    here.touched.clear();
  }
  std::unique_ptr<Receiver> receiver() {
    return std::make_unique<Receiver>("video_0", MediaKind::kVideo, kBela, *viewer.server.peer, 1, world.rng);
  }
  void digests() {
    here.room.send_digests(world.now, std::array{kThere}, here.out);
    there.room.send_digests(world.now, std::array{kHere}, there.out);
    carry();
  }
  // Until neither has anything to say.
  void carry() {
    while (!here.relay.empty() || !there.relay.empty()) {
      for (const RelayMessage& message : std::exchange(here.relay, {})) {
        there.room.on_relay(world.now, message, there.out);
      }
      for (const RelayMessage& message : std::exchange(there.relay, {})) {
        here.room.on_relay(world.now, message, here.out);
      }
    }
  }
  void use(Slice& slice, Receiver& of, uint64_t bps) {
    of.set_room(bps);
    slice.room.on_demand_changed(world.now, of, slice.out);
  }
  // Whether the publisher's session is to look; it does.
  bool is_told() {
    const bool told = source->has_new_demand;
    if (told) {
      EXPECT_NE(std::find(here.touched.begin(), here.touched.end(), kAnna), here.touched.end());
    }
    here.touched.clear();
    demand = here.room.take_demand(world.now, *source);
    return told;
  }
  static std::vector<ViewStream> views(const Slice& slice) {
    std::vector<ViewStream> found;
    for (const RelayMessage& message : slice.relay) {
      if (const auto* view = std::get_if<ViewStream>(&message.body)) found.push_back(*view);
    }
    return found;
  }

  peer::CallWorld world{1};
  Call publisher{world}, viewer{world};
  Slice here{world, kHere}, there{world, kThere};
  Source* source = nullptr;
  share::Demand demand;
};

TEST_F(DemandTest, TheFirstViewerAndTheLastsEndAreToldAtOnce) {
  const auto video = receiver();
  here.room.bind(world.now, *video, source->key, here.out);
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand.viewers, 1u);
  EXPECT_EQ(demand.most_bps, share::kAnyBps);
  EXPECT_EQ(demand.layers, 0b111);
  const auto another = receiver();
  here.room.bind(world.now, *another, source->key, here.out);
  here.touched.clear();
  EXPECT_FALSE(is_told()) << "it wants nothing that the first does not";
  EXPECT_EQ(demand.viewers, 2u);
  here.room.unbind(*video, here.out);
  EXPECT_FALSE(is_told());
  here.room.unbind(*another, here.out);
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand, share::Demand{});
}

TEST_F(DemandTest, MoreIsToldAtOnceAndLessIsSeenWhenAsked) {
  const auto video = receiver();
  video->set_room(500'000);
  here.room.bind(world.now, *video, source->key, here.out);
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand.most_bps, 500'000u);
  use(here, *video, 510'000);
  EXPECT_FALSE(is_told());
  use(here, *video, 700'000);
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand.most_bps, 700'000u);
  use(here, *video, 300'000);
  EXPECT_FALSE(is_told());
  EXPECT_EQ(demand.most_bps, 300'000u);
}

TEST_F(DemandTest, AcrossSlicesMoreIsToldAtOnceAndLessWithTheDigest) {
  const auto video = receiver();
  video->set_room(500'000);
  there.room.bind(world.now, *video, source->key, there.out);
  EXPECT_EQ(views(there).size(), 1u);
  carry();
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand, (share::Demand{.viewers = 1, .most_bps = 500'000, .layers = 0b111, .way_bps = 500'000}));
  use(there, *video, 900'000);
  EXPECT_EQ(views(there).size(), 1u);
  carry();
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand.most_bps, 900'000u);
  use(there, *video, 200'000);
  EXPECT_TRUE(there.relay.empty());
  EXPECT_FALSE(is_told());
  EXPECT_EQ(demand.most_bps, 900'000u);
  digests();
  EXPECT_FALSE(is_told());
  EXPECT_EQ(demand.most_bps, 200'000u);
  there.room.unbind(*video, there.out);
  carry();
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand, share::Demand{});
}

TEST_F(DemandTest, ASlowViewerOfAnotherSliceTakesNothingAway) {
  const auto fast = receiver(), slow = receiver();
  fast->set_room(2'000'000);
  slow->set_room(50'000);
  here.room.bind(world.now, *fast, source->key, here.out);
  EXPECT_TRUE(is_told());
  there.room.bind(world.now, *slow, source->key, there.out);
  carry();
  EXPECT_FALSE(is_told());
  EXPECT_EQ(demand.viewers, 2u);
  EXPECT_EQ(demand.most_bps, 2'000'000u);
}

TEST_F(DemandTest, WhatTheRelayLosesComesWithTheDigest) {
  const auto video = receiver();
  there.room.bind(world.now, *video, source->key, there.out);
  there.relay.clear();  // lost, and the wish for a key frame with it
  carry();
  EXPECT_FALSE(is_told());
  EXPECT_EQ(demand.viewers, 0u);
  digests();
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand.viewers, 1u);
  there.room.unbind(*video, there.out);
  there.relay.clear();
  digests();
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand.viewers, 0u);
}

TEST_F(DemandTest, OfASliceThatIsGoneNothingIsLeft) {
  const auto video = receiver();
  there.room.bind(world.now, *video, source->key, there.out);
  carry();
  EXPECT_TRUE(is_told());
  here.room.on_relay(world.now, {kThere, kHere, "room", SliceGone{}}, here.out);
  EXPECT_TRUE(is_told());
  EXPECT_EQ(demand.viewers, 0u);
}

}  // namespace
}  // namespace atm::room
