// What changes in a running call: m-lines by peer.updateSdp, ICE restarts, codecs, the end of a session.
#include <gtest/gtest.h>

#include "world.h"

namespace atm::sim {
namespace {

using contract::ReceiverState;

ClientConfig participant(const std::string& peer) {
  ClientConfig config;
  config.peer = peer;
  return config;
}
ClientConfig viewer_only(const std::string& peer) {
  ClientConfig config = participant(peer);
  config.sends_audio = config.sends_video = false;
  return config;
}

struct RenegotiationTest : testing::Test {
  bool shows(Client& viewer, size_t receiver, const Client& publisher, Duration within = 3s) {
    const uint64_t before = viewer.video(receiver).decodable_frames();
    return world.run_until(
        [&] {
          return viewer.video(receiver).decodable_frames() > before + 5 &&
                 viewer.video(receiver).shown_publisher() == publisher.number();
        },
        within);
  }
  bool is_answered(Client& client, uint64_t req_id) {
    return world.run_until([&] { return client.answers().contains(req_id); }, 3s) && client.succeeded(req_id) &&
           client.answers_refused() == 0;
  }

  World world{21};
};

TEST_F(RenegotiationTest, ALazyPublisherIsSeenAndHeard) {
  Client& viewer = world.join(viewer_only("viewer"));
  Client& lazy = world.join(viewer_only("lazy"));
  world.view(viewer, "video_0", "lazy", "video_main");  // before it is there
  world.run_for(1s);
  EXPECT_EQ(viewer.receiver_states().at("video_0"), ReceiverState::kConnecting);
  lazy.publish(MediaKind::kVideo);
  lazy.publish(MediaKind::kAudio);
  EXPECT_TRUE(is_answered(lazy, world.update_sdp(lazy)));
  EXPECT_TRUE(shows(viewer, 0, lazy));
  world.view(viewer, "audio_0", "lazy", "audio_main");
  EXPECT_TRUE(world.run_until([&] { return viewer.audio_packets(0) > 10; }, 2s));
  EXPECT_EQ(viewer.receiver_states().at("video_0"), ReceiverState::kLive);
}

TEST_F(RenegotiationTest, ASwitchThatComesBeforeItsReceiverWaitsForIt) {
  Client& publisher = world.join(participant("p"));
  Client& viewer = world.join(viewer_only("v"));
  const uint64_t early = world.view(viewer, "video_1", "p", "video_main");
  world.run_for(500ms);
  EXPECT_FALSE(viewer.answers().contains(early));
  viewer.add_receiver(MediaKind::kVideo);
  EXPECT_TRUE(is_answered(viewer, world.update_sdp(viewer)));
  EXPECT_TRUE(is_answered(viewer, early));
  EXPECT_TRUE(shows(viewer, 1, publisher));
}

TEST_F(RenegotiationTest, AStreamThatIsStoppedAndPublishedAgainIsSeenAgain) {
  Client& publisher = world.join(participant("p"));
  Client& viewer = world.join(viewer_only("v"));
  world.view(viewer, "video_0", "p", "video_main");
  ASSERT_TRUE(shows(viewer, 0, publisher));
  for (int i = 0; i < 15; ++i) {  // more often than an m-line remembers streams
    publisher.stop_publishing(MediaKind::kVideo);
    ASSERT_TRUE(is_answered(publisher, world.update_sdp(publisher)));
    ASSERT_TRUE(world.run_until([&] { return !viewer.streams().contains("p/video_main"); }, 2s));
    auto& line = publisher.media()[1];
    line.ssrc += 16;
    line.rtx_ssrc += 16;
    publisher.publish(MediaKind::kVideo);
    ASSERT_TRUE(is_answered(publisher, world.update_sdp(publisher)));
    ASSERT_TRUE(shows(viewer, 0, publisher)) << i;
  }
  EXPECT_EQ(viewer.video(0).contradictions(), 0u);
}

TEST_F(RenegotiationTest, AReceiverThatPausesByItsDirectionGoesOnWhereItWas) {
  Client& publisher = world.join(participant("p"));
  Client& viewer = world.join(viewer_only("v"));
  world.view(viewer, "video_0", "p", "video_main");
  ASSERT_TRUE(shows(viewer, 0, publisher));
  for (int i = 0; i < 5; ++i) {
    viewer.media()[0].direction = negotiation::Direction::kInactive;
    ASSERT_TRUE(is_answered(viewer, world.update_sdp(viewer)));
    world.run_for(1s);
    viewer.media()[0].direction = negotiation::Direction::kRecvOnly;
    ASSERT_TRUE(is_answered(viewer, world.update_sdp(viewer)));
    ASSERT_TRUE(shows(viewer, 0, publisher, 5s)) << i;
  }
  EXPECT_EQ(viewer.video(0).contradictions(), 0u);
}

TEST_F(RenegotiationTest, AnIceRestartTwentyTimesOverKeepsTheCall) {
  Client& publisher = world.join(participant("p"));
  Client& viewer = world.join(viewer_only("v"));
  world.view(viewer, "video_0", "p", "video_main");
  ASSERT_TRUE(shows(viewer, 0, publisher));
  for (int restart = 0; restart < 6; ++restart) {
    ASSERT_TRUE(world.restart_ice(publisher, 20));
    ASSERT_TRUE(world.restart_ice(viewer, 20));
    world.run_for(3s);
  }
  world.run_for(40s);  // no old credentials are good any more
  EXPECT_TRUE(shows(viewer, 0, publisher));
  EXPECT_EQ(world.session_count(), 2u);
}

TEST_F(RenegotiationTest, AnIceRestartInAnUpdateSdpIsFoundByItsNewFragment) {
  Client& publisher = world.join(participant("p"));
  Client& viewer = world.join(viewer_only("v"));
  world.view(viewer, "video_0", "p", "video_main");
  ASSERT_TRUE(shows(viewer, 0, publisher));
  publisher.restart_ice(world.now());
  ASSERT_TRUE(is_answered(publisher, world.update_sdp(publisher)));
  world.run_for(45s);
  EXPECT_EQ(world.session_count(), 2u);
  EXPECT_TRUE(shows(viewer, 0, publisher));
}

TEST_F(RenegotiationTest, AViewerWithOtherCodecsSeesNothingAndCostsNobodyKeyFrames) {
  Client& publisher = world.join(participant("p"));
  ClientConfig config = viewer_only("v");
  config.codecs = {Codec::kOpus, Codec::kVp9};
  Client& blind = world.join(config);
  world.view(blind, "video_0", "p", "video_main");
  world.view(blind, "audio_0", "p", "audio_main");
  EXPECT_TRUE(world.run_until([&] { return blind.audio_packets(0) > 50; }, 5s)) << "Opus it has";
  world.run_for(10s);
  EXPECT_EQ(blind.video(0).packets(), 0u);
  EXPECT_LE(publisher.key_frames_sent(), 3u);
}

// --- the end of a session ---

TEST_F(RenegotiationTest, AClosedSessionLingersSoThatItsLastWordArrives) {
  Client& stays = world.join(participant("stays"));
  Client& leaves = world.join(participant("leaves"));
  world.run_for(15s);
  const uint64_t id = world.request(leaves, contract::PeerClose{});
  world.run_for(30ms);
  leaves.set_silent(true);  // it confirms nothing
  world.run_for(70ms);
  EXPECT_FALSE(stays.streams().contains("leaves/video_main")) << "it has left";
  world.run_for(300ms);
  EXPECT_EQ(world.session_count(), 2u) << "and is still there to send its answer again";
  leaves.set_silent(false);
  world.run_for(600ms);
  EXPECT_TRUE(leaves.succeeded(id));
  EXPECT_EQ(world.session_count(), 1u) << "once that is confirmed nothing keeps it";
}

TEST_F(RenegotiationTest, AClosingSessionCannotBeKeptAliveOrComeBack) {
  Client& stays = world.join(participant("stays"));
  Client& leaves = world.join(participant("leaves"));
  world.request(leaves, contract::PeerClose{});
  world.run_for(80ms);
  const Instant closed = world.now().mono;
  std::vector<uint64_t> late;
  while (world.now().mono - closed < 2s && world.session_count() == 2) {
    late.push_back(world.request(leaves, contract::PeerClose{}));
    late.push_back(world.view(leaves, "video_0", "stays", "video_main"));
    late.push_back(world.update_sdp(leaves));
    contract::SenderToggle toggle;
    toggle.name = "video_main";
    toggle.kind = MediaKind::kVideo;
    toggle.track = contract::SenderToggle::Track::kSwitched;
    late.push_back(world.request(leaves, toggle));
    world.run_for(50ms);
    EXPECT_FALSE(stays.streams().contains("leaves/video_main"));
  }
  EXPECT_EQ(world.session_count(), 1u);
  EXPECT_LT(world.now().mono - closed, 800ms);
  for (const uint64_t id : late) EXPECT_FALSE(leaves.succeeded(id));
  EXPECT_EQ(stays.room_peers(), 1u);
}

TEST_F(RenegotiationTest, AReplacedSessionCannotTakeItsNamesBack) {
  Client& first = world.join(participant("same"));
  world.run_for(15s);
  Client& second = world.add_client(participant("same"));
  ASSERT_TRUE(world.connect(second));
  // While it lingers, the old session opens another channel, as a joining session does.
  world.open_another_channel(first);
  ASSERT_TRUE(world.run_until([&] { return second.is_ready(); }, 10s));
  world.run_for(1s);
  EXPECT_EQ(second.streams().size(), 2u);
  Client& viewer = world.join(viewer_only("v"));
  world.view(viewer, "video_0", "same", "video_main");
  EXPECT_TRUE(shows(viewer, 0, second));
  EXPECT_EQ(world.session_count(), 2u);
}

TEST_F(RenegotiationTest, ASecondChannelTakesNothingOver) {
  Client& client = world.join(participant("p"));
  world.open_another_channel(client);
  world.run_for(500ms);
  const uint64_t id = world.view(client, "video_0", "p", "video_main");
  EXPECT_TRUE(is_answered(client, id));
  EXPECT_EQ(client.room_peers(), 1u);
}

TEST(Timers, OfALossyCallDoNotPileUp) {
  LinkConfig link;
  link.loss = 0.1;
  World lossy(5, link);
  Client& a = lossy.add_client(participant("a"));
  Client& b = lossy.add_client(participant("b"));
  for (Client* client : {&a, &b}) {
    ASSERT_TRUE(lossy.connect(*client));
    ASSERT_TRUE(lossy.run_until([&] { return client->is_ready(); }, 10s));
  }
  lossy.view(a, "video_0", "b", "video_main");
  lossy.view(b, "video_0", "a", "video_main");
  size_t most = 0;
  for (int i = 0; i < 60; ++i) {
    lossy.run_for(1s);
    most = std::max(most, lossy.worker().armed_deadlines());
  }
  EXPECT_LT(most, 200u) << "a stale deadline goes when it comes up";
}

}  // namespace
}  // namespace atm::sim
