// NATs of every kind in front of a client: it connects, and the call goes on when its address changes. The server is
// ICE lite at a public address, so it never starts: each kind must do.
#include "nat.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "world.h"

namespace atm::sim {
namespace {

using enum NatDependence;
constexpr NatDependence kAll[] = {kEndpointIndependent, kAddress, kAddressAndPort};
const char* const kNames[] = {"independent", "by address", "by address and port"};
constexpr LinkConfig kClean{20ms, 0ms, 0, 0};

const SocketAddress kInner{IpAddress::v4(10, 0, 0, 1), 40'000};
const SocketAddress kServer{IpAddress::v4(192, 0, 2, 1), 20'000};
const SocketAddress kOtherPort{IpAddress::v4(192, 0, 2, 1), 20'001};
const SocketAddress kOther{IpAddress::v4(192, 0, 2, 9), 20'000};
const IpAddress kOuter = IpAddress::v4(198, 51, 100, 1);
constexpr Instant kStart{10s};

TEST(Nat, MapsByWhatItsKindDependsOn) {
  for (const NatDependence kind : kAll) {
    Nat nat({.mapping = kind}, kOuter);
    const SocketAddress first = nat.out(kStart, kInner, kServer);
    EXPECT_EQ(nat.out(kStart, kInner, kServer), first);
    EXPECT_EQ(nat.out(kStart, kInner, kOtherPort) == first, kind != kAddressAndPort);
    EXPECT_EQ(nat.out(kStart, kInner, kOther) == first, kind == kEndpointIndependent);
  }
}

TEST(Nat, FiltersByWhatItsKindDependsOn) {
  for (const NatDependence kind : kAll) {
    Nat nat({.filtering = kind}, kOuter);
    const SocketAddress outer = nat.out(kStart, kInner, kServer);
    EXPECT_EQ(nat.in(kStart, outer, kServer), kInner);
    EXPECT_EQ(nat.in(kStart, outer, kOtherPort).has_value(), kind != kAddressAndPort);
    EXPECT_EQ(nat.in(kStart, outer, kOther).has_value(), kind == kEndpointIndependent);
    EXPECT_FALSE(nat.in(kStart, {kOuter, 1}, kServer).has_value()) << "no such mapping";
  }
}

TEST(Nat, ForgetsAMappingThatIsNotUsedAndAllThatItHadAtAnotherAddress) {
  Nat nat({.timeout = 30s}, kOuter);
  const SocketAddress first = nat.out(kStart, kInner, kServer);
  EXPECT_EQ(nat.in(kStart + 29s, first, kServer), kInner);
  EXPECT_FALSE(nat.in(kStart + 30s, first, kServer).has_value()) << "what comes in does not prolong it";
  const SocketAddress second = nat.out(kStart + 31s, kInner, kServer);
  EXPECT_NE(second, first);
  nat.rebind(IpAddress::v4(198, 51, 101, 1));
  EXPECT_FALSE(nat.in(kStart + 31s, second, kServer).has_value());
  EXPECT_EQ(nat.out(kStart + 31s, kInner, kServer).ip, IpAddress::v4(198, 51, 101, 1));
  EXPECT_TRUE(nat.owns(kOuter));
}

// A call of one behind a NAT and one who is not, both ways.
struct NatCall {
  explicit NatCall(NatConfig nat, bool gives_feedback = true, uint64_t seed = 41) : world(seed, kClean) {
    ClientConfig config;
    config.gives_feedback = gives_feedback;
    config.peer = "inside";
    inside = &world.add_client(config, nat);
    config.peer = "outside";
    outside = &world.add_client(config);
  }
  bool begins() {
    if (!world.connect(*inside) || !world.connect(*outside)) return false;
    if (!world.run_until([&] { return inside->streams().size() == 4 && outside->streams().size() == 4; }, 10s)) {
      return false;
    }
    for (const auto& [viewer, other] : {std::pair(inside, "outside"), std::pair(outside, "inside")}) {
      world.view(*viewer, "audio_0", other, "audio_main");
      world.view(*viewer, "video_0", other, "video_main");
    }
    return world.run_until([&] { return goes_on_since(0, 0); }, 5s);
  }
  bool goes_on_since(uint64_t at_inside, uint64_t at_outside) {
    return inside->audio_packets(0) > at_inside + 10 && outside->audio_packets(0) > at_outside + 10 &&
           inside->video(0).decodable_frames() > 0 && outside->video(0).decodable_frames() > 0;
  }
  // How long until both hear each other again; kPatience: never.
  static constexpr Duration kPatience = 20s;
  Duration silence() {
    world.run_for(100ms);  // what was under way
    const uint64_t at_inside = inside->audio_packets(0), at_outside = outside->audio_packets(0);
    const Instant began = world.now().mono;
    if (!world.run_until([&] { return goes_on_since(at_inside, at_outside); }, kPatience)) return kPatience;
    return world.now().mono - began;
  }
  // 50 pictures take 1.7 s; the first of them waits for a key frame, and where video was paused for the estimate.
  static constexpr Duration kFiftyPictures = 2'500ms;
  bool pictures_come() {
    const uint64_t a = inside->video(0).decodable_frames(), b = outside->video(0).decodable_frames();
    return world.run_until(
        [&] { return inside->video(0).decodable_frames() > a + 50 && outside->video(0).decodable_frames() > b + 50; },
        kFiftyPictures);
  }

  World world;
  Client* inside;
  Client* outside;
};

TEST(Nat, OfEveryKindLetsACallThroughAndAnotherAddressInterruptsItForACheck) {
  for (const NatDependence mapping : kAll) {
    for (const NatDependence filtering : kAll) {
      SCOPED_TRACE(std::string(kNames[static_cast<int>(mapping)]) + ", " + kNames[static_cast<int>(filtering)]);
      NatCall call({mapping, filtering});
      ASSERT_TRUE(call.begins());
      Duration longest = 0ms, sum = 0ms;
      constexpr int kTimes = 4;
      for (int i = 0; i < kTimes; ++i) {
        call.world.rebind(*call.inside, i % 2 == 1);
        const Duration silence = call.silence();
        longest = std::max(longest, silence);
        sum += silence;
        EXPECT_TRUE(call.pictures_come());
      }
      // RFC 7675 5.1: the client's checks come each 5 s, times 0.8 to 1.2; nothing else proves who it is.
      EXPECT_LT(longest, 6s + 500ms);
      EXPECT_EQ(call.world.session_count(), 2u);
      std::printf("NAT mapping %s, filtering %s: audio again %lld ms after a new address on average, %lld at most\n",
                  kNames[static_cast<int>(mapping)], kNames[static_cast<int>(filtering)],
                  static_cast<long long>(to_ms(sum / kTimes)), static_cast<long long>(to_ms(longest)));
    }
  }
}

TEST(Nat, AClientThatRestartsIceAfterItsAddressChangedIsBackAtOnce) {
  NatCall call({kAddressAndPort, kAddressAndPort});
  ASSERT_TRUE(call.begins());
  call.world.rebind(*call.inside);
  ASSERT_TRUE(call.world.restart_ice(*call.inside));
  const Duration silence = call.silence();
  std::printf("audio again %lld ms after a new address and an ICE restart\n", static_cast<long long>(to_ms(silence)));
  EXPECT_LT(silence, 1s);
  EXPECT_TRUE(call.pictures_come());
}

// From when the first word of `inside` that counts is on its way until both publishers have been asked for a key frame:
// neither waits until a viewer has noticed.
struct KeyFramesAsked {
  explicit KeyFramesAsked(NatCall& of) : call(of) {
    before = {call.inside->key_frames_wanted(), call.outside->key_frames_wanted()};
    call.world.watch = [this](const Client& from, ByteView datagram) {
      const bool counts = !needs_check || rtp::classify(datagram) == rtp::PacketClass::kStun;
      if (&from == call.inside && counts && began == Instant{}) began = call.world.now().mono;
    };
  }
  // Of the other's video for `inside`, and of its own.
  void wait() {
    const auto note = [&](Client& client, uint64_t before_it, Instant& at) {
      if (at == Instant{} && client.key_frames_wanted() > before_it) at = call.world.now().mono;
      return at != Instant{};
    };
    EXPECT_TRUE(call.world.run_until(
        [&] {
          const bool own = note(*call.inside, before.first, own_at);
          return note(*call.outside, before.second, other_at) && own;
        },
        10s));
    call.world.watch = nullptr;
    std::printf("asked for after the first word: what it sees %lld ms, what it sends %lld ms\n",
                static_cast<long long>(to_ms(other_at - began)), static_cast<long long>(to_ms(own_at - began)));
  }

  NatCall& call;
  bool needs_check = false;
  std::pair<uint64_t, uint64_t> before;
  Instant began{}, own_at{}, other_at{};
};

// One way, a frame's interval, and what timers may be late.
constexpr Duration kWay = 20ms, kFrame = 34ms, kSlack = 10ms;

TEST(Nat, WhenItsPathIsAnotherKeyFramesAreAskedForAtOnce) {
  NatCall call({kEndpointIndependent, kEndpointIndependent});
  ASSERT_TRUE(call.begins());
  call.world.run_for(2s);
  KeyFramesAsked asked(call);
  asked.needs_check = true;
  call.world.rebind(*call.inside);
  asked.wait();
  EXPECT_LE(asked.other_at - asked.began, 2 * kWay + kSlack);
  EXPECT_LE(asked.own_at - asked.began, 2 * kWay + kFrame + kSlack) << "with its first packet after that";
}

// Without an estimate, for which video would be paused until it has grown.
TEST(Nat, WhenItComesBackAfterALongSilenceKeyFramesAreAskedForAtOnce) {
  NatCall call({kEndpointIndependent, kEndpointIndependent}, /*gives_feedback=*/false);
  ASSERT_TRUE(call.begins());
  call.inside->set_silent(true);
  call.world.run_for(6s);
  call.inside->set_silent(false);
  KeyFramesAsked asked(call);
  asked.wait();
  EXPECT_LE(asked.other_at - asked.began, 2 * kWay + kSlack);
  EXPECT_LE(asked.own_at - asked.began, 2 * kWay + kFrame + kSlack);
}

TEST(Nat, AMappingThatTimedOutWhileAClientWasAwayIsMadeAnewAndTheCallGoesOn) {
  NatCall call({.mapping = kAddressAndPort, .filtering = kAddressAndPort, .timeout = 10s});
  ASSERT_TRUE(call.begins());
  call.inside->set_silent(true);
  call.world.run_for(15s);
  call.inside->set_silent(false);
  EXPECT_LT(call.silence(), 6s + 500ms);
  EXPECT_EQ(call.world.nat(*call.inside).mappings_made(), 2u);
  EXPECT_TRUE(call.pictures_come());
}

}  // namespace
}  // namespace atm::sim
