#include "media/room/room.h"

#include <gtest/gtest.h>

#include "core/peer/call_test.h"
#include "media/room/output_test.h"

namespace atm::room {
namespace {

using contract::PresenceChange;
using contract::PublishScope;
using contract::ReceiverState;
using contract::SubscribeScope;
using negotiation::Direction;
using peer::Call;

constexpr SessionId kAnna{1}, kBela{2}, kCarl{3};

struct RoomTest : testing::Test {
  void SetUp() override {
    ASSERT_TRUE(publisher.connect({Call::line(MediaKind::kVideo, Direction::kSendOnly, "v", 1'000)}));
    ASSERT_TRUE(viewer.connect({Call::line(MediaKind::kVideo, Direction::kRecvOnly, "v")}));
  }
  Source source(const std::string& peer, const std::string& stream, MediaKind kind = MediaKind::kVideo) {
    Source made;
    made.key = {peer, stream};
    made.kind = kind;
    made.owner = kAnna;
    made.publisher = publisher.server.peer.get();
    made.media = 1;
    made.take_formats(publisher.server.peer->media(1));
    return made;
  }
  std::unique_ptr<Receiver> receiver(const std::string& id, MediaKind kind = MediaKind::kVideo) {
    return std::make_unique<Receiver>(id, kind, kBela, *viewer.server.peer, 1, world.rng);
  }
  void enter(SessionId id, const std::string& peer, SubscribeScope subscribe = SubscribeScope::kFull,
             PublishScope publish = PublishScope::kFull) {
    room.enter(world.now, id, peer, subscribe, publish, {}, peer + "'s", out);
  }
  // Events of a kind told to a session; they are forgotten by the call.
  template <typename T>
  std::vector<T> told(SessionId id) {
    std::vector<T> found;
    for (const auto& [to, event] : written.events) {
      if (to == id && std::holds_alternative<T>(event)) found.push_back(std::get<T>(event));
    }
    std::erase_if(written.events, [id](const auto& e) { return e.first == id && std::holds_alternative<T>(e.second); });
    return found;
  }
  peer::MediaPacket packet(int64_t sequence, bool is_key) {
    peer::MediaPacket p;
    p.payload_type = publisher.server.peer->media(1).negotiated().codecs[0].payload_type;
    p.starts_key_frame = p.info.is_key_frame = p.info.starts_frame = is_key;
    p.ssrc = 1'000;
    p.sequence = sequence;
    p.timestamp = static_cast<uint32_t>(sequence) * 3'000;
    p.payload = world.pool.copy(as_bytes("payload " + std::to_string(sequence)));
    return p;
  }
  uint64_t asked() const { return publisher.server.peer->counters().key_frame_requests_sent; }
  void advance(Duration by) { world.set_time(world.now.mono + by); }

  peer::CallWorld world{1};
  Call publisher{world}, viewer{world};
  OwnedOutput written{world.pool};
  Output& out = written.out;
  Room room{"room"};
};

TEST_F(RoomTest, ANewcomerIsToldOfEverybodyAndEverybodyOfIt) {
  enter(kAnna, "anna");
  room.publish(source("anna", "cam"), out);
  written.events.clear();
  enter(kBela, "bela");
  const auto peers = told<contract::PeerEvent>(kBela);
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].peer, "anna");
  EXPECT_EQ(peers[0].metadata, "anna's");
  EXPECT_EQ(told<contract::StreamEvent>(kBela).size(), 1u);
  EXPECT_EQ(told<contract::PeerEvent>(kAnna)[0].peer, "bela");
  EXPECT_EQ(told<contract::RoomStats>(kAnna)[0].peers, 2u);
  room.leave(kBela, out);
  EXPECT_EQ(told<contract::PeerEvent>(kAnna)[0].change, PresenceChange::kRemoved);
  EXPECT_EQ(room.participant_count(), 1u);
}

TEST_F(RoomTest, ScopesHidePeersAndStreams) {
  enter(kAnna, "anna", SubscribeScope::kStreamOnly, PublishScope::kStreamOnly);
  enter(kBela, "bela");
  enter(kCarl, "carl", SubscribeScope::kManual);
  EXPECT_TRUE(told<contract::PeerEvent>(kAnna).empty());
  EXPECT_EQ(told<contract::PeerEvent>(kBela).size(), 1u) << "carl; anna publishes streams only";
  room.publish(source("anna", "cam"), out);
  EXPECT_EQ(told<contract::StreamEvent>(kAnna).size(), 1u) << "its own";
  EXPECT_EQ(told<contract::StreamEvent>(kBela).size(), 1u);
  EXPECT_TRUE(told<contract::StreamEvent>(kCarl).empty());
  EXPECT_TRUE(room.subscribe_peer(kCarl, "anna", out));
  EXPECT_EQ(told<contract::StreamEvent>(kCarl).size(), 1u);
  room.unsubscribe_peer(kCarl, "anna", out);
  ASSERT_EQ(told<contract::StreamEvent>(kCarl).size(), 1u) << "removed for it";
  room.unsubscribe_peer(kCarl, "anna", out);
  EXPECT_TRUE(told<contract::StreamEvent>(kCarl).empty()) << "once";
  room.unpublish({"anna", "cam"}, out);
  EXPECT_TRUE(told<contract::StreamEvent>(kCarl).empty());
}

TEST_F(RoomTest, ManualSubscriptionsAreBounded) {
  enter(kCarl, "carl", SubscribeScope::kManual);
  for (size_t i = 0; i < kMaxSubscribedPeers; ++i) EXPECT_TRUE(room.subscribe_peer(kCarl, std::to_string(i), out));
  EXPECT_FALSE(room.subscribe_peer(kCarl, "one more", out));
  EXPECT_TRUE(room.subscribe_peer(kCarl, "0", out)) << "known already";
  room.unsubscribe_peer(kCarl, "0", out);
  EXPECT_TRUE(room.subscribe_peer(kCarl, "one more", out));
}

TEST_F(RoomTest, PicksTheOldestThatIsActiveAndStaysWithIt) {
  const auto of = [&](SessionId owner, const std::string& peer, const std::string& stream,
                      MediaKind kind = MediaKind::kVideo) {
    Source made = source(peer, stream, kind);
    made.owner = owner;
    return room.publish(std::move(made), out);
  };
  using Key = std::optional<contract::StreamKey>;
  const Key zoes{{"zoe", "cam"}}, annas{{"anna", "cam"}}, second{{"anna", "a second"}};
  EXPECT_EQ(room.pick(MediaKind::kVideo, std::nullopt), std::nullopt);
  EXPECT_EQ(room.pick(MediaKind::kVideo, annas), std::nullopt) << "it is gone, and nothing is there";
  enter(kBela, "zoe");
  advance(1s);
  enter(kAnna, "anna");
  Source* const annas_cam = of(kAnna, "anna", "cam");
  of(kAnna, "anna", "a second");
  of(kAnna, "anna", "mic", MediaKind::kAudio);
  EXPECT_EQ(room.pick(MediaKind::kVideo, std::nullopt), annas) << "not by name";
  EXPECT_EQ(room.pick(MediaKind::kAudio, annas)->stream, "mic");
  Source* const zoes_cam = of(kBela, "zoe", "cam");
  EXPECT_EQ(room.pick(MediaKind::kVideo, std::nullopt), zoes) << "she was here before";
  EXPECT_EQ(room.pick(MediaKind::kVideo, annas), annas);
  annas_cam->active = false;
  EXPECT_EQ(room.pick(MediaKind::kVideo, annas), zoes);
  zoes_cam->active = false;
  EXPECT_EQ(room.pick(MediaKind::kVideo, annas), second);
  room.unpublish(*second, out);
  EXPECT_EQ(room.pick(MediaKind::kVideo, annas), annas) << "none is better";
  EXPECT_EQ(room.pick(MediaKind::kVideo, std::nullopt), zoes);
}

TEST_F(RoomTest, ATakenNameIsRefusedAndTheHolderStays) {
  enter(kAnna, "anna");
  Source* first = room.publish(source("anna", "cam"), out);
  ASSERT_NE(first, nullptr);
  written.events.clear();
  EXPECT_EQ(room.publish(source("anna", "cam"), out), nullptr);
  EXPECT_TRUE(written.events.empty());
  EXPECT_EQ(room.stream_count(), 1u);
}

TEST_F(RoomTest, AReceiverWaitsForItsStreamAndForItsReturn) {
  const auto video = receiver("video_0");
  room.bind(world.now, *video, {"anna", "cam"}, out);
  EXPECT_EQ(video->source(), nullptr);
  Source* published = room.publish(source("anna", "cam"), out);
  EXPECT_EQ(video->source(), published);
  EXPECT_TRUE(room.has_subscribers(*published));
  room.unpublish({"anna", "cam"}, out);
  EXPECT_EQ(video->source(), nullptr);
  EXPECT_EQ(video->state(), ReceiverState::kSourceDeactived);
  published = room.publish(source("anna", "cam"), out);
  EXPECT_EQ(video->source(), published);
  room.unbind(*video, out);
  EXPECT_FALSE(room.has_subscribers(*published));
}

// After an unbind the receiver may be destroyed: nothing in the room may point to it (AddressSanitizer is the judge).
TEST_F(RoomTest, AnUnboundReceiverIsForgottenWhereverItWas) {
  for (const bool is_published : {false, true}) {
    for (const MediaKind kind : {MediaKind::kVideo, MediaKind::kAudio}) {
      for (const bool goes_and_comes : {false, true}) {
        if (is_published) room.publish(source("anna", "cam"), out);
        auto gone = receiver("gone", kind);
        const auto stays = receiver("stays");
        room.bind(world.now, *gone, {"anna", "cam"}, out);
        room.bind(world.now, *stays, {"anna", "cam"}, out);
        if (goes_and_comes) {
          room.unpublish({"anna", "cam"}, out);
          room.publish(source("anna", "cam"), out);
        }
        room.unbind(*gone, out);
        gone.reset();
        room.unpublish({"anna", "cam"}, out);
        Source* published = room.publish(source("anna", "cam"), out);
        const auto key = packet(1, true);
        room.fan_out(world.now, *published, {&key, 1}, out);
        room.on_updated(*published, true, out);
        room.unbind(*stays, out);
        room.unpublish({"anna", "cam"}, out);
      }
    }
  }
}

TEST_F(RoomTest, ABindToAnotherStreamEndsTheFirst) {
  Source* one = room.publish(source("anna", "one"), out);
  Source* two = room.publish(source("anna", "two"), out);
  const auto video = receiver("video_0");
  room.bind(world.now, *video, one->key, out);
  room.bind(world.now, *video, two->key, out);
  EXPECT_FALSE(room.has_subscribers(*one));
  EXPECT_TRUE(room.has_subscribers(*two));
}

TEST_F(RoomTest, AReceiverOfTheOtherKindShowsNothing) {
  Source* published = room.publish(source("anna", "cam"), out);
  const auto audio = receiver("audio_0", MediaKind::kAudio);
  room.bind(world.now, *audio, published->key, out);
  EXPECT_EQ(audio->source(), nullptr);
  const auto key = packet(1, true);
  written.datagrams.clear();
  room.fan_out(world.now, *published, {&key, 1}, out);
  EXPECT_TRUE(written.datagrams.empty());
}

TEST_F(RoomTest, KeyFramesAreAskedForUntilOneComesAndNotForNobody) {
  Source* published = room.publish(source("anna", "cam"), out);
  const uint64_t before = asked();
  const auto video = receiver("video_0");
  room.bind(world.now, *video, published->key, out);
  EXPECT_EQ(asked(), before + 1);
  EXPECT_EQ(written.touched.back(), kAnna);
  advance(500ms);
  room.on_key_frame_timeout(world.now, *published, out);
  EXPECT_EQ(asked(), before + 2);
  const auto key = packet(10, true);
  room.fan_out(world.now, *published, {&key, 1}, out);
  EXPECT_EQ(published->next_key_frame_timeout(), kNever);
  room.on_picture_lost(world.now, *published, 0, out);
  EXPECT_TRUE(published->key_frames[0].is_wanted()) << "somebody watches";
  room.unbind(*video, out);
  EXPECT_FALSE(published->key_frames[0].is_wanted());
  room.on_picture_lost(world.now, *published, 0, out);
  EXPECT_FALSE(published->key_frames[0].is_wanted()) << "nobody does";
}

TEST_F(RoomTest, WhatCameBeforeTheFirstPacketOfAKeyFrameIsShownToo) {
  Source* published = room.publish(source("anna", "cam"), out);
  const auto video = receiver("video_0");
  room.bind(world.now, *video, published->key, out);
  // 11 and 12 of the frame arrive before 10, its first; 9 is of the frame before. 12 has another numbering.
  std::vector<peer::MediaPacket> packets{packet(9, false), packet(11, false), packet(12, false), packet(10, true)};
  packets[2].epoch = 7;
  for (const auto& p : packets) room.fan_out(world.now, *published, {&p, 1}, out);
  const size_t sent = viewer.server.peer->counters().rtp_sent;
  EXPECT_EQ(sent, 2u) << "10 and 11";
}

}  // namespace
}  // namespace atm::room
