#include "control/token/ice_servers.h"

#include <gtest/gtest.h>

namespace atm::token {
namespace {

constexpr Now kNow{Instant{}, WallTime{1'800'000'000s}};

TEST(IceServers, WithoutAnyNothingIsTold) {
  EXPECT_TRUE(ice_servers_for({}, kNow, "ann").empty());
}

TEST(IceServers, CredentialsOfASharedSecretEndAndAreForOnePeer) {
  IceServerSettings settings;
  settings.urls = {"stun:stun.example:3478", "turn:turn.example?transport=udp", "turns:turn.example:443"};
  settings.turn_secret = "north";
  const auto servers = ice_servers_for(settings, kNow, "ann");
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0].urls, std::vector<std::string>{"stun:stun.example:3478"});
  EXPECT_EQ(servers[0].username + servers[0].credential, "");
  EXPECT_EQ(servers[1].urls.size(), 2u);
  EXPECT_EQ(servers[1].username, "1800003600:ann");
  // printf '1800003600:ann' | openssl dgst -sha1 -hmac north -binary | base64
  EXPECT_EQ(servers[1].credential, "Cr6BV9Y6S/ZFXiZ47vdlFLWYOog=");
  const auto other = ice_servers_for(settings, kNow, "bob");
  EXPECT_NE(other[1].credential, servers[1].credential);
  settings.lifetime = std::chrono::seconds(60);
  EXPECT_EQ(ice_servers_for(settings, kNow, "ann")[1].username, "1800000060:ann");
}

TEST(IceServers, FixedCredentialsAreThoseOfTurnServersAlone) {
  IceServerSettings settings;
  settings.urls = {"turn:turn.example", "stun:stun.example"};
  settings.username = "user";
  settings.credential = "password";
  const auto servers = ice_servers_for(settings, kNow, "ann");
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0].username, "");
  EXPECT_EQ(servers[1].username, "user");
  EXPECT_EQ(servers[1].credential, "password");
}

TEST(IceServers, AUrlIsOneOfTheFourSchemesWithAHost) {
  for (const char* good :
       {"stun:a", "stuns:a.example:5349", "turn:192.0.2.1:3478?transport=tcp", "turns:[2001:db8::1]"}) {
    EXPECT_TRUE(is_ice_url(good)) << good;
  }
  for (const char* bad : {"", "stun", "stun:", "turn::3478", "turn:?transport=udp", "http://a", "turn://a", "turn:a b",
                          "turn:user@a", "TURN:a", "turn:a\"b"}) {
    EXPECT_FALSE(is_ice_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace atm::token
