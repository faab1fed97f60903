#include "control/token/claims.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <nlohmann/json.hpp>

#include "control/token/base64url.h"
#include "control/token/jws.h"

namespace atm::token {
namespace {

using nlohmann::json;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr WallTime kStart{1'800'000'000s};

Now at(Duration after = 0s) {
  return {Instant{}, kStart + after};
}

Claims claims(std::optional<std::string> room = "room", std::optional<std::string> peer = "peer") {
  Claims out;
  out.room = std::move(room);
  out.peer = std::move(peer);
  out.issued_at = kStart;
  out.expires_at = kStart + 1h;
  out.id = "id-1";
  return out;
}

bool accepted(std::string_view jwt) {
  return verify(jwt, kSecret, at(), Protocol::kWebrtc).has_value();
}

// A token of our secret with any claims.
std::string signed_json(const json& payload) {
  return write_jws(payload.dump(), kSecret);
}

// `input` with the signature that HS256 gives it, whatever its header says.
std::string sign(const std::string& input) {
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac, &size);
  return input + "." + write_base64url({reinterpret_cast<const char*>(mac), size});
}

json good_payload() {
  return {{"room", "room"},    {"peer", "peer"}, {"protocol", "Webrtc"}, {"publish", true},
          {"subscribe", true}, {"ts", 1},        {"exp", 1'800'003'600}, {"nbf", 1'700'000'000},
          {"jti", "i"},        {"app", "a"},     {"max_bitrate", 1000},  {"metadata", "m"}};
}

TEST(Base64Url, FollowsRfc4648) {
  // RFC 4648 10 without padding, and RFC 7515 C.
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\x03\xec\xff\xe0\xc1", "A-z_4ME"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(write_base64url(bytes), text);
    EXPECT_EQ(parse_base64url(text), bytes);
  }
}

TEST(Base64Url, HasOneSpellingOnly) {
  for (const char* text : {"Zg==", "Zg=", "Z", "Zh", "Zm9", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm9vY", "\xc3\xa9"}) {
    EXPECT_FALSE(parse_base64url(text)) << text;
  }
}

// RFC 7515 A.1: the example of HS256.
TEST(Jws, OpensTheExampleOfRfc7515) {
  const std::string key =
      *parse_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const std::string jws =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
      ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  EXPECT_EQ(open_jws(jws, key), "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
  EXPECT_FALSE(open_jws(jws, key + "x"));
}

TEST(Token, SurvivesARoundTrip) {
  Claims in = claims("phòng / 1", std::nullopt);
  in.publish = false;
  in.app = "app";
  in.max_bitrate_bps = 1'500'000;
  in.metadata = "{}";
  in.not_before = kStart - 1s;
  const auto out = verify(issue(in, kSecret), kSecret, at(), Protocol::kWebrtc);
  ASSERT_TRUE(out) << out.error().why;
  EXPECT_EQ(out->room, in.room);
  EXPECT_EQ(out->peer, std::nullopt);
  EXPECT_FALSE(out->publish);
  EXPECT_TRUE(out->subscribe);
  EXPECT_EQ(out->issued_at, in.issued_at);
  EXPECT_EQ(out->expires_at, in.expires_at);
  EXPECT_EQ(out->not_before, in.not_before);
  EXPECT_EQ(out->id, "id-1");
  EXPECT_EQ(out->app, "app");
  EXPECT_EQ(out->max_bitrate_bps, 1'500'000u);
  EXPECT_EQ(out->metadata, "{}");
}

TEST(Token, ExpiresOnTheSecond) {
  const std::string jwt = issue(claims(), kSecret);
  EXPECT_TRUE(verify(jwt, kSecret, at(1h - 1us), Protocol::kWebrtc));
  EXPECT_FALSE(verify(jwt, kSecret, at(1h), Protocol::kWebrtc));
  EXPECT_FALSE(verify(jwt, kSecret, at(24h), Protocol::kWebrtc));
  Claims early = claims();
  early.not_before = kStart + 1s;
  EXPECT_FALSE(verify(issue(early, kSecret), kSecret, at(), Protocol::kWebrtc));
  EXPECT_TRUE(verify(issue(early, kSecret), kSecret, at(1s), Protocol::kWebrtc));
}

TEST(Token, OfTheFirstGenerationNeverExpires) {
  const std::string jwt = signed_json({{"room", "r"},
                                       {"peer", nullptr},
                                       {"protocol", "Webrtc"},
                                       {"publish", true},
                                       {"subscribe", true},
                                       {"ts", 1'700'000'000'000}});
  const auto out = verify(jwt, kSecret, at(87'600h), Protocol::kWebrtc);
  ASSERT_TRUE(out);
  EXPECT_FALSE(out->expires_at);
  EXPECT_FALSE(out->peer);
}

TEST(Token, OfAnotherAlgorithmIsRefusedEvenIfSigned) {
  const std::string good = issue(claims(), kSecret);
  const std::string payload = good.substr(good.find('.') + 1, good.rfind('.') - good.find('.') - 1);
  const auto with_header = [&](const std::string& header) { return write_base64url(header) + "." + payload; };
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"RS256"})", R"({"alg":"HS512"})", R"({"alg":"HS384"})",
        R"({"alg":"hs256"})", R"({"alg":["HS256"]})", R"({"typ":"JWT"})", R"({"alg":"HS256","typ":"JWE"})",
        R"({"alg":"HS256","crit":["exp"],"exp":1})", "[]", "null", "HS256", ""}) {
    EXPECT_FALSE(accepted(sign(with_header(header)))) << header;
    EXPECT_FALSE(accepted(with_header(header) + ".")) << header;
  }
  for (const char* header :
       {R"({"alg":"HS256"})", R"({"alg":"HS256","typ":"JWT"})", R"({ "kid":"1","alg":"HS256" })"}) {
    EXPECT_TRUE(accepted(sign(with_header(header)))) << header;
  }
}

TEST(Token, WithAnyLetterChangedIsRefused) {
  const std::string good = issue(claims(), kSecret);
  ASSERT_TRUE(accepted(good));
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'A', '.', '_', '\0'}) {
      std::string bad = good;
      if (bad[i] == c) continue;
      bad[i] = c;
      EXPECT_FALSE(accepted(bad)) << i;
    }
    EXPECT_FALSE(accepted(good.substr(0, i)));
  }
  EXPECT_FALSE(accepted(good + "A"));
  EXPECT_FALSE(accepted(good + "."));
  EXPECT_FALSE(accepted(good + ".A"));
  EXPECT_FALSE(accepted(" " + good));
  EXPECT_FALSE(accepted(""));
  EXPECT_FALSE(accepted(".."));
  EXPECT_FALSE(accepted(std::string(1 << 20, '.')));
  EXPECT_FALSE(accepted(good.substr(0, good.rfind('.') + 1)));  // unsigned
  EXPECT_FALSE(verify(good, "another secret of thirty-two byte", at(), Protocol::kWebrtc));
  EXPECT_FALSE(verify(good, "", at(), Protocol::kWebrtc));
}

TEST(Token, WithAClaimOfTheWrongTypeIsRefused) {
  ASSERT_TRUE(accepted(signed_json(good_payload())));
  const json good = good_payload();
  for (const auto& [name, unused] : good.items()) {
    for (const json& wrong : {json::array({1}), json::object(), json(-1)}) {
      json payload = good_payload();
      payload[name] = wrong;
      EXPECT_FALSE(accepted(signed_json(payload))) << payload;
    }
    json payload = good_payload();
    payload.erase(name);
    const bool needed = name == "protocol" || name == "publish" || name == "subscribe";
    EXPECT_EQ(accepted(signed_json(payload)), !needed) << name;
  }
  for (const char* text : {"", "[]", "null", "1", "{"}) EXPECT_FALSE(accepted(write_jws(text, kSecret))) << text;
  json far = good_payload();
  far["exp"] = 1e300;
  EXPECT_FALSE(accepted(signed_json(far)));
}

TEST(Token, FitsTheRoomsAndPeersOfItsScope) {
  for (const auto& room :
       {std::optional<std::string>(), std::optional<std::string>("room"), std::optional<std::string>("Room")}) {
    for (const auto& peer :
         {std::optional<std::string>(), std::optional<std::string>("peer"), std::optional<std::string>("peer2")}) {
      for (const Protocol protocol : {Protocol::kWebrtc, Protocol::kWhip, Protocol::kWhep}) {
        for (const bool publish : {false, true}) {
          for (const bool subscribe : {false, true}) {
            Claims in = claims(room, peer);
            in.protocol = protocol;
            in.publish = publish;
            in.subscribe = subscribe;
            in.max_bitrate_bps = 700'000;
            const std::string jwt = issue(in, kSecret);
            for (const Protocol expected : {Protocol::kWebrtc, Protocol::kWhip, Protocol::kWhep}) {
              const auto verified = verify(jwt, kSecret, at(), expected);
              ASSERT_EQ(verified.has_value(), protocol == expected);
              if (!verified) continue;
              const auto grant = authorize(*verified, "room", "peer");
              const bool fits = room.value_or("room") == "room" && peer.value_or("peer") == "peer";
              ASSERT_EQ(grant.has_value(), fits);
              if (!grant) {
                EXPECT_EQ(grant.error().code, ErrorCode::kInvalidToken);
                continue;
              }
              EXPECT_EQ(grant->publish, publish);
              EXPECT_EQ(grant->subscribe, subscribe);
              EXPECT_EQ(grant->expires_at, kStart + 1h);
              EXPECT_EQ(grant->max_bitrate_bps, 700'000u);
            }
          }
        }
      }
    }
  }
}

TEST(Token, ForAnIssueCallHasWhatWasAskedFor) {
  contract::TokenRequest request{contract::TokenKind::kWhip, "r", "p", true, false, 60s};
  const Claims out = claims_for(request, at(), "x");
  EXPECT_EQ(out.protocol, Protocol::kWhip);
  EXPECT_EQ(out.room, "r");
  EXPECT_EQ(out.peer, "p");
  EXPECT_FALSE(out.subscribe);
  EXPECT_EQ(out.issued_at, kStart);
  EXPECT_EQ(out.expires_at, kStart + 60s);
  EXPECT_EQ(out.id, "x");
  request.expires_in.reset();
  EXPECT_FALSE(claims_for(request, at(), "x").expires_at);
}

TEST(Secret, IsComparedWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_FALSE(same_secret("abc", "abcd"));
  EXPECT_FALSE(same_secret("abc", ""));
  EXPECT_FALSE(same_secret(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace atm::token
