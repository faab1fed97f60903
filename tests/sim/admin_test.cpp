// What the admin API does to calls: reports over slices, muted streams, rights, and a drain that can be taken back.
#include <gtest/gtest.h>

#include "world.h"

namespace atm::sim {
namespace {

struct AdminTest : testing::Test {
  Client& join(const std::string& peer, contract::Grant grant = {}) {
    ClientConfig config;
    config.peer = peer;
    config.grant = grant;
    Client& client = world.add_client(config);
    EXPECT_TRUE(world.connect(client));
    EXPECT_TRUE(world.run_until([&] { return client.is_ready() && client.room_peers() > 0; }, 10s));
    return client;
  }
  size_t all(const decltype(contract::Command::body)& body) {
    size_t count = 0;
    for (size_t i = 0; i < world.worker_count(); ++i) {
      count += std::get<contract::Count>(world.command({1, body}, i).body).count;
    }
    return count;
  }
  std::vector<contract::PeerReport> read(std::optional<std::string> peer = std::nullopt) {
    std::vector<contract::PeerReport> peers;
    for (size_t i = 0; i < world.worker_count(); ++i) {
      const auto reply = world.command({1, contract::ReadRoom{"room", peer}}, i);
      const auto& part = std::get<contract::RoomRead>(reply.body).peers;
      peers.insert(peers.end(), part.begin(), part.end());
    }
    return peers;
  }
  bool sees(Client& viewer, const std::string& stream, bool active) {
    return world.run_until(
        [&] { return viewer.streams().contains(stream) && viewer.streams().at(stream).active == active; }, 2s);
  }

  World world{81};
};

TEST_F(AdminTest, ARoomIsReadWithItsStreamsAndWhatIsViewed) {
  contract::Grant grant;
  grant.token_id = "jti";
  Client& anna = join("anna", grant);
  Client& bela = join("bela");
  anna.set_audio_level(-20);
  ASSERT_TRUE(sees(bela, "anna/video_main", true));
  world.view(bela, "video_0", "anna", "video_main");
  world.run_for(3s);
  ASSERT_EQ(read().size(), 2u);
  const auto reports = read("anna");
  ASSERT_EQ(reports.size(), 1u);
  const contract::PeerReport& report = reports[0];
  EXPECT_EQ(report.token_id, "jti");
  EXPECT_EQ(report.status, contract::PeerStatus::kConnected);
  EXPECT_EQ(report.address, anna.address().to_string());
  EXPECT_GT(report.age_ms, 3'000u);
  ASSERT_EQ(report.streams.size(), 2u);
  EXPECT_NEAR(report.streams[0].level_dbov.value_or(0), -20, 3);
  EXPECT_EQ(report.streams[1].name, "video_main");
  EXPECT_EQ(report.streams[1].codec, Codec::kVp8);
  EXPECT_EQ(report.streams[1].viewers, 1u);
  ASSERT_FALSE(report.streams[1].layers.empty()) << "also where the viewer is on another worker";
  EXPECT_GT(report.streams[1].layers[0].bps, 10'000u);
  const auto viewer = read("bela")[0];
  ASSERT_EQ(viewer.receivers.size(), 2u);
  EXPECT_EQ(viewer.receivers[1].state, contract::ReceiverState::kLive);
  EXPECT_EQ(viewer.receivers[1].remote, (contract::StreamKey{"anna", "video_main"}));
  EXPECT_TRUE(read("nobody").empty());
  size_t peers = 0, streams = 0;
  for (size_t i = 0; i < world.worker_count(); ++i) {
    const auto rooms = std::get<contract::RoomsRead>(world.command({1, contract::ReadRooms{}}, i).body).rooms;
    for (const auto& room : rooms) peers += room.peers, streams += room.streams;
  }
  EXPECT_EQ(peers, 2u);
  EXPECT_EQ(streams, 4u) << "each told by the slice where its publisher is";
}

TEST_F(AdminTest, AMutedStreamIsSeenByNobodyUntilItIsMutedNoMore) {
  Client& anna = join("anna");
  Client& bela = join("bela");
  ASSERT_TRUE(sees(bela, "anna/video_main", true));
  world.view(bela, "video_0", "anna", "video_main");
  ASSERT_TRUE(world.run_until([&] { return bela.video(0).decodable_frames() > 10; }, 5s));
  EXPECT_EQ(all(contract::MuteStream{{"anna", "nothing"}, "room", true}), 0u);
  EXPECT_EQ(all(contract::MuteStream{{"anna", "video_main"}, "another room", true}), 0u);
  EXPECT_EQ(all(contract::MuteStream{{"anna", "video_main"}, "room", true}), 1u);
  EXPECT_TRUE(sees(bela, "anna/video_main", false));
  EXPECT_TRUE(
      world.run_until([&] { return anna.sender_states().at("video_main") == contract::SenderState::kDeactived; }, 1s));
  world.run_for(200ms);
  const uint64_t before = bela.video(0).packets();
  using Track = contract::SenderToggle::Track;
  const contract::SenderToggle on{"video_main", MediaKind::kVideo, Track::kSwitched, "t2", {}};
  world.request(anna, on);
  world.run_for(1s);
  world.request(anna, contract::SenderToggle{"video_main", MediaKind::kVideo, Track::kStopped, "", {}});
  world.run_for(500ms);
  world.request(anna, on);
  world.run_for(2s);
  EXPECT_FALSE(bela.streams().at("anna/video_main").active) << "published anew it is muted still";
  EXPECT_EQ(bela.video(0).packets(), before);
  EXPECT_EQ(all(contract::MuteStream{{"anna", "video_main"}, "room", false}), 1u);
  EXPECT_TRUE(sees(bela, "anna/video_main", true));
  EXPECT_TRUE(world.run_until([&] { return bela.video(0).packets() > before + 30; }, 3s));
}

TEST_F(AdminTest, RightsAreTakenAndGivenOverThoseOfTheToken) {
  contract::Grant viewer;
  viewer.publish = false;
  ClientConfig config;
  config.peer = "anna";
  config.sends_audio = config.sends_video = false;
  config.grant = viewer;
  Client& anna = world.add_client(config);
  ASSERT_TRUE(world.connect(anna));
  ASSERT_TRUE(world.run_until([&] { return anna.is_ready() && anna.room_peers() > 0; }, 10s));
  Client& bela = join("bela");
  anna.publish(MediaKind::kAudio);
  const uint64_t refused = world.update_sdp(anna);
  ASSERT_TRUE(world.run_until([&] { return anna.answers().contains(refused); }, 2s));
  EXPECT_FALSE(anna.succeeded(refused));
  EXPECT_EQ(all(contract::SetRights{"room", "anna", true, std::nullopt}), 1u);
  world.update_sdp(anna);
  EXPECT_TRUE(sees(bela, "anna/audio_main", true));
  EXPECT_EQ(all(contract::SetRights{"room", "anna", false, std::nullopt}), 1u);
  EXPECT_TRUE(world.run_until([&] { return !bela.streams().contains("anna/audio_main"); }, 2s));
  EXPECT_EQ(all(contract::SetRights{"room", "nobody", true, true}), 0u);
}

TEST_F(AdminTest, ADrainEndsSessionsOrLeavesThemAndIsTakenBack) {
  Client& anna = join("anna");
  EXPECT_EQ(all(contract::TakeSessions{false, false}), 1u);
  Client& late = world.add_client({});
  EXPECT_FALSE(world.connect(late));
  EXPECT_EQ(world.error()->code, ErrorCode::kShuttingDown);
  world.run_for(5s);
  EXPECT_EQ(world.session_count(), 1u);
  EXPECT_EQ(all(contract::TakeSessions{false, true}), 1u);
  world.run_for(1s);
  EXPECT_EQ(world.session_count(), 0u);
  const auto* told = std::get_if<contract::SessionClosing>(&anna.events().back());
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->reason, "drain");
  EXPECT_LT(told->retry_ms.value_or(9'999), 2'000u);
  EXPECT_EQ(all(contract::TakeSessions{true, false}), 0u);
  join("carl");
}

}  // namespace
}  // namespace atm::sim
