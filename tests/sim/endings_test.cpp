// How sessions end: what their clients are told before, renewals of tokens that come in time, rights that are taken and
// given in a call, and second sessions of a peer.
#include <gtest/gtest.h>

#include "seeds.h"
#include "world.h"

namespace atm::sim {
namespace {

ClientConfig participant(const std::string& peer, uint32_t receivers = 1) {
  ClientConfig config;
  config.peer = peer;
  config.audio_receivers = config.video_receivers = receivers;
  return config;
}

std::optional<contract::SessionClosing> closing(const Client& client) {
  for (const contract::Event& event : client.events()) {
    if (const auto* told = std::get_if<contract::SessionClosing>(&event)) return *told;
  }
  return std::nullopt;
}

std::string reason_told(const Client& client) {
  const auto told = closing(client);
  return told ? told->reason : "";
}

struct EndingsTest : testing::Test {
  explicit EndingsTest(uint64_t seed = 51, room::Duplicates duplicates = room::Duplicates::kReplace)
      : world(seed, {}, World::default_workers(), duplicates) {}
  Client& join(ClientConfig config) {
    Client& client = world.add_client(std::move(config));
    EXPECT_TRUE(world.connect(client));
    EXPECT_TRUE(world.run_until([&] { return client.is_ready() && client.room_peers() > 0; }, 10s));
    return client;
  }
  // A participant whose token expires so much later.
  Client& join_for(Duration length, const std::string& peer = "guest") {
    ClientConfig config = participant(peer);
    config.grant.expires_at = world.now().wall + length;
    return join(config);
  }
  bool is_answered(Client& client, uint64_t id, Duration within = 2s) {
    return world.run_until([&] { return client.answers().contains(id); }, within);
  }
  ErrorCode error_of(Client& client, uint64_t id) { return std::get<Error>(client.answers().at(id).data).code; }
  size_t end_sessions(const contract::EndSessions& which) {
    size_t ended = 0;
    for (size_t i = 0; i < world.worker_count(); ++i) {
      ended += std::get<contract::Count>(world.command({1, which}, i).body).count;
    }
    return ended;
  }

  World world;
};

// --- tokens ---

TEST_F(EndingsTest, AnExpiredTokenEndsItsSessionAndItsClientIsTold) {
  Client& stays = join(participant("stays"));
  Client& guest = join_for(20s);
  ASSERT_TRUE(world.run_until([&] { return stays.streams().contains("guest/video_main"); }, 5s));
  world.run_for(15s);
  EXPECT_EQ(reason_told(guest), "");
  world.run_for(5s);
  EXPECT_EQ(reason_told(guest), "token_expired");
  EXPECT_FALSE(closing(guest)->retry_ms) << "with the same token it need not come back";
  EXPECT_FALSE(stays.streams().contains("guest/video_main"));
  world.run_for(1s);
  EXPECT_EQ(world.session_count(), 1u);
}

TEST_F(EndingsTest, ASessionThatNeverCameUpEndsWithItsTokenToo) {
  ClientConfig config = participant("guest");
  config.grant.expires_at = world.now().wall + 3s;
  Client& guest = world.add_client(config);
  guest.set_silent(true);
  ASSERT_TRUE(world.connect(guest));
  world.run_for(3'100ms);
  EXPECT_EQ(world.session_count(), 0u);
}

TEST_F(EndingsTest, ATokenThatIsRenewedInTimeLetsTheSessionGoOn) {
  Client& guest = join_for(20s);
  world.judge = [this, &guest](const contract::TokenQuestion& question) -> Result<contract::Grant> {
    EXPECT_EQ(question.room, "room");
    EXPECT_EQ(question.peer, "guest");
    EXPECT_EQ(question.conn_id, guest.conn_id());
    if (question.token != "a better one") return fail(ErrorCode::kInvalidToken, "no");
    contract::Grant grant;
    grant.expires_at = world.now().wall + 60s;
    return grant;
  };
  const uint64_t bad = world.request(guest, contract::PeerToken{"a bad one"});
  ASSERT_TRUE(is_answered(guest, bad));
  EXPECT_EQ(error_of(guest, bad), ErrorCode::kInvalidToken);
  const Instant renewed = world.now().mono;
  const uint64_t good = world.request(guest, contract::PeerToken{"a better one"});
  ASSERT_TRUE(is_answered(guest, good));
  EXPECT_TRUE(guest.succeeded(good));
  world.run_for(40s);
  EXPECT_EQ(reason_told(guest), "");
  ASSERT_TRUE(world.run_until([&] { return reason_told(guest) == "token_expired"; }, 30s));
  EXPECT_NEAR(static_cast<double>(to_ms(world.now().mono - renewed)), 60'000, 500);
}

TEST_F(EndingsTest, ATokenThatNobodyLooksAtIsAnsweredAndTheOldOneGoesOn) {
  Client& guest = join_for(60s);
  std::vector<uint64_t> ids;
  for (size_t i = 0; i <= session::kMaxRenewals; ++i) ids.push_back(world.request(guest, contract::PeerToken{"t"}));
  ASSERT_TRUE(is_answered(guest, ids.back()));
  EXPECT_EQ(error_of(guest, ids.back()), ErrorCode::kTooMany);
  EXPECT_FALSE(guest.answers().contains(ids.front()));
  ASSERT_TRUE(is_answered(guest, ids[session::kMaxRenewals - 1], session::kRenewalTimeout + 500ms));
  EXPECT_EQ(error_of(guest, ids.front()), ErrorCode::kBusy);
  EXPECT_EQ(reason_told(guest), "");
}

TEST_F(EndingsTest, ARenewalTakesRightsAndGivesThemBack) {
  Client& other = join(participant("other"));
  Client& guest = join(participant("guest"));
  world.view(guest, "video_0", "other", "video_main");
  const auto is_live = [&] {
    return guest.receiver_states().contains("video_0") &&
           guest.receiver_states().at("video_0") == contract::ReceiverState::kLive;
  };
  ASSERT_TRUE(world.run_until(is_live, 5s));
  ASSERT_TRUE(world.run_until([&] { return other.streams().contains("guest/video_main"); }, 5s));
  contract::Grant rights;
  world.judge = [&rights](const contract::TokenQuestion&) -> Result<contract::Grant> { return rights; };
  rights.publish = rights.subscribe = false;
  world.request(guest, contract::PeerToken{"less"});
  EXPECT_TRUE(world.run_until([&] { return !other.streams().contains("guest/video_main"); }, 2s));
  EXPECT_TRUE(
      world.run_until([&] { return guest.receiver_states().at("video_0") == contract::ReceiverState::kNoSource; }, 2s));
  const uint64_t refused = world.view(guest, "video_0", "other", "video_main");
  ASSERT_TRUE(is_answered(guest, refused));
  EXPECT_EQ(error_of(guest, refused), ErrorCode::kForbidden);
  const uint64_t toggled = world.request(
      guest,
      contract::SenderToggle{"video_main", MediaKind::kVideo, contract::SenderToggle::Track::kSwitched, "t", {}});
  ASSERT_TRUE(is_answered(guest, toggled));
  EXPECT_FALSE(other.streams().contains("guest/video_main"));
  rights = {};
  world.request(guest, contract::PeerToken{"more"});
  EXPECT_TRUE(world.run_until([&] { return other.streams().contains("guest/video_main"); }, 2s));
  world.view(guest, "video_0", "other", "video_main");
  EXPECT_TRUE(world.run_until(is_live, 2s));
}

// --- by others ---

TEST_F(EndingsTest, APeerIsKickedOutOfItsRoomAloneAndATokenRevoked) {
  ClientConfig elsewhere = participant("guest");
  elsewhere.room = "another";
  elsewhere.grant.token_id = "jti-1";
  Client& other_room = join(elsewhere);
  Client& guest = join(participant("guest"));
  Client& stays = join(participant("stays"));
  EXPECT_EQ(end_sessions({contract::Ending::kKick, "room", "nobody", std::nullopt}), 0u);
  EXPECT_EQ(end_sessions({contract::Ending::kKick, "room", "guest", std::nullopt}), 1u);
  EXPECT_EQ(end_sessions({contract::Ending::kKick, "room", "guest", std::nullopt}), 0u) << "it is ending";
  world.run_for(1s);
  EXPECT_EQ(reason_told(guest), "kick");
  EXPECT_EQ(end_sessions({contract::Ending::kTokenRevoked, std::nullopt, std::nullopt, "jti-1"}), 1u);
  world.run_for(1s);
  EXPECT_EQ(reason_told(other_room), "token_revoked");
  EXPECT_EQ(reason_told(stays), "");
  EXPECT_EQ(world.session_count(), 1u);
}

TEST_F(EndingsTest, AClientOfAServerThatStopsIsToldWhenToComeBack) {
  std::set<uint32_t> times;
  std::vector<Client*> clients;
  for (const char* name : {"a", "b", "c", "d"}) clients.push_back(&join(participant(name)));
  EXPECT_EQ(world.drain(1s), world.worker_count());
  for (Client* client : clients) {
    ASSERT_EQ(reason_told(*client), "shutdown");
    const auto retry = closing(*client)->retry_ms;
    ASSERT_TRUE(retry);
    EXPECT_GE(*retry, 2'000u);
    EXPECT_LT(*retry, 4'000u);
    times.insert(*retry);
  }
  EXPECT_GT(times.size(), 1u) << "not all at once";
}

TEST(Endings, TheLastWordArrivesOverAWayThatLosesAFifth) {
  size_t told = 0;
  for (const uint64_t seed : seeds(3'000, 40)) {
    LinkConfig link;
    link.loss = 0.2;
    World world(seed, link);
    Client& client = world.add_client(participant("p"));
    ASSERT_TRUE(world.connect(client));
    ASSERT_TRUE(world.run_until([&] { return client.is_ready() && client.room_peers() > 0; }, 15s));
    world.run_for(2s);
    world.command({1, contract::EndSessions{contract::Ending::kKick, {}, {}, {}}}, world.worker_of(client));
    world.run_for(2s);
    EXPECT_EQ(world.session_count(), 0u) << "bounded, whatever arrives";
    told += reason_told(client) == "kick";
  }
  EXPECT_GE(told, 38u);
}

// --- a second session of a peer ---

struct RefusingTest : EndingsTest {
  RefusingTest() : EndingsTest(52, room::Duplicates::kRefuse) {}
};

TEST_F(RefusingTest, ASecondSessionOfAPeerIsRefusedAndTheFirstGoesOn) {
  Client& first = join(participant("same"));
  world.run_for(1s);
  // With two workers: on another slice than the first.
  Client& second = world.add_client(participant("same"));
  Client& third = world.add_client(participant("same"));
  const auto is_refused = [&](Client& client) {
    if (!world.connect(client)) return world.error()->code == ErrorCode::kDuplicatePeer;
    return world.run_until([&] { return reason_told(client) == "duplicate_peer"; }, 10s);
  };
  EXPECT_TRUE(is_refused(second));
  EXPECT_TRUE(is_refused(third));
  world.run_for(3s);
  EXPECT_EQ(reason_told(first), "");
  EXPECT_EQ(world.session_count(), 1u);
  EXPECT_EQ(first.room_peers(), 1u);
}

TEST_F(RefusingTest, OneThatNothingIsHeardOfIsReplaced) {
  Client& first = join(participant("same"));
  Client& other = join(participant("other"));
  world.run_for(1s);
  first.set_silent(true);
  world.run_for(6s);
  Client& second = world.add_client(participant("same"));
  ASSERT_TRUE(world.connect(second));
  ASSERT_TRUE(world.run_until([&] { return second.streams().contains("same/video_main"); }, 10s));
  world.run_for(3s);
  EXPECT_EQ(world.session_count(), 2u);
  EXPECT_EQ(other.room_peers(), 2u);
}

TEST_F(RefusingTest, OfTwoThatComeTogetherOneStays) {
  Client& other = join(participant("other"));
  Client& first = world.add_client(participant("same"));
  Client& second = world.add_client(participant("same"));
  const bool are_both_in = world.connect(first) && world.connect(second);
  EXPECT_EQ(are_both_in, world.worker_count() > 1);
  world.run_for(5s);
  EXPECT_EQ(world.session_count(), 2u);
  EXPECT_EQ(other.room_peers(), 2u);
  EXPECT_EQ(other.streams().size(), 4u);
  if (are_both_in) {
    EXPECT_EQ((reason_told(first) == "") + (reason_told(second) == ""), 1);
  }
}

}  // namespace
}  // namespace atm::sim
