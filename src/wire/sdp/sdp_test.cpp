#include "wire/sdp/sdp.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "wire/sdp/recorded_offer.h"

namespace atm::sdp {
namespace {

const std::string kStart = "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n";
const std::string kAudio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\n";

// The first m-section after `lines`.
MediaDescription media_of(const std::string& lines) {
  const auto parsed = parse(kStart + kAudio + lines);
  EXPECT_TRUE(parsed) << parsed.error().why;
  return parsed ? parsed->media.at(0) : MediaDescription{};
}

std::string why_of(const std::string& text) {
  const auto parsed = parse(text);
  if (parsed) return "";
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidSdp);
  return parsed.error().why;
}

std::string repeated(size_t times, const std::function<std::string(size_t)>& line) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += line(i);
  return out;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return out;
}

TEST(SdpParse, ReadsWhatABrowserOffers) {
  const auto parsed = parse(kRecordedOffer);
  ASSERT_TRUE(parsed) << parsed.error().why;
  EXPECT_EQ(parsed->origin, (Origin{2593549759136474614u, 2}));
  EXPECT_EQ(parsed->bundle_groups, (std::vector<std::vector<std::string>>{{"0", "1", "2", "3", "4"}}));
  EXPECT_TRUE(parsed->allows_mixed_extmap);
  EXPECT_FALSE(parsed->is_ice_lite);
  EXPECT_EQ(parsed->msid_semantic, "WMS 459de448-b6bf-4ead-a47c-9e32ffc7f7f1");
  ASSERT_EQ(parsed->media.size(), 5u);

  const MediaDescription& audio = parsed->media[0];
  EXPECT_EQ(audio.kind, "audio");
  EXPECT_EQ(audio.port, 9);
  EXPECT_EQ(audio.protocol, "UDP/TLS/RTP/SAVPF");
  EXPECT_EQ(audio.formats, (std::vector<std::string>{"111", "63", "9", "0", "8", "13", "110", "126"}));
  EXPECT_EQ(audio.mid, "0");
  EXPECT_EQ(audio.direction, Direction::kSendOnly);
  EXPECT_EQ(audio.transport.ice_ufrag, "AVPJ");
  EXPECT_EQ(audio.transport.ice_pwd, "D1yTdyzuReyW63gZBE5IS/Rx");
  EXPECT_EQ(audio.transport.ice_options, std::vector<std::string>{"trickle"});
  EXPECT_EQ(audio.transport.setup, "actpass");
  ASSERT_EQ(audio.transport.fingerprints.size(), 1u);
  EXPECT_EQ(audio.transport.fingerprints[0].algorithm, "sha-256");
  EXPECT_EQ(audio.transport.fingerprints[0].value.substr(0, 5), "0F:1E");
  EXPECT_TRUE(audio.has_rtcp_mux && audio.has_rtcp_rsize && audio.allows_mixed_extmap);
  EXPECT_EQ(audio.rtcp_xr, "rcvr-rtt=all");
  EXPECT_EQ(audio.extmaps[0], (Extmap{1, {}, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"}));
  EXPECT_EQ(audio.rtpmaps[0], (Rtpmap{111, "opus", 48000, 2}));
  EXPECT_EQ(audio.rtpmaps[2], (Rtpmap{9, "G722", 8000, 1}));
  EXPECT_EQ(audio.fmtps[0], (Fmtp{111, "minptime=10;useinbandfec=1"}));
  EXPECT_EQ(audio.rtcp_fbs[0], (RtcpFb{111, "transport-cc"}));
  const Msid msid{"459de448-b6bf-4ead-a47c-9e32ffc7f7f1", "16ea8e57-a641-4f82-af17-6531ca7ed083"};
  EXPECT_EQ(audio.msids, std::vector<Msid>{msid});
  EXPECT_EQ(audio.ssrcs, (std::vector<Ssrc>{{3713792791u, "Z9nms380PdellDi8", msid}}));

  const MediaDescription& video = parsed->media[1];
  EXPECT_EQ(video.ssrc_groups, (std::vector<SsrcGroup>{{"FID", {4252064716u, 764960924u}}}));
  EXPECT_EQ(video.ssrcs.size(), 2u);
  EXPECT_EQ(parsed->media[2].direction, Direction::kRecvOnly);
  EXPECT_EQ(parsed->media[4].kind, "application");
  EXPECT_EQ(parsed->media[4].sctp_port, 5000);
  EXPECT_EQ(parsed->media[4].max_message_size, 262144u);
}

TEST(SdpParse, TakesLfAndCrlfAndEmptyLines) {
  const auto lf = parse(kRecordedOffer);
  const auto crlf = parse(with_crlf(kRecordedOffer));
  ASSERT_TRUE(lf && crlf);
  EXPECT_EQ(*lf, *crlf);
  EXPECT_TRUE(parse("v=0\n\n\r\n" + kAudio + "\n"));
  EXPECT_TRUE(parse("v=0"));
}

TEST(SdpParse, SessionValuesReachMediaThatHaveNoneOfTheirOwn) {
  const std::string fingerprint = "a=fingerprint:SHA-256 aa:bb\n";
  const auto parsed =
      parse(kStart + "a=ice-ufrag:sess\na=ice-pwd:sessionsessionsession1\na=ice-options:trickle ice2\n" + fingerprint +
            "a=setup:active\na=ice-lite\na=recvonly\na=extmap:3 urn:x\n" + kAudio + "a=mid:0\n" + kAudio +
            "a=ice-ufrag:own1\na=setup:passive\na=sendonly\na=fingerprint:sha-1 CC\na=extmap:4 urn:y\n");
  ASSERT_TRUE(parsed) << parsed.error().why;
  EXPECT_TRUE(parsed->is_ice_lite);
  const MediaDescription& bare = parsed->media[0];
  EXPECT_EQ(bare.transport.ice_ufrag, "sess");
  EXPECT_EQ(bare.transport.ice_pwd, "sessionsessionsession1");
  EXPECT_EQ(bare.transport.fingerprints, (std::vector<Fingerprint>{{"sha-256", "AA:BB"}}));
  EXPECT_EQ(bare.transport.setup, "active");
  EXPECT_EQ(bare.direction, Direction::kRecvOnly);
  EXPECT_EQ(bare.extmaps, (std::vector<Extmap>{{3, {}, "urn:x"}}));
  const MediaDescription& own = parsed->media[1];
  EXPECT_EQ(own.transport.ice_ufrag, "own1");
  EXPECT_EQ(own.transport.ice_pwd, "") << "the session's password is not this ufrag's";
  EXPECT_EQ(own.transport.fingerprints, (std::vector<Fingerprint>{{"sha-1", "CC"}}));
  EXPECT_EQ(own.transport.setup, "passive");
  EXPECT_EQ(own.transport.ice_options, (std::vector<std::string>{"trickle", "ice2"}));
  EXPECT_EQ(own.direction, Direction::kSendOnly);
  EXPECT_EQ(own.extmaps, (std::vector<Extmap>{{4, {}, "urn:y"}}));
}

TEST(SdpParse, ReadsLayersBandwidthAndCandidates) {
  const MediaDescription media = media_of(
      "b=AS:500\nb=TIAS:600000\nb=X:y\n"
      "a=rid:h send pt=96,97;max-width=1280\na=rid:l send\na=rid:r recv\n"
      "a=simulcast:send h,~x;~l recv r\n"
      "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\na=end-of-candidates\n"
      "a=extmap:5/recvonly urn:x attributes\na=rtcp-fb:* nack\na=bundle-only\na=msid:- track\na=fmtp:111\n"
      "a=ssrc:7 msid:user1@host-2 transceiver1\n");
  EXPECT_EQ(media.bandwidth_as_kbps, 500u);
  EXPECT_EQ(media.bandwidth_tias_bps, 600000u);
  EXPECT_EQ(media.rids, (std::vector<Rid>{{"h", true, "pt=96,97;max-width=1280"}, {"l", true, ""}, {"r", false, ""}}));
  ASSERT_TRUE(media.simulcast);
  EXPECT_EQ(media.simulcast->send, (SimulcastStreams{{{"h", false}, {"x", true}}, {{"l", true}}}));
  EXPECT_EQ(media.simulcast->recv, (SimulcastStreams{{{"r", false}}}));
  EXPECT_EQ(media.candidates, std::vector<std::string>{"candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"});
  EXPECT_TRUE(media.is_end_of_candidates && media.is_bundle_only);
  EXPECT_EQ(media.extmaps, (std::vector<Extmap>{{5, Direction::kRecvOnly, "urn:x"}}));
  EXPECT_EQ(media.rtcp_fbs, (std::vector<RtcpFb>{{{}, "nack"}}));
  EXPECT_EQ(media.msids, (std::vector<Msid>{{"-", "track"}}));
  EXPECT_EQ(media.fmtps, (std::vector<Fmtp>{{111, ""}}));
  EXPECT_EQ(media.ssrcs, (std::vector<Ssrc>{{7, "", Msid{"user1@host-2", "transceiver1"}}}));
}

TEST(SdpParse, IgnoresWhatItDoesNotKnow) {
  const auto plain = parse(kStart + kAudio);
  const auto noisy = parse(kStart + "i=info\nb=CT:1\nk=clear:x\na=tool:x\na=group:LS 0 1\nz=0 0\n" + kAudio +
                           "i=title\na=x-unknown:1\na=ptime:20\na=rtcp:9 IN IP4 0.0.0.0\n");
  ASSERT_TRUE(plain && noisy);
  EXPECT_EQ(*plain, *noisy);
}

TEST(SdpParse, ARefusalNamesTheLine) {
  EXPECT_EQ(why_of(""), "line 0: no session description");
  EXPECT_EQ(why_of("\n\n"), "line 2: no session description");
  EXPECT_EQ(why_of("o=- 1 1 IN IP4 0\n"), "line 1: a session description starts with v=0");
  EXPECT_EQ(why_of("v=0\nv=0\n"), "line 2: a second v= line");
  EXPECT_EQ(why_of("v=0\nhello\n"), "line 2: not of the form x=value");
  EXPECT_EQ(why_of("v=0\no=- x 1 IN IP4 0\n"), "line 2: malformed origin");
  EXPECT_EQ(why_of("v=0\nm=audio 9 RTP/AVP\n"), "line 2: malformed m-line");
  EXPECT_EQ(why_of("v=0\nm=audio 65536 RTP/AVP 0\n"), "line 2: malformed m-line");
  EXPECT_EQ(why_of(kStart + kAudio + "a=mid:\n"), "line 6: malformed mid");
}

TEST(SdpParse, RefusesKnownAttributesWithBadValues) {
  for (const char* line : {"mid:a b",
                           "ice-ufrag:abc",
                           "ice-ufrag:ab cd",
                           "ice-pwd:tooshort",
                           "fingerprint:sha-256",
                           "setup:yes",
                           "fingerprint:sha-256 A",
                           "fingerprint:sha-256 AA:",
                           "fingerprint:sha-256 AABB",
                           "fingerprint:sha-256 GG",
                           "extmap:0 urn:x",
                           "extmap:65536 urn:x",
                           "extmap:1/up urn:x",
                           "extmap:1",
                           "rtpmap:128 VP8/90000",
                           "rtpmap:96 VP8",
                           "rtpmap:96 VP8/0",
                           "rtpmap:96 /90000",
                           "rtpmap:96 opus/48000/0",
                           "rtpmap:-1 VP8/90000",
                           "fmtp:x y",
                           "rtcp-fb:96",
                           "rtcp-fb:x nack",
                           "msid:",
                           "msid:a b c",
                           "ssrc:x cname:y",
                           "ssrc:4294967296 cname:y",
                           "ssrc:1 msid:",
                           "ssrc-group:FID x",
                           "ssrc-group:",
                           "rid:a",
                           "rid:a up",
                           "rid:a!b send",
                           "simulcast:send",
                           "simulcast:up a",
                           "simulcast:send a,;b send c",
                           "simulcast:send ;",
                           "sctp-port:65536",
                           "max-message-size:-1"}) {
    EXPECT_NE(why_of(kStart + kAudio + "a=" + line + "\n"), "") << line;
  }
  EXPECT_NE(why_of(kStart + kAudio + "b=AS:x\n"), "");
}

TEST(SdpParse, RefusesControlCharactersThatCouldEndALineForTheNextReader) {
  EXPECT_EQ(why_of("v=0\na=msid-semantic:x\ra=ice-lite\r\n"), "line 2: control character");
  EXPECT_EQ(why_of(std::string("v=0\ns=a\0b\n", 10)), "line 2: control character");
  EXPECT_EQ(why_of("v=0\ns=a\tb\n"), "");
}

TEST(SdpLimits, BytesLinesAndLineLength) {
  const std::string filler = "a=" + std::string(kMaxLineBytes - 2, 'x');
  EXPECT_EQ(why_of("v=0\n" + filler + "\n"), "");
  EXPECT_EQ(why_of("v=0\n" + filler + "x\n"), "line 2: line too long");
  EXPECT_EQ(why_of("v=0\n" + repeated(kMaxLines - 1, [](size_t) { return "a=x\n"; })), "");
  EXPECT_EQ(why_of("v=0\n" + repeated(kMaxLines, [](size_t) { return "a=x\n"; })), "line 10001: too many lines");
  EXPECT_EQ(why_of("v=0\n" + std::string(kMaxBytes - 4, '\n')), "line 10001: too many lines");
  EXPECT_EQ(why_of("v=0\n" + std::string(kMaxBytes - 3, '\n')), "line 0: more than 256 KiB");
}

TEST(SdpLimits, EveryListHasOne) {
  struct Case {
    size_t most;
    std::function<std::string(size_t)> line;
    const char* why;
  };
  const std::string base = kStart + kAudio;
  const auto number = [](size_t i) { return std::to_string(i); };
  for (const Case& c : std::vector<Case>{
           {kMaxCandidates, [](size_t) { return "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\n"; },
            "too many candidates"},
           {kMaxSsrcs, [&](size_t i) { return "a=ssrc:" + number(i) + " cname:x\n"; }, "too many ssrcs"},
           {kMaxSsrcGroups, [](size_t) { return "a=ssrc-group:FID 1 2\n"; }, "too many ssrc-groups"},
           {kMaxExtmaps, [](size_t) { return "a=extmap:1 urn:x\n"; }, "too many extmaps"},
           {kMaxRids, [](size_t) { return "a=rid:a send\n"; }, "too many rids"},
           {kMaxMsids, [](size_t) { return "a=msid:a b\n"; }, "too many msids"},
           {kMaxFingerprints, [](size_t) { return "a=fingerprint:sha-256 AA\n"; }, "too many fingerprints"},
           {kMaxFormats, [](size_t) { return "a=rtpmap:96 VP8/90000\n"; }, "too many rtpmaps"},
           {kMaxFormats, [](size_t) { return "a=fmtp:96 x\n"; }, "too many fmtps"},
           {kMaxRtcpFbs, [](size_t) { return "a=rtcp-fb:96 nack\n"; }, "too many rtcp-fbs"},
           {kMaxMedia - 1, [](size_t) { return "m=audio 0 RTP/AVP 0\n"; }, "too many m-lines"},
       }) {
    EXPECT_EQ(why_of(base + repeated(c.most, c.line)), "") << c.why;
    EXPECT_NE(why_of(base + repeated(c.most + 1, c.line)).find(c.why), std::string::npos) << c.why;
  }
  EXPECT_EQ(why_of(kStart + repeated(kMaxBundleGroups, [](size_t) { return "a=group:BUNDLE 0\n"; })), "");
  EXPECT_NE(why_of(kStart + repeated(kMaxBundleGroups + 1, [](size_t) { return "a=group:BUNDLE 0\n"; })), "");
}

TEST(SdpLimits, ListsInsideOneLine) {
  const auto words = [](size_t n) { return repeated(n, [](size_t) { return " 1"; }); };
  EXPECT_EQ(why_of(kStart + "m=audio 9 RTP/AVP" + words(kMaxFormats)), "");
  EXPECT_EQ(why_of(kStart + "m=audio 9 RTP/AVP" + words(kMaxFormats + 1)), "line 5: too many formats");
  EXPECT_EQ(why_of(kStart + "a=group:BUNDLE" + words(kMaxMedia)), "");
  EXPECT_EQ(why_of(kStart + "a=group:BUNDLE" + words(kMaxMedia + 1)), "line 5: too many mids in a group");
  EXPECT_EQ(why_of(kStart + "a=ice-options:" + words(kMaxIceOptions + 1)), "line 5: too many ice-options");
  EXPECT_EQ(why_of(kStart + kAudio + "a=ssrc-group:SIM" + words(kMaxSsrcs + 1)), "line 6: too many ssrcs");
  const auto layers = [](size_t n) {
    return repeated(n, [](size_t i) { return std::string(i == 0 ? "" : ";") + "a"; });
  };
  EXPECT_EQ(why_of(kStart + kAudio + "a=simulcast:send " + layers(kMaxRids)), "");
  EXPECT_EQ(why_of(kStart + kAudio + "a=simulcast:send " + layers(kMaxRids + 1)), "line 6: too many simulcast streams");
  const std::string longest(kMaxTokenBytes, 'x');
  EXPECT_EQ(why_of(kStart + kAudio + "a=mid:" + longest), "");
  EXPECT_NE(why_of(kStart + kAudio + "a=mid:" + longest + "x"), "");
}

TEST(SdpWrite, WhatIsWrittenComesBackTheSame) {
  const auto parsed = parse(kRecordedOffer);
  ASSERT_TRUE(parsed);
  const std::string text = to_text(*parsed);
  const auto again = parse(text);
  ASSERT_TRUE(again) << again.error().why;
  EXPECT_EQ(*parsed, *again);
  EXPECT_EQ(text, to_text(*again));
}

TEST(SdpWrite, WritesEveryFieldThatItHolds) {
  const std::string text = with_crlf(
      "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE a b\na=extmap-allow-mixed\na=ice-lite\n"
      "a=setup:active\na=msid-semantic: WMS *\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 96 97\nc=IN IP4 0.0.0.0\nb=AS:5\nb=TIAS:6\n"
      "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\na=end-of-candidates\n"
      "a=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuv\na=ice-options:trickle ice2\na=fingerprint:sha-256 AA:BB\n"
      "a=setup:active\na=mid:a\na=bundle-only\na=extmap-allow-mixed\na=extmap:1/sendonly urn:x\na=sendonly\n"
      "a=msid:video_0 video_0\na=rtcp-mux\na=rtcp-rsize\na=rtcp-xr:rcvr-rtt=all\n"
      "a=rtpmap:96 VP8/90000\na=rtpmap:111 opus/48000/2\na=rtcp-fb:* nack\na=rtcp-fb:96 nack pli\na=fmtp:97 apt=96\n"
      "a=rid:h send pt=96\na=rid:l recv\na=simulcast:send h,~x;y recv l\n"
      "a=ssrc-group:FID 1 2\na=ssrc:1 cname:c\na=ssrc:1 msid:video_0 video_0\na=ssrc:2\n"
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=setup:active\na=mid:b\n"
      "a=extmap-allow-mixed\na=sctp-port:5000\na=max-message-size:262144\n");
  const auto parsed = parse(text);
  ASSERT_TRUE(parsed) << parsed.error().why;
  EXPECT_EQ(to_text(*parsed), text);
}

// Hostile or cut short: a Result, whatever is missing.
TEST(SdpParse, SurvivesEveryDeletedLineEveryCutAndEveryBrokenByte) {
  const std::string offer(kRecordedOffer);
  size_t read = 0;
  for (size_t begin = 0; begin < offer.size();) {
    const size_t end = offer.find('\n', begin) + 1;
    if (parse(offer.substr(0, begin) + offer.substr(end))) ++read;  // without this line
    parse(offer.substr(0, end));                                    // up to this line
    parse(offer.substr(0, begin + (end - begin) / 2));              // up to the middle of it
    begin = end;
  }
  EXPECT_GT(read, 350u) << "hardly a line is needed for reading alone";
  for (size_t i = 0; i < offer.size(); i += 41) {
    for (const char c : {'\0', '\n', ' ', ':', '9', '\xff'}) {
      std::string broken = offer;
      broken[i] = c;
      const auto parsed = parse(broken);
      if (!parsed) continue;
      EXPECT_TRUE(parse(to_text(*parsed))) << "byte " << i;
    }
  }
}

}  // namespace
}  // namespace atm::sdp
