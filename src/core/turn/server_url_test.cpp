#include "core/turn/server_url.h"

#include <gtest/gtest.h>

namespace atm::turn {
namespace {

ServerUrl read(std::string_view text) {
  const auto url = parse_server_url(text);
  EXPECT_TRUE(url.has_value()) << text;
  return url.value_or(ServerUrl{});
}
std::string why(std::string_view text) {
  const auto url = parse_server_url(text);
  EXPECT_FALSE(url.has_value()) << text;
  return url ? "" : url.error().why;
}

TEST(ServerUrl, HasItsDefaults) {
  EXPECT_EQ(read("stun:example.org"), (ServerUrl{ServerKind::kStun, Protocol::kUdp, "example.org", 3478}));
  EXPECT_EQ(read("turn:example.org"), (ServerUrl{ServerKind::kTurn, Protocol::kUdp, "example.org", 3478}));
  EXPECT_EQ(read("turns:example.org"), (ServerUrl{ServerKind::kTurn, Protocol::kTls, "example.org", 5349}));
}

TEST(ServerUrl, SaysPortAndTransport) {
  EXPECT_EQ(read("turn:1.2.3.4:80?transport=tcp"), (ServerUrl{ServerKind::kTurn, Protocol::kTcp, "1.2.3.4", 80}));
  EXPECT_EQ(read("TURN:a-b.example:80?transport=UDP"),
            (ServerUrl{ServerKind::kTurn, Protocol::kUdp, "a-b.example", 80}));
  EXPECT_EQ(read("turns:h:443?transport=tcp"), (ServerUrl{ServerKind::kTurn, Protocol::kTls, "h", 443}));
  EXPECT_EQ(read("stun:[2001:db8::1]:19302"), (ServerUrl{ServerKind::kStun, Protocol::kUdp, "2001:db8::1", 19302}));
  EXPECT_EQ(read("turn:[::1]"), (ServerUrl{ServerKind::kTurn, Protocol::kUdp, "::1", 3478}));
}

TEST(ServerUrl, SaysWhatIsWrongWithAnother) {
  EXPECT_EQ(why("example.org"), "ICE server URL \"example.org\" has no scheme: stun:, turn: or turns:");
  EXPECT_EQ(why("http://a"), "ICE server URL \"http://a\" has another scheme than stun:, turn: or turns:");
  EXPECT_NE(why("stuns:a").find("use stun:"), std::string::npos);
  EXPECT_NE(why("turn://a").find("//"), std::string::npos);
  EXPECT_NE(why("stun:a?transport=udp").find("no query"), std::string::npos);
  EXPECT_NE(why("turn:a?transport=sctp").find("transport"), std::string::npos);
  EXPECT_NE(why("turns:a?transport=udp").find("DTLS"), std::string::npos);
  for (const char* text :
       {"turn:", "turn::3478", "turn:a b", "turn:[1.2.3.4]", "turn:[::1", "turn:[::1]x", "turn:a:", "turn:user@host"}) {
    EXPECT_NE(why(text).find("host"), std::string::npos) << text;
  }
  for (const char* text : {"turn:a:0", "turn:a:65536", "turn:a:1x", "turn:a:-1"}) {
    EXPECT_NE(why(text).find("port"), std::string::npos) << text;
  }
  EXPECT_LT(why("turn:" + std::string(10'000, 'a')).size(), 700u);
}

TEST(ServerUrl, IsNamedForPeople) {
  EXPECT_EQ(to_text(read("turns:turn.example.org:443")), "TURN server turn.example.org:443 over TLS");
  EXPECT_EQ(to_text(read("turn:[::1]?transport=tcp")), "TURN server [::1]:3478 over TCP");
  EXPECT_EQ(to_text(read("stun:1.2.3.4")), "STUN server 1.2.3.4:3478");
}

}  // namespace
}  // namespace atm::turn
