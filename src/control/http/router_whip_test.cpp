// WHIP and WHEP over the router: which call becomes which command, and every status with its headers.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "control/http/ice_link.h"
#include "control/http/placement.h"
#include "control/http/problem_reply.h"
#include "control/http/router.h"
#include "control/http/router_test.h"
#include "control/token/claims.h"

namespace atm::control {
namespace {

using contract::HttpReply;
using contract::HttpRequest;
using nlohmann::json;

const std::string kWhipSession = "/whip/conn/" + kConnId;
const std::string kWhepSession = "/whep/conn/" + kConnId;
constexpr const char* kEndpoints[] = {"/whip/endpoint", "/whep/endpoint"};

class WhipRouterTest : public ::testing::Test {
 protected:
  WhipRouterTest() {
    RouterConfig config;
    config.secret = kSecret;
    config.worker_count = 4;
    router_.emplace(std::move(config), rng_);
  }

  static token::Claims claims_of(token::Protocol protocol) {
    token::Claims claims;
    claims.room = "studio";
    claims.peer = "camera";
    claims.protocol = protocol;
    claims.publish = protocol == token::Protocol::kWhip;
    claims.subscribe = protocol == token::Protocol::kWhep;
    return claims;
  }
  static std::string bearer(const token::Claims& claims) { return "Bearer " + token::issue(claims, kSecret); }

  Router::Outcome ask(const std::string& method, const std::string& path, contract::HttpHeaders headers = {},
                      const std::string& body = "v=0") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    request.body = body;
    return router_->on_request(kNow, request);
  }
  Router::Outcome post(const std::string& path, const token::Claims& claims) {
    return ask("POST", path, {{"Authorization", bearer(claims)}, {"Content-Type", "application/sdp"}});
  }
  Router::Outcome patch(const std::string& path, const std::string& if_match, const std::string& body = "a=mid:0") {
    return ask("PATCH", path, {{"If-Match", if_match}, {"content-type", "application/trickle-ice-sdpfrag"}}, body);
  }
  static HttpReply reply(const Router::Outcome& outcome) {
    const auto* answer = std::get_if<HttpReply>(&outcome);
    EXPECT_TRUE(answer);
    return answer ? *answer : HttpReply{};
  }
  static std::string header(const HttpReply& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return "";
  }
  // The code of a refusal that is as all of them have to be.
  static std::string problem(const HttpReply& answer, unsigned status) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.content_type, "application/problem+json");
    EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(answer, "Access-Control-Expose-Headers"), "Location, Link, ETag, Accept-Patch");
    const json body = json::parse(answer.body);
    EXPECT_EQ(body["status"], status);
    EXPECT_EQ(body["type"], "about:blank");
    EXPECT_FALSE(body["title"].get<std::string>().empty());
    return body["code"];
  }

  SeededRng rng_{1};
  std::optional<Router> router_;
};

TEST_F(WhipRouterTest, AWhipOfferBecomesASessionThatPublishesAsTheTokenSays) {
  token::Claims claims = claims_of(token::Protocol::kWhip);
  claims.max_bitrate_bps = 1'000'000;
  const auto outcome = post("/whip/endpoint", claims);
  ASSERT_TRUE(std::holds_alternative<PostToWorker>(outcome));
  const auto& one = std::get<PostToWorker>(outcome);
  EXPECT_EQ(one.pending, Pending::kWhip);
  EXPECT_EQ(one.worker, worker_of_room("studio", 4));
  const auto& request = std::get<contract::Connect>(one.command.body).request;
  EXPECT_EQ(request.protocol, contract::Protocol::kWhip);
  EXPECT_EQ(request.room, "studio");
  EXPECT_EQ(request.peer, "camera");
  EXPECT_EQ(request.sdp, "v=0");
  ASSERT_EQ(request.senders.size(), 2u);
  EXPECT_EQ(request.senders[0].name, "audio_main");
  EXPECT_EQ(request.senders[0].kind, MediaKind::kAudio);
  EXPECT_EQ(request.senders[1].name, "video_main");
  EXPECT_EQ(request.senders[1].kind, MediaKind::kVideo);
  EXPECT_EQ(request.receivers.audio + request.receivers.video, 0u);
  EXPECT_TRUE(request.grant.publish);
  EXPECT_EQ(request.grant.max_bitrate_bps, 1'000'000u);
}

TEST_F(WhipRouterTest, AWhepOfferBecomesASessionThatViewsOneOfEach) {
  const auto outcome = post("/whep/endpoint", claims_of(token::Protocol::kWhep));
  ASSERT_TRUE(std::holds_alternative<PostToWorker>(outcome));
  const auto& one = std::get<PostToWorker>(outcome);
  EXPECT_EQ(one.pending, Pending::kWhep);
  const auto& request = std::get<contract::Connect>(one.command.body).request;
  EXPECT_EQ(request.protocol, contract::Protocol::kWhep);
  EXPECT_TRUE(request.senders.empty());
  EXPECT_EQ(request.receivers.audio, 1u);
  EXPECT_EQ(request.receivers.video, 1u);
  EXPECT_EQ(request.peer, "camera");
}

TEST_F(WhipRouterTest, PlayersWithoutAPeerGetNamesOfTheirOwn) {
  token::Claims claims = claims_of(token::Protocol::kWhep);
  claims.peer.reset();
  std::set<std::string> peers;
  for (int i = 0; i < 8; ++i) {
    const auto outcome = post("/whep/endpoint", claims);
    const auto& one = std::get<PostToWorker>(outcome);
    peers.insert(std::get<contract::Connect>(one.command.body).request.peer);
  }
  EXPECT_EQ(peers.size(), 8u);
  EXPECT_TRUE(peers.begin()->starts_with("whep-"));
}

TEST_F(WhipRouterTest, TheAnswerIs201WithAllThatAClientNeeds) {
  for (const auto& [pending, session] : {std::pair{Pending::kWhip, kWhipSession}, {Pending::kWhep, kWhepSession}}) {
    const HttpReply created =
        router_->on_reply(kNow, pending, {0, contract::ConnectDone{kConnId, "v=0\r\n", "camera", "uFrag+/1"}});
    EXPECT_EQ(created.status, 201u);
    EXPECT_EQ(created.content_type, "application/sdp");
    EXPECT_EQ(created.body, "v=0\r\n");
    EXPECT_EQ(header(created, "Location"), session);
    EXPECT_EQ(header(created, "ETag"), "\"uFrag+/1\"");
    EXPECT_EQ(header(created, "Accept-Patch"), "application/trickle-ice-sdpfrag");
    EXPECT_EQ(header(created, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(created, "Access-Control-Expose-Headers"), "Location, Link, ETag, Accept-Patch");
    EXPECT_EQ(header(created, "Link"), "");
  }
}

TEST_F(WhipRouterTest, TheAnswerNamesTheIceServersThatAreConfigured) {
  RouterConfig config;
  config.secret = kSecret;
  config.ice_servers.urls = {"stun:stun.example.net", "turn:turn.example.net?transport=udp"};
  config.ice_servers.username = "user";
  config.ice_servers.credential = "myPassword";
  router_.emplace(std::move(config), rng_);
  const HttpReply created =
      router_->on_reply(kNow, Pending::kWhip, {0, contract::ConnectDone{kConnId, "v=0\r\n", "camera", "tag"}});
  std::vector<std::string> links;
  for (const auto& [name, value] : created.headers) {
    if (name == "Link") links.push_back(value);
  }
  EXPECT_EQ(links,
            (std::vector<std::string>{R"(<stun:stun.example.net>; rel="ice-server")",
                                      R"(<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; )"
                                      R"(credential="myPassword"; credential-type="password")"}));
}

TEST_F(WhipRouterTest, WithoutAFittingTokenItIs401) {
  token::Claims expired = claims_of(token::Protocol::kWhip);
  expired.expires_at = kNow.wall;
  token::Claims nowhere = claims_of(token::Protocol::kWhip);
  nowhere.room.reset();
  token::Claims nobody = claims_of(token::Protocol::kWhip);
  nobody.peer.reset();
  token::Claims endless = claims_of(token::Protocol::kWhip);
  endless.peer = std::string(300, 'x');
  const std::string foreign = "Bearer " + token::issue(claims_of(token::Protocol::kWhip), "another secret");
  for (const std::string& authorization :
       {std::string(), std::string("Bearer"), std::string("Bearer x"), "Basic " + bearer(expired).substr(7), foreign,
        bearer(expired), bearer(nowhere), bearer(nobody), bearer(endless), bearer(claims_of(token::Protocol::kWhep)),
        bearer(claims_of(token::Protocol::kWebrtc))}) {
    const HttpReply refused =
        reply(ask("POST", "/whip/endpoint", {{"authorization", authorization}, {"content-type", "application/sdp"}}));
    EXPECT_EQ(problem(refused, 401), "INVALID_TOKEN") << authorization;
    EXPECT_TRUE(header(refused, "WWW-Authenticate").starts_with("Bearer"));
    EXPECT_EQ(refused.body.find(kSecret), std::string::npos);
  }
  EXPECT_EQ(problem(reply(post("/whep/endpoint", claims_of(token::Protocol::kWhip))), 401), "INVALID_TOKEN");
}

TEST_F(WhipRouterTest, ATokenWithoutTheRightIs403) {
  token::Claims mute = claims_of(token::Protocol::kWhip);
  mute.publish = false;
  EXPECT_EQ(problem(reply(post("/whip/endpoint", mute)), 403), "FORBIDDEN");
  token::Claims blind = claims_of(token::Protocol::kWhep);
  blind.subscribe = false;
  EXPECT_EQ(problem(reply(post("/whep/endpoint", blind)), 403), "FORBIDDEN");
}

TEST_F(WhipRouterTest, AnotherTypeOfBodyIs415AndTellsWhichWouldDo) {
  const std::string authorization = bearer(claims_of(token::Protocol::kWhip));
  for (const char* type : {"", "application/json", "application/sdpx", "text/plain; x=application/sdp"}) {
    const HttpReply refused =
        reply(ask("POST", "/whip/endpoint", {{"authorization", authorization}, {"content-type", type}}));
    EXPECT_EQ(problem(refused, 415), "UNSUPPORTED_MEDIA_TYPE") << type;
    EXPECT_EQ(header(refused, "Accept-Post"), "application/sdp");
    const HttpReply patched = reply(ask("PATCH", kWhipSession, {{"if-match", "*"}, {"content-type", type}}));
    EXPECT_EQ(problem(patched, 415), "UNSUPPORTED_MEDIA_TYPE") << type;
    EXPECT_EQ(header(patched, "Accept-Patch"), "application/trickle-ice-sdpfrag");
  }
  for (const char* type : {"application/sdp", "Application/SDP", "application/sdp; charset=utf-8"}) {
    EXPECT_TRUE(std::holds_alternative<PostToWorker>(
        ask("POST", "/whip/endpoint", {{"authorization", authorization}, {"content-type", type}})));
  }
}

TEST_F(WhipRouterTest, AClientThatAcceptsNoSdpIs406) {
  const std::string authorization = bearer(claims_of(token::Protocol::kWhip));
  const auto with_accept = [&](const char* accept) {
    return ask("POST", "/whip/endpoint",
               {{"authorization", authorization}, {"content-type", "application/sdp"}, {"accept", accept}});
  };
  for (const char* accept : {"text/html", "application/json, text/*", "application/sdp;q=0, */*"}) {
    EXPECT_EQ(problem(reply(with_accept(accept)), 406), "NOT_ACCEPTABLE") << accept;
  }
  for (const char* accept : {"", "*/*", "text/html, application/*;q=0.1", "application/sdp"}) {
    EXPECT_TRUE(std::holds_alternative<PostToWorker>(with_accept(accept))) << accept;
  }
}

TEST_F(WhipRouterTest, PatchNeedsIfMatch) {
  const contract::HttpHeaders type = {{"content-type", "application/trickle-ice-sdpfrag"}};
  EXPECT_EQ(problem(reply(ask("PATCH", kWhipSession, type)), 428), "PRECONDITION_REQUIRED");
  EXPECT_EQ(problem(reply(patch(kWhipSession, "unquoted")), 400), "INVALID_REQUEST");
  EXPECT_EQ(problem(reply(patch(kWhipSession, "\"a\",")), 400), "INVALID_REQUEST");

  const auto outcome = patch(kWhepSession, "\"one\", W/\"weak\" ,\"two\"", "a=ice-ufrag:abcd");
  ASSERT_TRUE(std::holds_alternative<PostToWorker>(outcome));
  EXPECT_EQ(std::get<PostToWorker>(outcome).worker, 1u);
  const auto& command = std::get<contract::PatchIce>(std::get<PostToWorker>(outcome).command.body);
  EXPECT_EQ(command.conn_id, kConnId);
  EXPECT_EQ(command.protocol, contract::Protocol::kWhep);
  EXPECT_EQ(command.fragment, "a=ice-ufrag:abcd");
  EXPECT_FALSE(command.matches_any);
  EXPECT_EQ(command.tags, (std::vector<std::string>{"one", "two"}));
  const auto any = patch(kWhipSession, " * ");
  EXPECT_TRUE(std::get<contract::PatchIce>(std::get<PostToWorker>(any).command.body).matches_any);
}

TEST_F(WhipRouterTest, PatchIsAnsweredWithNothingOrANewIceSession) {
  const HttpReply trickled = router_->on_reply(kNow, Pending::kPatchIce, {0, contract::Done{}});
  EXPECT_EQ(trickled.status, 204u);
  EXPECT_EQ(trickled.body, "");
  EXPECT_EQ(header(trickled, "ETag"), "");  // RFC 9725 4.3.2
  const HttpReply restarted =
      router_->on_reply(kNow, Pending::kPatchIce, {0, contract::IceRestarted{"a=ice-lite\r\n", "abcd"}});
  EXPECT_EQ(restarted.status, 200u);
  EXPECT_EQ(restarted.content_type, "application/trickle-ice-sdpfrag");
  EXPECT_EQ(restarted.body, "a=ice-lite\r\n");
  EXPECT_EQ(header(restarted, "ETag"), "\"abcd\"");
}

TEST_F(WhipRouterTest, DeleteEndsAndGetFindsWhateverIfMatchSays) {
  const auto ended = ask("DELETE", kWhipSession, {{"if-match", "\"old\""}});
  ASSERT_TRUE(std::holds_alternative<PostToWorker>(ended));
  const auto& command = std::get<contract::Disconnect>(std::get<PostToWorker>(ended).command.body);
  EXPECT_EQ(command.conn_id, kConnId);
  EXPECT_EQ(command.protocol, contract::Protocol::kWhip);
  EXPECT_EQ(router_->on_reply(kNow, Pending::kEndSession, {0, contract::Done{}}).status, 200u);

  const auto found = ask("GET", kWhepSession);
  ASSERT_TRUE(std::holds_alternative<PostToWorker>(found));
  EXPECT_EQ(std::get<contract::FindSession>(std::get<PostToWorker>(found).command.body).protocol,
            contract::Protocol::kWhep);
  EXPECT_EQ(router_->on_reply(kNow, Pending::kFindSession, {0, contract::Done{}}).status, 204u);
}

TEST_F(WhipRouterTest, WhatIsNotThereIs404) {
  for (const std::string path :
       {"/whip/conn/x", "/whip/conn/9-2a-00112233445566778899aabbccddeeff", "/whep/conn/%zz"}) {
    for (const char* method : {"GET", "DELETE", "PATCH"}) {
      EXPECT_EQ(problem(reply(ask(method, path)), 404), "CONN_NOT_FOUND") << method << path;
    }
  }
  EXPECT_EQ(reply(ask("GET", "/whip/nothing")).status, 404u);
  EXPECT_EQ(reply(ask("GET", "/whip/conn/")).status, 404u);
}

TEST_F(WhipRouterTest, OtherMethodsAre405) {
  for (const char* endpoint : kEndpoints) {
    for (const char* method : {"PUT", "PATCH", "DELETE"}) {
      const HttpReply refused = reply(ask(method, endpoint));
      EXPECT_EQ(problem(refused, 405), "METHOD_NOT_ALLOWED");
      EXPECT_EQ(header(refused, "Allow"), "GET, HEAD, POST, OPTIONS");
    }
  }
  const HttpReply refused = reply(ask("POST", kWhipSession));
  EXPECT_EQ(problem(refused, 405), "METHOD_NOT_ALLOWED");
  EXPECT_EQ(header(refused, "Allow"), "GET, HEAD, PATCH, DELETE, OPTIONS");
}

TEST_F(WhipRouterTest, PagesMayCallAndReadTheHeaders) {
  for (const std::string& path : {std::string(kEndpoints[0]), std::string(kEndpoints[1]), kWhipSession, kWhepSession}) {
    const HttpReply preflight = reply(ask("OPTIONS", path));
    EXPECT_EQ(preflight.status, 204u);
    EXPECT_NE(header(preflight, "Access-Control-Allow-Methods").find("PATCH"), std::string::npos);
    for (const char* name : {"authorization", "content-type", "if-match"}) {
      EXPECT_NE(header(preflight, "Access-Control-Allow-Headers").find(name), std::string::npos) << name;
    }
    EXPECT_EQ(header(preflight, "Access-Control-Expose-Headers"), "Location, Link, ETag, Accept-Patch");
  }
  EXPECT_EQ(header(reply(ask("OPTIONS", kEndpoints[0])), "Accept-Post"), "application/sdp");
  EXPECT_EQ(header(reply(ask("OPTIONS", kWhipSession)), "Accept-Patch"), "application/trickle-ice-sdpfrag");
}

TEST_F(WhipRouterTest, AnEndpointShowsWhatItIs) {
  for (const char* endpoint : kEndpoints) {
    for (const char* method : {"GET", "HEAD"}) {
      const HttpReply seen = reply(ask(method, endpoint));
      EXPECT_EQ(seen.status, 200u);
      EXPECT_EQ(seen.content_type, "application/sdp");
      EXPECT_EQ(seen.body, "");
    }
  }
}

TEST_F(WhipRouterTest, WhatAWorkerRefusesHasItsStatus) {
  const auto status = [&](ErrorCode code, unsigned expected) {
    EXPECT_EQ(problem(router_->on_reply(kNow, Pending::kWhip, {0, Error{code, "why"}}), expected), to_text(code));
    EXPECT_EQ(problem(router_->refuse(Pending::kPatchIce, code, ""), expected), to_text(code));
  };
  status(ErrorCode::kInvalidSdp, 400);
  status(ErrorCode::kConnNotFound, 404);
  status(ErrorCode::kNotAcceptable, 406);
  status(ErrorCode::kConflict, 409);
  status(ErrorCode::kDuplicatePeer, 409);
  status(ErrorCode::kPreconditionFailed, 412);
  status(ErrorCode::kUnsupportedSdp, 422);
  status(ErrorCode::kTooMany, 503);
  status(ErrorCode::kBusy, 503);
  status(ErrorCode::kShuttingDown, 503);
  status(ErrorCode::kServerError, 500);
  EXPECT_EQ(header(router_->refuse(Pending::kWhep, ErrorCode::kBusy, ""), "Retry-After"), "1");
  const json body = json::parse(router_->refuse(Pending::kWhep, ErrorCode::kConflict, "because").body);
  EXPECT_EQ(body["title"], "Conflict");
  EXPECT_EQ(body["detail"], "because");
  // A worker cannot answer a call with another's reply.
  EXPECT_EQ(problem(router_->on_reply(kNow, Pending::kWhip, {0, contract::Stats{}}), 500), "SERVER_ERROR");
}

TEST(IceLink, IsWhatRfc9725Says) {
  EXPECT_EQ(ice_server_link("stun:stun.example.net", "", ""), R"(<stun:stun.example.net>; rel="ice-server")");
  EXPECT_EQ(ice_server_link("turn:turn.example.net?transport=udp", "1800000000:ann", R"(a"b\)"),
            R"(<turn:turn.example.net?transport=udp>; rel="ice-server"; username="1800000000:ann"; )"
            R"(credential="a\"b\\"; credential-type="password")");
  EXPECT_EQ(ice_server_link("stun:x>\r\ny", "a\r\nb", "c"),
            R"(<stun:xy>; rel="ice-server"; username="ab"; credential="c"; credential-type="password")");
}

TEST_F(WhipRouterTest, WhoCallsTooOftenHasToWait) {
  HttpReply last;
  for (int i = 0; i < 2'000 && last.status != 429; ++i) {
    const auto outcome = post("/whip/endpoint", claims_of(token::Protocol::kWhip));
    if (const auto* answer = std::get_if<HttpReply>(&outcome)) last = *answer;
  }
  EXPECT_EQ(problem(last, 429), "RATE_LIMITED");
  EXPECT_EQ(header(last, "Retry-After"), "1");
  EXPECT_EQ(problem(reply(patch(kWhipSession, "*")), 429), "RATE_LIMITED");
}

}  // namespace
}  // namespace atm::control
