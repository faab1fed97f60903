#include "io/http/url.h"

#include <gtest/gtest.h>

namespace atm::io {
namespace {

std::string shown(std::string_view text) {
  const auto url = parse_url(text);
  if (!url) return url.error().why;
  return (url->is_https ? "https " : "http ") + url->host + " " + std::to_string(url->port) + " " + url->target;
}

TEST(Url, IsTakenApart) {
  EXPECT_EQ(shown("http://example.org"), "http example.org 80 /");
  EXPECT_EQ(shown("HTTPS://Example.ORG/A/b?C=d"), "https example.org 443 /A/b?C=d");
  EXPECT_EQ(shown("http://h:8080/x#part"), "http h 8080 /x");
  EXPECT_EQ(shown("http://h?x=1"), "http h 80 /?x=1");
  EXPECT_EQ(shown("http://h#x"), "http h 80 /");
  EXPECT_EQ(shown("http://h:/"), "http h 80 /");
  EXPECT_EQ(shown("http://h/a?b://c@d:e"), "http h 80 /a?b://c@d:e");
  EXPECT_EQ(shown("https://10.0.0.1:65535/"), "https 10.0.0.1 65535 /");
  EXPECT_EQ(shown("https://[2001:DB8::1]:1/"), "https 2001:db8::1 1 /");
  EXPECT_EQ(shown("http://[::1]"), "http ::1 80 /");
  EXPECT_EQ(shown("http://a_b.xn--bcher-kva.example./"), "http a_b.xn--bcher-kva.example. 80 /");
}

TEST(Url, IsWrittenAsHostAndAsAWhole) {
  EXPECT_EQ(parse_url("https://H:443/x")->host_header(), "h");
  EXPECT_EQ(parse_url("http://h:443/x")->host_header(), "h:443");
  EXPECT_EQ(parse_url("http://[::1]:80/x")->host_header(), "[::1]");
  EXPECT_EQ(parse_url("http://[::1]:81?x#y")->to_string(), "http://[::1]:81/?x");
}

TEST(Url, ThatIsNoneIsRefusedWithAReason) {
  EXPECT_EQ(shown("example.org"), "URL: it has to begin with http:// or https://");
  EXPECT_EQ(shown(""), "URL: it has to begin with http:// or https://");
  EXPECT_EQ(shown("ws://h"), "URL: the scheme has to be http or https");
  EXPECT_EQ(shown("http://"), "URL: it has no host");
  EXPECT_EQ(shown("http:///x"), "URL: it has no host");
  EXPECT_EQ(shown("http://:80/"), "URL: it has no host");
  EXPECT_EQ(shown("http://user@h/"), "URL: user info (user@host) is not supported");
  EXPECT_EQ(shown("http://user:secret@h/"), "URL: user info (user@host) is not supported");
  for (const char* port : {"0", "65536", "x", "-1", "+1", "8 0", "80:80"}) {
    EXPECT_EQ(shown("http://h:" + std::string(port) + "/"), "URL: the port is not a number from 1 to 65535") << port;
  }
  EXPECT_EQ(shown("http://a..b/"), "URL: the host name \"a..b\" has an empty part");
  EXPECT_EQ(shown("http://./"), "URL: the host name \".\" has an empty part");
  EXPECT_EQ(shown("http://a b/"), "URL: the host name has a character that no host name has");
  EXPECT_EQ(shown("http://a%20b/"), "URL: the host name has a character that no host name has");
  EXPECT_EQ(shown("http://b\xc3\xbc"
                  "cher.example/"),
            "URL: the host name is not ASCII; write its xn-- form");
  EXPECT_EQ(shown("http://127.1/"), "URL: \"127.1\" is no IPv4 address");
  EXPECT_EQ(shown("http://256.0.0.1/"), "URL: \"256.0.0.1\" is no IPv4 address");
  for (const char* host : {"[]", "[::1", "[1.2.3.4]", "[::g]", "[fe80::1%eth0]", "["}) {
    EXPECT_EQ(shown("http://" + std::string(host)), "URL: what is in [ ] is no IPv6 address") << host;
  }
  EXPECT_EQ(shown("http://[::1]x"), "URL: after [ ] only a port may come");
  for (const char* path : {"/a b", "/a\r\nX: y", "/\x7f", "/\xc3\xbc", "/a\\b", "?a\"b"}) {
    EXPECT_EQ(shown("http://h" + std::string(path)), "URL: the path has a character that must be percent-encoded");
  }
}

TEST(Url, IsBounded) {
  const std::string label(63, 'a');
  const std::string host = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_EQ(shown("http://" + host), "http " + host + " 80 /");
  EXPECT_EQ(shown("http://" + host + "a"), "URL: the host name is too long");
  EXPECT_EQ(shown("http://a" + label), "URL: a part of the host name is longer than 63 characters");
  EXPECT_EQ(shown("http://h/" + std::string(8'183, 'a')).size(), 11u + 8'183);
  EXPECT_EQ(shown("http://h/" + std::string(8'184, 'a')), "URL: longer than 8192 bytes");
}

}  // namespace
}  // namespace atm::io
