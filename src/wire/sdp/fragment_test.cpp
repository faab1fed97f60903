#include "wire/sdp/fragment.h"

#include <gtest/gtest.h>

#include "wire/sdp/sdp.h"

namespace atm::sdp {
namespace {

constexpr std::string_view kPwd = "P2uYro0UCOQ4zxjKXaWCBui1";

std::string error_of(std::string_view text) {
  const auto parsed = parse_fragment(text);
  if (parsed) return "";
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidSdp);
  return parsed.error().why;
}

TEST(SdpFragment, ReadsWhatAClientTrickles) {
  const auto fragment = parse_fragment(
      "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
      "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n"
      "a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n"
      "a=end-of-candidates\r\n");
  ASSERT_TRUE(fragment) << fragment.error().why;
  EXPECT_EQ(fragment->ufrag, "EsAw");
  EXPECT_EQ(fragment->pwd, kPwd);
  ASSERT_EQ(fragment->media.size(), 1u);
  EXPECT_EQ(fragment->media[0].kind, "audio");
  EXPECT_EQ(fragment->media[0].mid, "0");
  ASSERT_EQ(fragment->media[0].candidates.size(), 2u);
  EXPECT_EQ(fragment->media[0].candidates[1],
            "candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active");
  EXPECT_TRUE(fragment->media[0].is_end_of_candidates);
  EXPECT_FALSE(fragment->is_end_of_candidates);
}

TEST(SdpFragment, TakesCredentialsOfTheWholeOrOfAnMLine) {
  const auto whole = parse_fragment("a=ice-lite\na=ice-ufrag:abcd\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1");
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->is_ice_lite);
  ASSERT_TRUE(whole->credentials());
  EXPECT_EQ(whole->credentials()->ufrag, "abcd");

  // As some clients write it: a group and the lines of a whole description, with the credentials in the m-line.
  const auto of_line = parse_fragment(
      "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na=group:BUNDLE 0 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
      "a=mid:1\r\na=ice-ufrag:wxyz\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n");
  ASSERT_TRUE(of_line) << of_line.error().why;
  ASSERT_TRUE(of_line->credentials());
  EXPECT_EQ(of_line->credentials()->ufrag, "wxyz");

  const auto none = parse_fragment("m=audio 9 RTP/AVP 0\r\na=mid:0\r\n");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->credentials());
}

TEST(SdpFragment, NamesTheLineThatIsWrong) {
  EXPECT_EQ(error_of("a=ice-ufrag:a"), "line 1: malformed ice-ufrag");
  EXPECT_EQ(error_of("\r\nhello"), "line 2: not of the form x=value");
  EXPECT_EQ(error_of("m="), "line 1: malformed m-line");
  EXPECT_EQ(error_of("m=a\tb 9 RTP/AVP 0"), "line 1: malformed m-line");
  EXPECT_EQ(error_of("a=ice-ufrag:abcd"), "line 1: ice-ufrag and ice-pwd belong together");
  EXPECT_EQ(error_of("m=audio 9 RTP/AVP 0\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n"),
            "line 2: ice-ufrag and ice-pwd belong together");
  EXPECT_EQ(error_of("a=mid:\x01"), "line 1: control character");
  EXPECT_EQ(error_of(std::string("a=") + std::string(kMaxLineBytes, 'x')), "line 1: line too long");
}

TEST(SdpFragment, IsBounded) {
  std::string lines;
  for (size_t i = 0; i <= kMaxMedia; ++i) lines += "m=audio 9 RTP/AVP 0\n";
  EXPECT_EQ(error_of(lines), "line 257: too many m-lines");
  std::string candidates = "m=audio 9 RTP/AVP 0\n";
  for (size_t i = 0; i <= kMaxCandidates; ++i) candidates += "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\n";
  EXPECT_EQ(error_of(candidates), "line 66: too many candidates");
  EXPECT_EQ(error_of(std::string(kMaxBytes + 1, '\n')), "line 0: more than 256 KiB");
  EXPECT_EQ(error_of(std::string(kMaxLines + 1, '\n')), "line 10001: too many lines");
}

TEST(SdpFragment, WritesWhatItReads) {
  Fragment fragment;
  fragment.is_ice_lite = true;
  fragment.ufrag = "289b";
  fragment.pwd = kPwd;
  fragment.media.push_back({"video", "1", "", "", {"candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host"}, true});
  EXPECT_EQ(to_text(fragment),
            "a=ice-lite\r\na=ice-ufrag:289b\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 RTP/AVP 0\r\na=mid:1\r\n"
            "a=candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host\r\na=end-of-candidates\r\n");
  const auto again = parse_fragment(to_text(fragment));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, fragment);
}

}  // namespace
}  // namespace atm::sdp
