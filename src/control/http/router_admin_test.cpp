// The admin API: who may, which command each call becomes, and what is made of the workers' answers.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "control/http/router.h"
#include "control/http/router_test.h"
#include "control/token/claims.h"

namespace atm::control {
namespace {

using contract::HttpReply;
using contract::HttpRequest;
using nlohmann::json;

constexpr size_t kWorkers = 2;

struct RouterAdminTest : testing::Test {
  Router::Outcome ask(const std::string& method, const std::string& path, const std::string& body = "",
                      std::string authorization = "Bearer " + std::string(kSecret)) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    if (!authorization.empty()) request.headers.emplace_back("Authorization", std::move(authorization));
    return router.on_request(kNow, request);
  }
  template <typename Command>
  Command command(const Router::Outcome& outcome, Pending pending) {
    const auto* posted = std::get_if<PostToAll>(&outcome);
    EXPECT_TRUE(posted != nullptr && posted->pending == pending);
    const auto* found = posted == nullptr ? nullptr : std::get_if<Command>(&posted->command.body);
    EXPECT_NE(found, nullptr);
    return found == nullptr ? Command{} : *found;
  }
  unsigned status(const Router::Outcome& outcome) {
    const auto* reply = std::get_if<HttpReply>(&outcome);
    return reply == nullptr ? 0 : reply->status;
  }
  json data(const HttpReply& reply) { return json::parse(reply.body)["data"]; }
  std::string token(const std::string& id) {
    token::Claims claims;
    claims.id = id;
    return token::issue(claims, kSecret);
  }

  SeededRng rng{1};
  Router router{{std::string(kSecret), false, 0, kWorkers, 0, {}}, rng};
};

TEST_F(RouterAdminTest, OnlyTheSecretAsABearerTokenOpensIt) {
  for (const std::string& wrong : {std::string(), std::string("Bearer "), std::string("Bearer wrong"),
                                   "Basic " + std::string(kSecret), "Bearer " + token("t"), std::string(kSecret)}) {
    EXPECT_EQ(status(ask("GET", "/admin/rooms", "", wrong)), 401u) << wrong;
    EXPECT_EQ(status(ask("POST", "/admin/drain", "", wrong)), 401u);
    EXPECT_EQ(status(ask("GET", "/admin/nothing", "", wrong)), 401u) << "nor does it tell what is there";
  }
  HttpRequest by_query{"GET", "/admin/rooms", "app_secret=" + std::string(kSecret), {}, "", {}};
  EXPECT_EQ(status(router.on_request(kNow, by_query)), 401u) << "queries end up in logs";
  EXPECT_EQ(status(ask("OPTIONS", "/admin/rooms", "", "")), 204u);
}

TEST_F(RouterAdminTest, CallsBecomeCommandsForAllWorkers) {
  command<contract::ReadRooms>(ask("GET", "/admin/rooms"), Pending::kAdminRooms);
  command<contract::ReadRooms>(ask("HEAD", "/admin/rooms"), Pending::kAdminRooms);
  EXPECT_EQ(command<contract::ReadRoom>(ask("GET", "/admin/rooms/a%2Fb+c"), Pending::kAdminRoom).room, "a/b+c");
  const auto peer = command<contract::ReadRoom>(ask("GET", "/admin/rooms/r/peers/%C3%A9"), Pending::kAdminPeer);
  EXPECT_EQ(peer.peer, "\xC3\xA9");
  const auto kick = command<contract::EndSessions>(ask("DELETE", "/admin/rooms/r/peers/p"), Pending::kAdminDone);
  EXPECT_EQ(kick.room, "r");
  EXPECT_EQ(kick.peer, "p");
  EXPECT_EQ(kick.token_id, std::nullopt);
  EXPECT_EQ(kick.ending, contract::Ending::kKick);
  const auto rights =
      command<contract::SetRights>(ask("PATCH", "/admin/rooms/r/peers/p", R"({"publish":false})"), Pending::kAdminDone);
  EXPECT_EQ(rights.publish, false);
  EXPECT_EQ(rights.subscribe, std::nullopt);
  const auto mute = command<contract::MuteStream>(
      ask("PATCH", "/admin/rooms/r/peers/p/streams/s", R"({"muted":false})"), Pending::kAdminDone);
  EXPECT_EQ(mute.key, (contract::StreamKey{"p", "s"}));
  EXPECT_FALSE(mute.is_muted);
  const auto drain = command<contract::TakeSessions>(ask("POST", "/admin/drain"), Pending::kAdminCount);
  EXPECT_TRUE(!drain.takes && drain.ends);
  EXPECT_FALSE(
      command<contract::TakeSessions>(ask("POST", "/admin/drain", R"({"end_sessions":false})"), Pending::kAdminCount)
          .ends);
}

TEST_F(RouterAdminTest, WhatIsNoCallIsRefused) {
  for (const char* path : {"/admin/", "/admin/rooms/", "/admin/rooms//peers/p", "/admin/rooms/%zz", "/admin/rooms/r/x",
                           "/admin/rooms/r/peers/p/streams/s/t", "/admin/tokens"}) {
    EXPECT_EQ(status(ask("GET", path)), 404u) << path;
  }
  EXPECT_EQ(status(ask("GET", "/admin/rooms/" + std::string(257, 'r'))), 404u);
  EXPECT_EQ(status(ask("POST", "/admin/rooms")), 405u);
  EXPECT_EQ(status(ask("GET", "/admin/drain")), 405u);
  EXPECT_EQ(status(ask("PATCH", "/admin/rooms/r/peers/p", "{}")), 400u);
  EXPECT_EQ(status(ask("PATCH", "/admin/rooms/r/peers/p", R"({"publish":"no"})")), 400u);
  EXPECT_EQ(status(ask("PATCH", "/admin/rooms/r/peers/p/streams/s", "{}")), 400u);
  EXPECT_EQ(status(ask("POST", "/admin/tokens/revoke", R"({"jti":""})")), 400u);
  EXPECT_EQ(status(ask("POST", "/admin/tokens/revoke", R"({"jti":"a","exp":-1})")), 400u);
  EXPECT_EQ(status(ask("POST", "/admin/drain", "[]")), 400u);
}

TEST_F(RouterAdminTest, SlicesOfARoomAreToldAsOne) {
  using Room = contract::RoomsRead::Room;
  const HttpReply rooms = router.on_admin_replies(
      Pending::kAdminRooms,
      {{1, contract::RoomsRead{{Room{"b", 2, 3}, Room{"a", 1, 1}}}}, {1, contract::RoomsRead{{Room{"b", 1, 0}}}}});
  EXPECT_EQ(data(rooms)["rooms"],
            json::parse(R"([{"room":"a","peers":1,"streams":1},{"room":"b","peers":3,"streams":3}])"));
  contract::PeerReport zoe, ann;
  zoe.peer = "zoe";
  ann.peer = "ann";
  const std::vector<contract::Reply> replies = {{1, contract::RoomRead{"r", {zoe}}},
                                                {1, contract::RoomRead{"r", {ann}}}};
  const json room = data(router.on_admin_replies(Pending::kAdminRoom, replies));
  EXPECT_EQ(room["peers"][0]["peer"], "ann");
  EXPECT_EQ(room["peers"].size(), 2u);
  EXPECT_EQ(data(router.on_admin_replies(Pending::kAdminPeer, replies))["peer"], "ann");
  const std::vector<contract::Reply> empty = {{1, contract::RoomRead{"r", {}}}, {1, contract::RoomRead{"r", {}}}};
  EXPECT_EQ(router.on_admin_replies(Pending::kAdminRoom, empty).status, 404u);
}

TEST_F(RouterAdminTest, WhatWasDoneToNobodyIsNotFoundAndAMissingWorkerIsBusy) {
  const auto counts = [](size_t a, size_t b) {
    return std::vector<contract::Reply>{{1, contract::Count{a}}, {1, contract::Count{b}}};
  };
  EXPECT_EQ(data(router.on_admin_replies(Pending::kAdminDone, counts(0, 1)))["sessions"], 1);
  EXPECT_EQ(router.on_admin_replies(Pending::kAdminDone, counts(0, 0)).status, 404u);
  EXPECT_EQ(data(router.on_admin_replies(Pending::kAdminCount, counts(0, 0)))["sessions"], 0);
  EXPECT_EQ(router.on_admin_replies(Pending::kAdminCount, {{1, contract::Count{1}}}).status, 503u);
  EXPECT_EQ(router.on_admin_replies(Pending::kAdminCount, {}).status, 503u);
  EXPECT_EQ(router.refuse(Pending::kAdminDone, ErrorCode::kBusy, "").status, 503u);
}

TEST_F(RouterAdminTest, ARevokedTokenConnectsAndRenewsNoMore) {
  const contract::TokenQuestion question{"0-1-ab", 7, "r", "p", token("jti-1")};
  EXPECT_TRUE(router.judge(kNow, question).grant);
  EXPECT_EQ(router.judge(kNow, question).grant->token_id, "jti-1");
  const auto ends =
      command<contract::EndSessions>(ask("POST", "/admin/tokens/revoke", R"({"jti":"jti-1"})"), Pending::kAdminCount);
  EXPECT_EQ(ends.token_id, "jti-1");
  EXPECT_EQ(ends.room, std::nullopt);
  const auto verdict = router.judge(kNow, question);
  EXPECT_EQ(verdict.req_id, 7u);
  EXPECT_EQ(verdict.conn_id, "0-1-ab");
  ASSERT_FALSE(verdict.grant);
  EXPECT_EQ(verdict.grant.error().code, ErrorCode::kInvalidToken);
  contract::ConnectRequest on_its_way;
  on_its_way.grant.token_id = "jti-1";
  EXPECT_TRUE(router.is_revoked(on_its_way));
  EXPECT_TRUE(router.judge(kNow, {"0-1-ab", 8, "r", "p", token("jti-2")}).grant);
  EXPECT_TRUE(router.judge(kNow, {"0-1-ab", 8, "r", "p", token("")}).grant);
}

TEST_F(RouterAdminTest, AServerThatDrainsIsNotReady) {
  const auto ready = [&] { return data(std::get<HttpReply>(ask("GET", "/healthcheck", "", "")))["ready"]; };
  EXPECT_EQ(ready(), true);
  ask("POST", "/admin/drain");
  EXPECT_EQ(ready(), false);
  ask("DELETE", "/admin/drain");
  EXPECT_EQ(ready(), true);
  router.stop_taking_sessions();
  EXPECT_EQ(ready(), false);
}

}  // namespace
}  // namespace atm::control
