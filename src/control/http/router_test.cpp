#include "control/http/router.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "control/http/pending_calls.h"
#include "control/http/placement.h"
#include "control/http/router_test.h"
#include "control/http/target.h"
#include "control/token/claims.h"

namespace atm::control {
namespace {

using contract::HttpReply;
using contract::HttpRequest;
using nlohmann::json;

class RouterTest : public ::testing::Test {
 protected:
  static RouterConfig config(bool dev) {
    return {std::string(kSecret),
            dev,
            3443,
            4,
            7,
            {{"/", "text/html; charset=utf-8", "<p>hi"}, {"/app.js", "text/javascript", "1"}}};
  }

  Router::Outcome ask(const std::string& method, const std::string& target, const json& body = nullptr,
                      contract::HttpHeaders headers = {}) {
    HttpRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (target.find('?') != std::string::npos) request.query = target.substr(target.find('?') + 1);
    if (!body.is_null()) request.body = body.is_string() ? body.get<std::string>() : body.dump();
    request.headers = std::move(headers);
    return router_.on_request(kNow, request);
  }
  HttpReply reply(const Router::Outcome& outcome) {
    const auto* answer = std::get_if<HttpReply>(&outcome);
    EXPECT_TRUE(answer);
    return answer ? *answer : HttpReply{};
  }
  std::string error_of(const Router::Outcome& outcome) {
    const HttpReply answer = reply(outcome);
    EXPECT_EQ(answer.status, 200u);
    return json::parse(answer.body).value("error", "none");
  }
  static std::string header(const HttpReply& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return "";
  }
  static std::string token_for(token::Claims claims) { return token::issue(claims, kSecret); }
  static json connect_body(const std::string& jwt, bool with_sender = true) {
    json body = {{"room", "phòng họp / 1"},
                 {"peer", "peer 1"},
                 {"token", jwt},
                 {"sdp", "v=0"},
                 {"senders", json::array()},
                 {"receivers", {{"audio", 1}, {"video", 1}}}};
    if (with_sender) body["senders"].push_back({{"kind", "audio"}, {"name", "a"}, {"uuid", "u"}, {"label", "l"}});
    return body;
  }

  SeededRng rng_{1};
  Router router_{config(false), rng_};
};

class DevRouterTest : public RouterTest {
 protected:
  DevRouterTest() : dev_(config(true), rng_) {}
  Router dev_;
};

TEST_F(RouterTest, IsReady) {
  EXPECT_EQ(reply(ask("HEAD", "/healthcheck")).status, 200u);
  EXPECT_EQ(reply(ask("GET", "/healthcheck?ts=1795372908955")).body, R"({"status":true,"data":{"ready":true}})");
}

TEST_F(RouterTest, EveryReplyCanBeReadByAnyPage) {
  for (const auto& [method, path] : {std::pair{"GET", "/healthcheck"},
                                     {"GET", "/nope"},
                                     {"PUT", "/webrtc/connect"},
                                     {"POST", "/webrtc/connect"},
                                     {"OPTIONS", "/webrtc/connect"},
                                     {"OPTIONS", "/nope"}}) {
    const HttpReply answer = reply(ask(method, path));
    EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "*") << method << path;
    if (std::string(method) == "OPTIONS") {
      EXPECT_EQ(answer.status, 204u);
      EXPECT_NE(header(answer, "Access-Control-Allow-Methods").find("DELETE"), std::string::npos);
      EXPECT_NE(header(answer, "Access-Control-Allow-Headers").find("content-type"), std::string::npos);
      EXPECT_EQ(header(answer, "Access-Control-Max-Age"), "86400");
    } else {
      EXPECT_TRUE(json::parse(answer.body).is_object());
    }
  }
}

TEST_F(RouterTest, NamesWhatIsNotThereAndWhatIsNotAllowed) {
  const HttpReply missing = reply(ask("GET", "/webrtc/nope"));
  EXPECT_EQ(missing.status, 404u);
  EXPECT_EQ(json::parse(missing.body)["error"], "NOT_FOUND");
  const HttpReply wrong = reply(ask("GET", "/webrtc/connect"));
  EXPECT_EQ(wrong.status, 405u);
  EXPECT_EQ(json::parse(wrong.body)["error"], "METHOD_NOT_ALLOWED");
  EXPECT_EQ(header(wrong, "Allow"), "POST, OPTIONS");
  EXPECT_EQ(reply(ask("DELETE", "/webrtc/conn/")).status, 404u);
}

TEST_F(RouterTest, ConnectGoesToTheRoomsWorkerWithTheTokensRights) {
  token::Claims claims;
  claims.expires_at = kNow.wall + 60s;
  claims.subscribe = false;
  const auto outcome = ask("POST", "/webrtc/connect", connect_body(token_for(claims)));
  ASSERT_TRUE(std::holds_alternative<PostToWorker>(outcome));
  const auto& post = std::get<PostToWorker>(outcome);
  EXPECT_EQ(post.pending, Pending::kConnect);
  EXPECT_EQ(post.worker, worker_of_room("phòng họp / 1", 4));
  const auto& request = std::get<contract::Connect>(post.command.body).request;
  EXPECT_EQ(request.room, "phòng họp / 1");
  EXPECT_TRUE(request.grant.publish);
  EXPECT_FALSE(request.grant.subscribe);
  EXPECT_EQ(request.grant.expires_at, claims.expires_at);

  const HttpReply done = router_.on_reply(kNow, Pending::kConnect, {0, contract::ConnectDone{kConnId, "v=0"}});
  EXPECT_EQ(json::parse(done.body),
            (json{{"status", true}, {"data", {{"node_id", 7}, {"conn_id", kConnId}, {"sdp", "v=0"}}}}));
}

TEST_F(RouterTest, ConnectWithoutAFittingTokenIsRefused) {
  token::Claims claims;
  claims.room = "phòng họp / 1";
  claims.peer = "peer 1";
  const auto connect = [&](const std::string& jwt) { return ask("POST", "/webrtc/connect", connect_body(jwt)); };
  EXPECT_TRUE(std::holds_alternative<PostToWorker>(connect(token_for(claims))));
  token::Claims other = claims;
  other.room = "phong hop / 1";
  EXPECT_EQ(error_of(connect(token_for(other))), "INVALID_TOKEN");
  other = claims;
  other.peer = "peer 2";
  EXPECT_EQ(error_of(connect(token_for(other))), "INVALID_TOKEN");
  other = claims;
  other.protocol = token::Protocol::kWhip;
  EXPECT_EQ(error_of(connect(token_for(other))), "INVALID_TOKEN");
  other = claims;
  other.expires_at = kNow.wall;
  EXPECT_EQ(error_of(connect(token_for(other))), "INVALID_TOKEN");
  EXPECT_EQ(error_of(connect("")), "INVALID_TOKEN");
  EXPECT_EQ(error_of(connect("token1")), "INVALID_TOKEN");
  EXPECT_EQ(error_of(connect(token::issue(claims, "another"))), "INVALID_TOKEN");
  json body = connect_body("x");
  body.erase("token");
  EXPECT_EQ(error_of(ask("POST", "/webrtc/connect", body)), "INVALID_TOKEN");
  EXPECT_EQ(error_of(ask("POST", "/webrtc/connect", "{")), "INVALID_REQUEST");
}

TEST_F(RouterTest, ConnectsOfOneAddressHaveARate) {
  HttpRequest request;
  request.method = "POST";
  request.path = "/webrtc/connect";
  const auto status_at = [&](Duration at, const char* from, const char* path = "/webrtc/connect") {
    request.remote = {*IpAddress::parse(from), 1};
    request.path = path;
    return reply(router_.on_request({Instant(at), kNow.wall}, request)).status;
  };
  size_t admitted = 0;
  for (int i = 0; i < 1'000; ++i)
    admitted += status_at(1s, "192.0.2.1", i % 2 ? "/webrtc/connect" : "/webrtc/ice_restart") == 200;
  EXPECT_EQ(admitted, static_cast<size_t>(kConnectsAtOnce));
  // Nobody else is stopped by that, and what is cheap goes on.
  EXPECT_EQ(status_at(1s, "192.0.2.2"), 200u);
  EXPECT_EQ(status_at(1s, "192.0.2.1", "/webrtc/ice_remote"), 200u);
  const HttpReply refused = reply(router_.on_request({Instant{1s}, kNow.wall}, [&] {
    request.remote = {*IpAddress::parse("192.0.2.1"), 9};
    request.path = "/webrtc/connect";
    return request;
  }()));
  EXPECT_EQ(refused.status, 429u);
  EXPECT_EQ(header(refused, "Retry-After"), "1");
  EXPECT_EQ(json::parse(refused.body)["error"], "RATE_LIMITED");
  for (int i = 0; i < kConnectsPerSecond; ++i) EXPECT_EQ(status_at(2s, "192.0.2.1"), 200u);
  EXPECT_EQ(status_at(2s, "192.0.2.1"), 429u);
  // One subscriber's /64 is one address.
  admitted = 0;
  for (int i = 0; i < 1'000; ++i) {
    admitted += status_at(2s, ("2001:db8:1:2::" + std::to_string(i)).c_str()) == 200;
  }
  EXPECT_EQ(admitted, static_cast<size_t>(kConnectsAtOnce));
  EXPECT_EQ(router_.stats().values[0].value, 801 + 1 + 800);
}

TEST(AddressRates, AreBoundedAndServeKnownAddressesInAFlood) {
  AddressRates rates;
  const auto address = [](uint32_t i) {
    return IpAddress::v4(10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i));
  };
  const IpAddress known = IpAddress::v4(192, 0, 2, 1);
  EXPECT_TRUE(rates.take(Instant{1s}, known));
  size_t admitted = 0;
  for (uint32_t i = 0; i < 100'000; ++i) admitted += rates.take(Instant{1s}, address(i));
  EXPECT_EQ(rates.size(), kMaxRatedAddresses);
  EXPECT_EQ(admitted, kMaxRatedAddresses - 1 + static_cast<size_t>(kConnectsAtOnce));
  EXPECT_TRUE(rates.take(Instant{1s}, known));
  // Those that have been quiet make room.
  EXPECT_TRUE(rates.take(Instant{10s}, address(200'000)));
  EXPECT_EQ(rates.size(), 1u);
}

TEST_F(RouterTest, SendersNeedTheRightToPublish) {
  token::Claims claims;
  claims.publish = false;
  const std::string jwt = token_for(claims);
  EXPECT_EQ(error_of(ask("POST", "/webrtc/connect", connect_body(jwt))), "FORBIDDEN");
  EXPECT_TRUE(std::holds_alternative<PostToWorker>(ask("POST", "/webrtc/connect", connect_body(jwt, false))));
}

TEST_F(RouterTest, CallsAboutAConnectionGoToItsWorker) {
  const auto remote = ask("POST", "/webrtc/ice_remote", {{"node_id", 7}, {"conn_id", kConnId}, {"candidate", "c"}});
  ASSERT_TRUE(std::holds_alternative<PostToWorker>(remote));
  EXPECT_EQ(std::get<PostToWorker>(remote).worker, 1u);
  EXPECT_EQ(std::get<contract::IceRemote>(std::get<PostToWorker>(remote).command.body).candidate, "c");
  const auto restart = ask("POST", "/webrtc/ice_restart", {{"conn_id", kConnId}, {"sdp", "v=0"}});
  EXPECT_EQ(std::get<PostToWorker>(restart).pending, Pending::kIceRestart);
  const auto gone = ask("DELETE", "/webrtc/conn/" + kConnId);
  EXPECT_EQ(std::get<contract::Disconnect>(std::get<PostToWorker>(gone).command.body).conn_id, kConnId);

  EXPECT_EQ(router_.on_reply(kNow, Pending::kIceRemote, {0, contract::Done{}}).body, R"({"status":true,"data":"OK"})");
  EXPECT_EQ(router_.on_reply(kNow, Pending::kDisconnect, {0, contract::Done{}}).body, R"({"status":true,"data":"OK"})");
  EXPECT_EQ(error_of(router_.on_reply(kNow, Pending::kDisconnect, {0, Error{ErrorCode::kConnNotFound, ""}})),
            "CONN_NOT_FOUND");
  EXPECT_EQ(error_of(router_.on_reply(kNow, Pending::kConnect, {0, contract::Done{}})), "SERVER_ERROR");
  EXPECT_EQ(error_of(router_.refuse(Pending::kConnect, ErrorCode::kBusy, "")), "BUSY");
}

TEST_F(RouterTest, AMalformedConnIdIsNotFound) {
  for (const std::string& id :
       {std::string("conn-1"), std::string("1"), std::string("-"), kConnId + "0", kConnId.substr(0, 33),
        "4" + kConnId.substr(1), "01" + kConnId.substr(1), "-1" + kConnId.substr(1), "+1" + kConnId.substr(1),
        "99999999999999999999" + kConnId.substr(1), std::string("1-2a-00112233445566778899AABBCCDDEEFF"),
        std::string("%"), std::string("a/b")}) {
    EXPECT_EQ(error_of(ask("DELETE", "/webrtc/conn/" + id)), "CONN_NOT_FOUND") << id;
    EXPECT_EQ(error_of(ask("POST", "/webrtc/ice_restart", {{"conn_id", id}, {"sdp", "v=0"}})), "CONN_NOT_FOUND") << id;
  }
}

TEST_F(RouterTest, IssuesTokensForTheApplicationsSecret) {
  const std::string encoded = "a%20secret%2Bof%2Fthe+server%3A%2032%20bytes%21";
  const json body = {{"room", "r"}, {"peer", "p"}, {"expires_in", 60}};
  const auto issued = [&](const Router::Outcome& outcome, token::Protocol protocol) {
    const json answer = json::parse(reply(outcome).body);
    EXPECT_EQ(answer["success"], true) << answer;
    if (answer["success"] != true) return;
    const auto claims = token::verify(answer["data"]["token"].get<std::string>(), kSecret, kNow, protocol);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->room, "r");
    EXPECT_EQ(claims->expires_at, kNow.wall + 60s);
    EXPECT_EQ(claims->id.size(), 32u);
  };
  using token::Protocol;
  issued(ask("POST", "/app/webrtc_session?x=1&app_secret=" + encoded, body), Protocol::kWebrtc);
  issued(ask("POST", "/app/whip_session?app_secret=" + encoded, body), Protocol::kWhip);
  issued(ask("POST", "/app/whep_session", body, {{"authorization", "Bearer " + std::string(kSecret)}}),
         Protocol::kWhep);
  issued(ask("POST", "/app/webrtc_session", body, {{"Authorization", "bearer " + std::string(kSecret)}}),
         Protocol::kWebrtc);

  const auto refused = [&](const std::string& target, contract::HttpHeaders headers) {
    const json answer = json::parse(reply(ask("POST", target, body, std::move(headers))).body);
    EXPECT_EQ(answer["success"], false);
    EXPECT_EQ(answer["error"], "INVALID_TOKEN");
  };
  refused("/app/webrtc_session", {});
  refused("/app/webrtc_session?app_secret=", {});
  refused("/app/webrtc_session?app_secret", {});
  refused("/app/webrtc_session?app_secret=a%20secret", {});
  refused("/app/webrtc_session?app_secret=%zz", {});
  refused("/app/webrtc_session", {{"Authorization", std::string(kSecret)}});
  refused("/app/webrtc_session", {{"Authorization", "Basic " + std::string(kSecret)}});
  refused("/app/webrtc_session", {{"Authorization", "Bearer x" + std::string(kSecret)}});
  const auto wrong = ask("POST", "/app/whip_session?app_secret=" + encoded, {{"room", "r"}});
  EXPECT_EQ(json::parse(reply(wrong).body)["error"], "INVALID_REQUEST");
}

TEST_F(RouterTest, MetricsAskAllWorkers) {
  const auto outcome = ask("GET", "/metrics");
  ASSERT_TRUE(std::holds_alternative<PostToAll>(outcome));
  EXPECT_TRUE(std::holds_alternative<contract::ReadStats>(std::get<PostToAll>(outcome).command.body));
  EXPECT_EQ(router_.metrics_reply("x 1\n").body, "x 1\n");
  EXPECT_TRUE(router_.metrics_reply("").content_type.starts_with("text/plain; version=0.0.4"));
}

TEST_F(RouterTest, HasNoDevPagesOutsideDevMode) {
  for (const char* target : {"/", "/app.js", "/dev/token?room=r", "/dev/info"}) {
    EXPECT_EQ(reply(ask("GET", target)).status, 404u) << target;
  }
}

TEST_F(DevRouterTest, ServesPagesAndTokens) {
  const auto get = [&](const std::string& path, const std::string& query = "") {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    return reply(dev_.on_request(kNow, request));
  };
  const HttpReply page = get("/");
  EXPECT_EQ(page.body, "<p>hi");
  EXPECT_NE(header(page, "Content-Security-Policy").find("script-src 'self';"), std::string::npos);
  EXPECT_EQ(get("/app.js").content_type, "text/javascript");
  EXPECT_EQ(header(get("/app.js"), "Content-Security-Policy"), "");
  EXPECT_EQ(get("/../app.js").status, 404u);

  const json answer = json::parse(get("/dev/token", "room=ph%C3%B2ng%20%2F+1&peer=p").body);
  EXPECT_EQ(answer["status"], true);
  EXPECT_EQ(get("/dev/info").body, R"({"status":true,"data":{"https_port":3443}})");
  const auto claims =
      token::verify(answer["data"]["token"].get<std::string>(), kSecret, kNow, token::Protocol::kWebrtc);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->room, "phòng / 1");
  EXPECT_EQ(claims->peer, "p");
  EXPECT_TRUE(claims->publish && claims->subscribe && claims->expires_at);
  EXPECT_EQ(error_of(get("/dev/token")), "INVALID_REQUEST");
  EXPECT_EQ(error_of(get("/dev/token", "room=")), "INVALID_REQUEST");
}

TEST(Placement, SpreadsRoomsAndNeverMoves) {
  std::vector<int> rooms(4);
  for (int i = 0; i < 4000; ++i) ++rooms[worker_of_room("room" + std::to_string(i), 4)];
  for (const int count : rooms) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(worker_of_room("room1", 1), 0u);
  EXPECT_EQ(worker_of_room("room1", 4), worker_of_room("room1", 4));
}

TEST(Target, DecodesEscapes) {
  EXPECT_EQ(percent_decode("a%20b%2fC+", false), "a b/C+");
  EXPECT_EQ(percent_decode("a+b%2B", true), "a b+");
  EXPECT_EQ(percent_decode("%41", false), "A");
  for (const char* text : {"%", "%4", "%4g", "a%", "%%41"}) EXPECT_FALSE(percent_decode(text, false)) << text;
  EXPECT_EQ(query_parameter("a=1&b=2&b=3", "b"), "2");
  EXPECT_EQ(query_parameter("a=1&b", "b"), "");
  EXPECT_EQ(query_parameter("a=1&b=x=y", "b"), "x=y");
  EXPECT_EQ(query_parameter("%62=1", "b"), "1");
  EXPECT_FALSE(query_parameter("", "b"));
  EXPECT_FALSE(query_parameter("&&ab=1", "b"));
}

TEST(PendingCalls, FinishesWithTheLastReply) {
  PendingCalls calls;
  const uint64_t one = *calls.open(kNow, Pending::kConnect, 11);
  const uint64_t all = *calls.open(kNow, Pending::kMetrics, 12, 2);
  EXPECT_NE(one, all);
  EXPECT_FALSE(calls.on_reply({all, contract::Stats{}}));
  EXPECT_EQ(calls.on_reply({one, contract::Done{}})->caller, 11u);
  const auto finished = calls.on_reply({all, contract::Stats{}});
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->caller, 12u);
  EXPECT_EQ(finished->pending, Pending::kMetrics);
  EXPECT_EQ(finished->replies.size(), 2u);
  EXPECT_FALSE(calls.on_reply({one, contract::Done{}}));
  EXPECT_EQ(calls.late_replies(), 1u);
  EXPECT_EQ(calls.next_timeout(), kNever);
}

TEST(PendingCalls, GivesUpAfterItsTime) {
  PendingCalls calls;
  calls.open(kNow, Pending::kConnect, 1);
  calls.open({kNow.mono + 1s, kNow.wall}, Pending::kConnect, 2);
  EXPECT_EQ(calls.next_timeout(), kNow.mono + PendingCalls::kTimeout);
  std::vector<PendingCalls::Finished> out;
  calls.on_timeout({calls.next_timeout() - 1us, kNow.wall}, out);
  EXPECT_TRUE(out.empty());
  calls.on_timeout({calls.next_timeout(), kNow.wall}, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].caller, 1u);
  EXPECT_TRUE(out[0].replies.empty());
  EXPECT_EQ(calls.size(), 1u);
}

TEST(PendingCalls, IsBounded) {
  PendingCalls calls;
  for (size_t i = 0; i < PendingCalls::kCallsMax; ++i) ASSERT_TRUE(calls.open(kNow, Pending::kConnect, i));
  EXPECT_FALSE(calls.open(kNow, Pending::kConnect, 0));
  EXPECT_TRUE(calls.cancel(1));
  EXPECT_FALSE(calls.cancel(1));
  EXPECT_TRUE(calls.open(kNow, Pending::kConnect, 0));
}

}  // namespace
}  // namespace atm::control
