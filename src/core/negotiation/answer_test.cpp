#include "core/negotiation/answer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/negotiation/sample_test.h"

namespace atm::negotiation {
namespace {

bool has_line(const std::string& sdp, const std::string& line) {
  return sdp.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST(MakeAnswer, AnswersARecordedOffer) {
  const sdp::Description offer = recorded_offer();
  const Answer answer = answer_to(offer);
  const sdp::Description read = description_of(answer);
  EXPECT_EQ(read.origin, (sdp::Origin{4711, 3}));
  EXPECT_EQ(read.bundle_groups, offer.bundle_groups);
  EXPECT_TRUE(read.is_ice_lite);
  EXPECT_TRUE(read.allows_mixed_extmap);
  ASSERT_EQ(read.media.size(), offer.media.size());
  for (size_t i = 0; i < read.media.size(); ++i) {
    EXPECT_EQ(read.media[i].kind, offer.media[i].kind);
    EXPECT_EQ(read.media[i].mid, offer.media[i].mid);
    EXPECT_EQ(read.media[i].port, 9);
    EXPECT_EQ(read.media[i].transport.setup, "passive");
    EXPECT_EQ(read.media[i].transport.ice_ufrag, "srvU");
    EXPECT_EQ(read.media[i].transport.ice_options, std::vector<std::string>{"trickle"});
  }
  EXPECT_EQ(read.media[0].candidates,
            (std::vector<std::string>{"candidate:1 1 udp 2130706431 192.0.2.1 20000 typ host",
                                      "candidate:2 1 udp 2130706430 2001:db8::1 20000 typ host"}));
  EXPECT_TRUE(read.media[0].is_end_of_candidates);
  EXPECT_EQ(read.media[0].direction, Direction::kRecvOnly);
  EXPECT_TRUE(read.media[0].msids.empty());
  EXPECT_EQ(read.media[2].direction, Direction::kSendOnly);
  EXPECT_TRUE(has_line(answer.sdp, "a=msid:video_0 video_0"));
  EXPECT_TRUE(has_line(answer.sdp, "a=ssrc-group:FID 11 12"));
  EXPECT_TRUE(has_line(answer.sdp, "a=ssrc:11 cname:server"));
  EXPECT_TRUE(has_line(answer.sdp, "a=ssrc:12 msid:video_0 video_0"));
  EXPECT_TRUE(has_line(answer.sdp, "a=msid:audio_0 audio_0"));
  EXPECT_TRUE(has_line(answer.sdp, "a=ssrc:21 cname:server"));
  EXPECT_FALSE(has_line(answer.sdp, "a=ssrc:22 cname:server")) << "opus has no RTX here";
  EXPECT_TRUE(has_line(answer.sdp, "a=rtcp-xr:rcvr-rtt=all"));
  EXPECT_TRUE(has_line(answer.sdp, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
  EXPECT_TRUE(has_line(answer.sdp, "a=sctp-port:5000"));
  EXPECT_TRUE(has_line(answer.sdp, "a=max-message-size:262144"));
  for (const char* declined : {"abs-send-time", "toffset", "video-timing", "red/90000", "ulpfec", "flexfec", "G722",
                               "PCMU", "telephone-event"}) {
    EXPECT_EQ(answer.sdp.find(declined), std::string::npos) << declined;
  }
}

TEST(MakeAnswer, SaysWhatWasAgreed) {
  const Answer answer = answer_to(recorded_offer());
  EXPECT_TRUE(answer.has_data_channel);
  EXPECT_EQ(answer.remote_sctp_port, 5000);
  EXPECT_EQ(answer.remote_max_message_size, 262144u);
  ASSERT_EQ(answer.media.size(), 4u);
  const NegotiatedMedia& published = answer.media[1];
  EXPECT_EQ(published.index, 1u);
  EXPECT_EQ(published.mid, "1");
  EXPECT_EQ(published.kind, MediaKind::kVideo);
  EXPECT_EQ(published.direction, Direction::kRecvOnly);
  EXPECT_EQ(published.remote_track_id, "b96eccc6-7776-46e6-ad30-8aca6117758c");
  EXPECT_EQ(published.remote_ssrcs, (std::vector<RemoteSsrc>{{4252064716u, 764960924u}}));
  EXPECT_EQ(published.local_ssrc, 0u);
  EXPECT_EQ(published.extensions.id_of(rtp::Extension::kMid), 4);
  EXPECT_EQ(published.extensions.id_of(rtp::Extension::kRid), 10);
  EXPECT_EQ(published.extensions.id_of(rtp::Extension::kTransportCc), 3);
  EXPECT_EQ(published.codecs[0].codec, Codec::kVp8);
  EXPECT_EQ(published.codecs[0].rtx_payload_type, 97);
  const NegotiatedMedia& viewed = answer.media[2];
  EXPECT_EQ(viewed.direction, Direction::kSendOnly);
  EXPECT_EQ(viewed.local_ssrc, 11u);
  EXPECT_EQ(viewed.local_rtx_ssrc, 12u);
  EXPECT_TRUE(viewed.remote_ssrcs.empty());
  EXPECT_EQ(answer.media[3].local_rtx_ssrc, 0u);
}

TEST(MakeAnswer, ADecisionIsCutDownToWhatWasOffered) {
  const LocalMedia both{Direction::kSendRecv, "s", "t", 1, 2};
  const Answer answer = answer_to(recorded_offer(), {}, {both, both, both, {Direction::kRecvOnly, {}, {}, 0, 0}, both});
  EXPECT_EQ(answer.media[0].direction, Direction::kRecvOnly);
  EXPECT_EQ(answer.media[2].direction, Direction::kSendOnly);
  EXPECT_EQ(answer.media[3].direction, Direction::kInactive);
  const sdp::Description read = description_of(answer);
  EXPECT_TRUE(read.media[0].msids.empty());
  EXPECT_EQ(read.media[3].port, 9) << "inactive is not rejected";
  EXPECT_EQ(read.media[3].direction, Direction::kInactive);
}

TEST(MakeAnswer, TellsWhatAPublisherMaySendWhereItSends) {
  LocalMedia limited{Direction::kRecvOnly, {}, {}, 0, 0};
  limited.max_receive_bps = 700'000;
  LocalMedia sending{Direction::kSendOnly, "s", "t", 1, 2};
  sending.max_receive_bps = 700'000;
  const Answer answer =
      answer_to(recorded_offer(), {},
                {LocalMedia{Direction::kRecvOnly, {}, {}, 0, 0}, limited, sending, LocalMedia{}, LocalMedia{}});
  const sdp::Description read = description_of(answer);
  EXPECT_EQ(read.media[0].bandwidth_tias_bps, std::nullopt);
  EXPECT_EQ(read.media[1].bandwidth_tias_bps, 700'000u);
  EXPECT_EQ(read.media[2].bandwidth_tias_bps, std::nullopt);
}

TEST(MakeAnswer, CodecsAreOrderedByThePolicyAndKeepTheirNumbers) {
  const Answer answer = answer_to(recorded_offer(), {{Codec::kOpus, Codec::kVp9, Codec::kVp8}});
  const sdp::Description read = description_of(answer);
  EXPECT_EQ(read.media[1].formats, (std::vector<std::string>{"98", "99", "100", "101", "96", "97"}));
  EXPECT_EQ(read.media[0].formats, (std::vector<std::string>{"63", "111"})) << "libwebrtc sends RED where it is first";
  EXPECT_TRUE(has_line(answer.sdp, "a=rtpmap:63 red/48000/2"));
  EXPECT_TRUE(has_line(answer.sdp, "a=fmtp:63 111/111"));
  EXPECT_TRUE(has_line(answer.sdp, "a=fmtp:111 minptime=10;useinbandfec=1"));
}

TEST(MakeAnswer, AnMLineWithoutAnAllowedCodecIsInactive) {
  const Answer answer = answer_to(recorded_offer(), {{Codec::kVp8}});
  const sdp::Description read = description_of(answer);
  EXPECT_EQ(read.media[0].port, 9);
  EXPECT_EQ(read.media[0].direction, Direction::kInactive);
  EXPECT_EQ(read.media[3].direction, Direction::kInactive);
  EXPECT_TRUE(read.media[3].msids.empty());
  EXPECT_EQ(read.media[1].direction, Direction::kRecvOnly);
  EXPECT_EQ(read.media[1].formats, (std::vector<std::string>{"96", "97"}));
  EXPECT_EQ(answer.media[0].direction, Direction::kInactive);
}

TEST(MakeAnswer, AnMLineWithoutACommonCodecIsRejected) {
  sdp::Description offer = recorded_offer();
  offer.media[0].rtpmaps[0].name = "speex";
  const Answer answer = answer_to(offer);
  const sdp::Description read = description_of(answer);
  EXPECT_EQ(read.media[0].port, 0);
  EXPECT_EQ(read.media[0].mid, "0");
  EXPECT_EQ(read.bundle_groups, (std::vector<std::vector<std::string>>{{"1", "2", "3", "4"}}));
  EXPECT_TRUE(read.media[0].candidates.empty());
  EXPECT_EQ(read.media[1].candidates.size(), 2u) << "the first that is left carries the transport";
  ASSERT_EQ(answer.media.size(), 3u);
  EXPECT_EQ(answer.media[0].index, 1u);
}

TEST(MakeAnswer, RefusesWhenNothingIsLeft) {
  sdp::Description offer = recorded_offer();
  offer.media.resize(1);
  offer.bundle_groups = {{"0"}};
  offer.media[0].rtpmaps.clear();
  const auto answer = make_answer(offer, std::vector<LocalMedia>(1), server_transport(), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnsupportedSdp);
}

TEST(MakeAnswer, WithdrawnMLinesKeepTheirPlace) {
  sdp::Description offer = recorded_offer();
  offer.media[1].port = 0;
  offer.bundle_groups = {{"4", "0", "2", "3"}};
  const Answer answer = answer_to(offer);
  const sdp::Description read = description_of(answer);
  ASSERT_EQ(read.media.size(), 5u);
  EXPECT_EQ(read.media[1].port, 0);
  EXPECT_EQ(read.media[1].kind, "video");
  EXPECT_EQ(read.bundle_groups, offer.bundle_groups);
  EXPECT_EQ(read.media[4].candidates.size(), 2u) << "the group's first carries the candidates";
  EXPECT_EQ(answer.media.size(), 3u);
}

TEST(MakeAnswer, RolesMustMeet) {
  const auto code = [](const char* remote_setup, const char* local_setup, bool remote_lite) {
    sdp::Description offer = recorded_offer();
    offer.media[0].transport.setup = remote_setup;
    offer.is_ice_lite = remote_lite;
    LocalTransport local = server_transport();
    local.setup = local_setup;
    const auto answer = make_answer(offer, std::vector<LocalMedia>(5), local, {});
    return answer ? std::string("ok") : std::string(to_text(answer.error().code));
  };
  EXPECT_EQ(code("actpass", "passive", false), "ok");
  EXPECT_EQ(code("active", "passive", false), "ok");
  EXPECT_EQ(code("", "passive", false), "ok");
  EXPECT_EQ(code("passive", "passive", false), "UNSUPPORTED_SDP");
  EXPECT_EQ(code("holdconn", "passive", false), "UNSUPPORTED_SDP");
  EXPECT_EQ(code("passive", "active", false), "ok");
  EXPECT_EQ(code("actpass", "passive", true), "UNSUPPORTED_SDP");
}

TEST(MakeAnswer, SimulcastLayersAreAcceptedInTheirOrder) {
  sdp::Description offer = recorded_offer();
  sdp::MediaDescription& video = offer.media[1];
  video.rids = {{"h", true, "pt=96,97;max-width=1280"}, {"m", true, ""}, {"l", true, "pt=118"}, {"r", false, ""}};
  video.simulcast =
      sdp::Simulcast{{{{"l", false}}, {{"m", true}, {"none", false}}, {{"h", false}}, {{"h", false}}}, {}};
  video.ssrcs.clear();
  video.ssrc_groups.clear();
  const Answer answer = answer_to(offer, {{Codec::kOpus, Codec::kVp8}});
  EXPECT_EQ(answer.media[1].rids, (std::vector<std::string>{"m", "h"})) << "l has no format that is accepted";
  EXPECT_TRUE(answer.media[1].remote_ssrcs.empty());
  EXPECT_TRUE(has_line(answer.sdp, "a=rid:m recv"));
  EXPECT_TRUE(has_line(answer.sdp, "a=rid:h recv pt=96,97;max-width=1280"));
  EXPECT_TRUE(has_line(answer.sdp, "a=simulcast:recv m;h"));
}

TEST(MakeAnswer, NoLayersForWhatIsNotReceived) {
  sdp::Description offer = recorded_offer();
  offer.media[1].rids = {{"h", true, ""}};
  offer.media[1].simulcast = sdp::Simulcast{{{{"h", false}}}, {}};
  const Answer answer = answer_to(offer, {}, {});
  EXPECT_EQ(answer.sdp.find("simulcast"), std::string::npos);
  EXPECT_TRUE(answer.media[1].rids.empty());
}

TEST(MakeAnswer, ExtensionDirectionsAreTurnedRound) {
  sdp::Description offer = recorded_offer();
  for (sdp::Extmap& extmap : offer.media[0].extmaps) {
    if (extmap.id == 1) extmap.direction = Direction::kSendOnly;
    if (extmap.id == 4) extmap.direction = Direction::kInactive;
  }
  const Answer answer = answer_to(offer);
  EXPECT_TRUE(has_line(answer.sdp, "a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level"));
  EXPECT_FALSE(answer.media[0].extensions.has(rtp::Extension::kMid));
}

TEST(MakeAnswer, LegacySimulcastSsrcsComeInOrderWithTheirRtx) {
  sdp::Description offer = recorded_offer();
  offer.media[1].ssrc_groups = {
      {"FID", {3, 30}}, {"SIM", {1, 2, 3}}, {"FID", {1, 10}}, {"FEC-FR", {1, 100}}, {"FID", {2, 20}}};
  offer.media[1].ssrcs.clear();
  for (const uint32_t ssrc : {3u, 30u, 1u, 10u, 2u, 20u, 100u, 0u}) offer.media[1].ssrcs.push_back({ssrc, "c", {}});
  const Answer answer = answer_to(offer);
  EXPECT_EQ(answer.media[1].remote_ssrcs, (std::vector<RemoteSsrc>{{1, 10}, {2, 20}, {3, 30}}));
}

TEST(MakeAnswer, MessageSizes) {
  const auto size_of = [](std::optional<uint64_t> offered) {
    sdp::Description offer = recorded_offer();
    offer.media[4].max_message_size = offered;
    return answer_to(offer).remote_max_message_size;
  };
  EXPECT_EQ(size_of({}), kDefaultMaxMessageSize);
  EXPECT_EQ(size_of(0), kMaxMessageSize);
  EXPECT_EQ(size_of(1000), 1000u);
  EXPECT_EQ(size_of(uint64_t{1} << 40), kMaxMessageSize);
}

}  // namespace
}  // namespace atm::negotiation
