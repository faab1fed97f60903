// What each kind of token, and the secret itself, opens at each endpoint: a matrix, so that a new endpoint or kind of
// token must say so here. And that nothing of them is ever logged.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "control/http/router.h"
#include "control/token/claims.h"

namespace atm::control {
namespace {

using nlohmann::json;

constexpr std::string_view kSecret = "6d0f3a9be1c2475897a4b8d3e6f10c25";
constexpr Now kNow{Instant{5s}, WallTime{1'800'000'000s}};

enum class Verdict : uint8_t {
  kOpen,       // goes to a worker, or is answered
  kToken,      // INVALID_TOKEN
  kForbidden,  // FORBIDDEN
};

// What a client may show for itself.
std::map<std::string, std::string> credentials() {
  const auto make = [](token::Protocol protocol, bool publish, bool subscribe, auto change) {
    token::Claims claims;
    claims.protocol = protocol;
    claims.room = "room";
    claims.publish = publish;
    claims.subscribe = subscribe;
    claims.expires_at = kNow.wall + 60s;
    change(claims);
    return token::issue(claims, kSecret);
  };
  const auto as_it_is = [](token::Claims&) {};
  using token::Protocol;
  return {
      {"webrtc", make(Protocol::kWebrtc, true, true, as_it_is)},
      {"webrtc, subscribe only", make(Protocol::kWebrtc, false, true, as_it_is)},
      {"webrtc, publish only", make(Protocol::kWebrtc, true, false, as_it_is)},
      {"webrtc, any room", make(Protocol::kWebrtc, true, true, [](token::Claims& c) { c.room.reset(); })},
      {"webrtc, other room", make(Protocol::kWebrtc, true, true, [](token::Claims& c) { c.room = "Room"; })},
      {"webrtc, other peer", make(Protocol::kWebrtc, true, true, [](token::Claims& c) { c.peer = "p2"; })},
      {"webrtc, expired", make(Protocol::kWebrtc, true, true, [](token::Claims& c) { c.expires_at = kNow.wall; })},
      {"webrtc, not yet", make(Protocol::kWebrtc, true, true, [](token::Claims& c) { c.not_before = kNow.wall + 1s; })},
      {"whip", make(Protocol::kWhip, true, false, as_it_is)},
      {"whep", make(Protocol::kWhep, false, true, as_it_is)},
      {"the secret", std::string(kSecret)},
      {"nothing", ""},
  };
}

// Each way in: what it needs to be let in is the credential alone.
struct Endpoint {
  std::string name;
  contract::HttpRequest (*request)(const std::string& credential);
  std::map<std::string, Verdict> opens;  // all others: INVALID_TOKEN
};

contract::HttpRequest connect(const std::string& credential, bool with_sender) {
  json body = {{"room", "room"}, {"peer", "p"}, {"token", credential}, {"sdp", "v=0"}};
  if (with_sender) body["senders"] = {{{"kind", "audio"}, {"name", "a"}, {"uuid", "u"}}};
  return {"POST", "/webrtc/connect", "", {}, body.dump(), {}};
}

const std::vector<Endpoint>& endpoints() {
  constexpr Verdict kOpen = Verdict::kOpen;
  static const auto& all = *new std::vector<Endpoint>{
      {"connect, publishing",
       [](const std::string& credential) { return connect(credential, true); },
       {{"webrtc", kOpen},
        {"webrtc, any room", kOpen},
        {"webrtc, publish only", kOpen},
        {"webrtc, subscribe only", Verdict::kForbidden}}},
      {"connect, viewing",
       [](const std::string& credential) { return connect(credential, false); },
       {{"webrtc", kOpen},
        {"webrtc, any room", kOpen},
        {"webrtc, publish only", kOpen},
        {"webrtc, subscribe only", kOpen}}},
      {"webrtc_session by query",
       [](const std::string& credential) {
         return contract::HttpRequest{"POST", "/app/webrtc_session", "app_secret=" + credential,
                                      {},     R"({"room":"r"})",     {}};
       },
       {{"the secret", kOpen}}},
      {"webrtc_session by header",
       [](const std::string& credential) {
         return contract::HttpRequest{
             "POST", "/app/webrtc_session", "", {{"Authorization", "Bearer " + credential}}, R"({"room":"r"})", {}};
       },
       {{"the secret", kOpen}}},
      {"whip_session by header",
       [](const std::string& credential) {
         return contract::HttpRequest{
             "POST", "/app/whip_session", "", {{"Authorization", "bearer " + credential}}, R"({"room":"r","peer":"p"})",
             {}};
       },
       {{"the secret", kOpen}}},
      {"whep_session by query",
       [](const std::string& credential) {
         return contract::HttpRequest{"POST", "/app/whep_session", "app_secret=" + credential,
                                      {},     R"({"room":"r"})",   {}};
       },
       {{"the secret", kOpen}}},
      {"admin, reading",
       [](const std::string& credential) {
         return contract::HttpRequest{"GET", "/admin/rooms", "", {{"Authorization", "Bearer " + credential}}, "", {}};
       },
       {{"the secret", kOpen}}},
      {"admin, draining",
       [](const std::string& credential) {
         return contract::HttpRequest{"POST", "/admin/drain", "", {{"Authorization", "Bearer " + credential}}, "", {}};
       },
       {{"the secret", kOpen}}},
      {"admin, by query",
       [](const std::string& credential) {
         return contract::HttpRequest{"GET", "/admin/rooms", "app_secret=" + credential, {}, "", {}};
       },
       {}},
  };
  return all;
}

// Lines that were logged, of every level.
std::vector<std::string>& logged() {
  static std::vector<std::string> lines;
  return lines;
}

class ScopeTest : public ::testing::Test {
 protected:
  ScopeTest() {
    logged().clear();
    set_log_sink([](LogLevel, std::string_view, std::string_view line) { logged().emplace_back(line); },
                 LogLevel::kDebug);
  }
  ~ScopeTest() override {
    set_log_sink([](LogLevel, std::string_view, std::string_view) {}, LogLevel::kError);
  }
  static RouterConfig config(bool is_dev) {
    RouterConfig out;
    out.secret = kSecret;
    out.dev = is_dev;
    out.worker_count = 2;
    return out;
  }
  static Verdict verdict_of(const Router::Outcome& outcome) {
    const auto* reply = std::get_if<contract::HttpReply>(&outcome);
    if (reply == nullptr) return Verdict::kOpen;
    const std::string error = json::parse(reply->body).value("error", "");
    if (error == "INVALID_TOKEN") return Verdict::kToken;
    if (error == "FORBIDDEN") return Verdict::kForbidden;
    EXPECT_EQ(error, "");
    return Verdict::kOpen;
  }
  SeededRng rng{1};
};

TEST_F(ScopeTest, EachTokenOpensWhatItIsForAndNothingElse) {
  size_t cells = 0;
  for (const bool is_dev : {false, true}) {
    Router router(config(is_dev), rng);
    for (const Endpoint& endpoint : endpoints()) {
      for (const auto& [name, credential] : credentials()) {
        const auto expected = endpoint.opens.find(name);
        const auto outcome = router.on_request(kNow, endpoint.request(credential));
        EXPECT_EQ(verdict_of(outcome), expected == endpoint.opens.end() ? Verdict::kToken : expected->second)
            << endpoint.name << ": " << name;
        ++cells;
      }
    }
  }
  EXPECT_EQ(cells, 2 * 9 * 12u);
}

// The rights in the command are the token's, whatever the body says of itself.
TEST_F(ScopeTest, RightsComeFromTheTokenAlone) {
  Router router(config(false), rng);
  json body = {{"room", "room"},  {"peer", "p"},       {"sdp", "v=0"},
               {"publish", true}, {"subscribe", true}, {"grant", {{"publish", true}}}};
  for (const auto& [name, publish, subscribe] : {std::tuple{"webrtc", true, true},
                                                 {"webrtc, publish only", true, false},
                                                 {"webrtc, subscribe only", false, true}}) {
    body["token"] = credentials()[name];
    const auto outcome = router.on_request(kNow, {"POST", "/webrtc/connect", "", {}, body.dump(), {}});
    const auto* posted = std::get_if<PostToWorker>(&outcome);
    ASSERT_TRUE(posted) << name;
    const auto& grant = std::get<contract::Connect>(posted->command.body).request.grant;
    EXPECT_EQ(grant.publish, publish);
    EXPECT_EQ(grant.subscribe, subscribe);
  }
}

TEST_F(ScopeTest, NoTokenAndNoSecretIsLoggedOrRepeated) {
  Router router(config(true), rng);
  LOG_INFO("test", "the sink hears");
  ASSERT_EQ(logged().size(), 1u);
  std::string said;
  for (const Endpoint& endpoint : endpoints()) {
    for (const auto& [name, credential] : credentials()) {
      for (const char* tail : {"", "x"}) {
        const auto outcome = router.on_request(kNow, endpoint.request(credential + tail));
        if (const auto* reply = std::get_if<contract::HttpReply>(&outcome)) said += reply->body;
      }
    }
  }
  for (const std::string& line : logged()) said += line;
  EXPECT_EQ(said.find(kSecret), std::string::npos);
  for (const auto& [name, credential] : credentials()) {
    // Of a token the signature is what is secret; without it nobody is let in.
    const std::string signature = credential.substr(credential.rfind('.') + 1);
    EXPECT_TRUE(signature.empty() || said.find(signature) == std::string::npos) << name;
  }
}

}  // namespace
}  // namespace atm::control
