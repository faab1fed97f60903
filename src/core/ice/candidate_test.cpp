#include "core/ice/candidate.h"

#include <gtest/gtest.h>

#include "core/ice/candidate_pair.h"
#include "core/ice/credentials.h"

namespace atm::ice {
namespace {

// As Chromium 156 writes it.
constexpr std::string_view kChromium =
    "candidate:842163049 1 udp 1677729535 198.18.0.2 56143 typ srflx raddr 10.0.0.7 rport 40000 generation 0 ufrag "
    "EsAw "
    "network-id 3 network-cost 10";

TEST(Candidate, ReadsABrowsersLine) {
  const auto candidate = parse_candidate(kChromium);
  ASSERT_TRUE(candidate);
  EXPECT_EQ(candidate->foundation, "842163049");
  EXPECT_EQ(candidate->component, 1);
  EXPECT_EQ(candidate->priority, 1677729535u);
  EXPECT_EQ(candidate->address.to_string(), "198.18.0.2:56143");
  EXPECT_EQ(candidate->type, CandidateType::kServerReflexive);
  ASSERT_TRUE(candidate->related);
  EXPECT_EQ(candidate->related->to_string(), "10.0.0.7:40000");
  EXPECT_EQ(candidate->ufrag, "EsAw");
}

TEST(Candidate, TakesEveryPrefixAndEitherCase) {
  const std::string value = "1 1 UDP 2130706431 2001:db8::1 8998 typ host";
  for (const char* prefix : {"", "candidate:", "a=candidate:"}) {
    const auto candidate = parse_candidate(prefix + value + "\r\n");
    ASSERT_TRUE(candidate) << prefix;
    EXPECT_EQ(candidate->address.to_string(), "[2001:db8::1]:8998");
  }
}

TEST(Candidate, HasNothingForWhatIsNotOurs) {
  for (const char* text : {
           "",                                                                        // end of candidates
           "candidate:1 1 tcp 1518280447 10.0.0.1 9 typ host tcptype active",         // ICE over TCP
           "candidate:1 1 udp 2113937151 0b1c.local 56143 typ host generation 0",     // a hidden address
           "candidate:1 1 udp 2113937151 host.example 56143 typ host",                // a name
           "candidate:1 1 udp 2113937151 0.0.0.0 56143 typ host",                     // held back
           "candidate:1 1 udp 2113937151 10.0.0.1 0 typ host",                        //
           "candidate:1 1 udp 2113937151 10.0.0.1 65536 typ host",                    //
           "candidate:1 0 udp 2113937151 10.0.0.1 1 typ host",                        //
           "candidate:1 257 udp 2113937151 10.0.0.1 1 typ host",                      //
           "candidate:1 1 udp 4294967296 10.0.0.1 1 typ host",                        //
           "candidate:1 1 udp -1 10.0.0.1 1 typ host",                                //
           "candidate:1 1 udp 1 10.0.0.1 1 typ other",                                //
           "candidate:1 1 udp 1 10.0.0.1 1 host",                                     //
           "candidate:? 1 udp 1 10.0.0.1 1 typ host",                                 // not ice-chars
           "candidate:123456789012345678901234567890123 1 udp 1 10.0.0.1 1 typ host"  // 33 characters
       }) {
    EXPECT_FALSE(parse_candidate(text)) << text;
  }
  EXPECT_FALSE(parse_candidate("candidate:1 1 udp 1 10.0.0.1 1 typ host x " + std::string(kMaxCandidateText, 'y')));
}

TEST(Candidate, CutAnywhereNeverCrashes) {
  for (size_t size = 0; size < kChromium.size(); ++size) parse_candidate(std::string(kChromium.substr(0, size)));
  SeededRng rng(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(kChromium);
    for (uint32_t i = 0; i < 3; ++i) text[rng.below(static_cast<uint32_t>(text.size()))] = static_cast<char>(rng.u32());
    if (const auto candidate = parse_candidate(text)) {
      EXPECT_EQ(parse_candidate(to_text(*candidate)), candidate);
    }
  }
}

TEST(Candidate, WritesWhatItReads) {
  const Candidate host = make_host_candidate(*SocketAddress::parse("[2001:db8::1]:20000"), 65000);
  EXPECT_EQ(parse_candidate(to_text(host)), host);
  EXPECT_EQ(to_text(host).substr(0, 10), "candidate:");
  const auto reflexive = parse_candidate(kChromium);
  ASSERT_TRUE(reflexive);
  EXPECT_EQ(parse_candidate(to_text(*reflexive)), reflexive);
}

TEST(Candidate, FoundationsFollowTheAddress) {
  const auto one = make_host_candidate(*SocketAddress::parse("10.0.0.1:20000"));
  const auto same = make_host_candidate(*SocketAddress::parse("10.0.0.1:20001"));
  const auto other = make_host_candidate(*SocketAddress::parse("10.0.0.2:20000"));
  EXPECT_EQ(one.foundation, same.foundation);
  EXPECT_NE(one.foundation, other.foundation);
}

TEST(Candidate, OneOverTcpIsPassiveAndWantedLessThanAnyOverUdp) {
  const auto address = *SocketAddress::parse("10.0.0.1:20000");
  const Candidate tcp = make_tcp_candidate(address);
  EXPECT_EQ(to_text(tcp), "candidate:" + tcp.foundation + " 1 tcp 1520435199 10.0.0.1 20000 typ host tcptype passive");
  EXPECT_EQ(tcp.priority, 90u << 24 | (4u << 13 | 8191u) << 8 | 255u);
  EXPECT_LT(tcp.priority, candidate_priority(CandidateType::kServerReflexive, 0, 1));
  EXPECT_LT(make_tcp_candidate(address, 8190).priority, tcp.priority);
  EXPECT_NE(tcp.foundation, make_host_candidate(address).foundation);
}

TEST(Candidate, PrioritiesFollowTheFormulas) {
  EXPECT_EQ(host_priority(), 2130706431u);          // RFC 8839 5.1's example
  EXPECT_EQ(host_priority(65535, 2), 2130706430u);  //
  EXPECT_EQ(candidate_priority(CandidateType::kServerReflexive, 65535, 1), 1694498815u);
  EXPECT_EQ(reflexive_priority(host_priority()), 1862270975u);
  EXPECT_EQ(pair_priority(2, 1), (uint64_t{1} << 32) + 5);
  EXPECT_EQ(pair_priority(1, 2), (uint64_t{1} << 32) + 4);
}

TEST(Credentials, AreLongEnoughAndOfIceChars) {
  SeededRng rng(1);
  const Credentials one = make_credentials(rng);
  EXPECT_EQ(one.ufrag.size(), kUfragLength);
  EXPECT_EQ(one.pwd.size(), kPasswordLength);
  EXPECT_NE(make_credentials(rng), one);
  for (const char c : one.ufrag + one.pwd) EXPECT_TRUE(std::isalnum(c) != 0 || c == '+' || c == '/');
}

}  // namespace
}  // namespace atm::ice
