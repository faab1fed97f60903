#include "core/negotiation/offer.h"

#include <gtest/gtest.h>

#include "core/negotiation/extension_policy.h"
#include "core/negotiation/sample_test.h"

namespace atm::negotiation {
namespace {

const std::vector<OfferMedia> kMedia = {
    {MediaKind::kAudio, Direction::kSendOnly, "a", "mic", "mic_track", 1, 0},
    {MediaKind::kVideo, Direction::kSendOnly, "v", "cam", "cam_track", 2, 3},
    {MediaKind::kVideo, Direction::kRecvOnly, "r", "", "", 0, 0},
};

sdp::Description offer_of(const Policy& policy = {}, bool data_channel = true) {
  auto parsed = sdp::parse(make_offer(kMedia, data_channel, client_transport(), policy));
  EXPECT_TRUE(parsed) << parsed.error().why;
  return parsed ? *parsed : sdp::Description{};
}

const std::vector<LocalMedia> kDecisions = {{},
                                            {Direction::kRecvOnly, {}, {}, 0, 0},
                                            {Direction::kRecvOnly, {}, {}, 0, 0},
                                            {Direction::kSendOnly, "video_0", "video_0", 11, 12}};

TEST(MakeOffer, IsOneThatAServerTakes) {
  const sdp::Description offer = offer_of();
  const auto read = read_offer(offer);
  ASSERT_TRUE(read) << read.error().why;
  EXPECT_EQ(read->transport.setup, "actpass");
  ASSERT_EQ(read->media.size(), 4u);
  EXPECT_TRUE(read->media[0].is_application) << "first, so that later m-lines go to the end";
  EXPECT_EQ(read->media[2].track_id, "cam_track");
  EXPECT_EQ(read->media[3].direction, Direction::kRecvOnly);
}

TEST(ReadAnswer, BothSidesComeToTheSameAgreement) {
  const sdp::Description offer = offer_of();
  const Answer answer = answer_to(offer, {}, kDecisions);
  const auto agreed = read_answer(offer, description_of(answer));
  ASSERT_TRUE(agreed) << agreed.error().why;
  EXPECT_EQ(agreed->transport.ufrag, "srvU");
  EXPECT_EQ(agreed->transport.setup, "passive");
  EXPECT_TRUE(agreed->transport.ice_lite);
  EXPECT_EQ(agreed->transport.candidates.size(), 2u);
  EXPECT_TRUE(agreed->has_data_channel);
  EXPECT_EQ(agreed->remote_sctp_port, 5000);
  ASSERT_EQ(agreed->media.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(agreed->media[i].codecs, answer.media[i].codecs);
    EXPECT_EQ(agreed->media[i].direction, reversed(answer.media[i].direction));
    for (size_t e = 0; e < rtp::kExtensionCount; ++e) {
      const auto extension = static_cast<rtp::Extension>(e);
      EXPECT_EQ(agreed->media[i].extensions.id_of(extension), answer.media[i].extensions.id_of(extension));
      EXPECT_TRUE(is_accepted(extension) || answer.media[i].extensions.id_of(extension) == 0);
    }
  }
  EXPECT_EQ(agreed->media[1].local_ssrc, 2u);
  EXPECT_EQ(agreed->media[1].local_rtx_ssrc, 3u);
  EXPECT_EQ(answer.media[1].remote_ssrcs, (std::vector<RemoteSsrc>{{2, 3}}));
  EXPECT_EQ(agreed->media[2].remote_stream_id, "video_0");
  EXPECT_EQ(agreed->media[2].remote_ssrcs, (std::vector<RemoteSsrc>{{11, 12}}));
}

// RFC 8853: what we send in layers, each with an SSRC and its RTX.
TEST(ReadAnswer, SimulcastIsSentInTheLayersThatTheAnswerTakes) {
  OfferMedia video{MediaKind::kVideo, Direction::kSendOnly, "v", "cam", "cam_track"};
  video.layers = {{"q", 21, 22}, {"h", 23, 24}, {"f", 25, 26}};
  const std::string text = make_offer(std::vector{video}, true, client_transport(), {});
  EXPECT_NE(text.find("a=simulcast:send q;h;f\r\n"), std::string::npos) << text;
  const auto offer = sdp::parse(text);
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->media[1].msids.size(), 1u);
  const Answer answer = answer_to(*offer, {}, {{}, {Direction::kRecvOnly, {}, {}, 0, 0}});
  EXPECT_EQ(answer.media[0].rids, (std::vector<std::string>{"q", "h", "f"}));
  EXPECT_EQ(answer.media[0].remote_ssrcs, (std::vector<RemoteSsrc>{{21, 22}, {23, 24}, {25, 26}}));
  sdp::Description description = description_of(answer);
  auto agreed = read_answer(*offer, description);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->media[0].local_layers, video.layers);
  EXPECT_EQ(agreed->media[0].local_ssrc, 21u);
  // One that does not take all of them gets one stream.
  description.media[1].simulcast->recv.pop_back();
  agreed = read_answer(*offer, description);
  ASSERT_TRUE(agreed);
  EXPECT_TRUE(agreed->media[0].local_layers.empty());
  EXPECT_EQ(agreed->media[0].local_ssrc, 21u);
}

TEST(MakeOffer, APolicyOrdersAndForbids) {
  const sdp::Description offer = offer_of({{Codec::kH264, Codec::kVp8}});
  EXPECT_EQ(offer.media[2].formats, (std::vector<std::string>{"102", "103", "96", "97"}));
  EXPECT_EQ(offer.media[1].port, 0) << "no opus: the m-line keeps its place and is not used";
  EXPECT_EQ(offer.bundle_groups, (std::vector<std::vector<std::string>>{{"data", "v", "r"}}));
  EXPECT_EQ(answer_to(offer, {}, kDecisions).media[0].codecs[0].codec, Codec::kH264);
}

TEST(MakeOffer, WhatIsReceivedMayBeOfAnyProfileOfH264) {
  const sdp::Description offer = offer_of({{Codec::kH264}});
  EXPECT_EQ(offer.media[3].formats, (std::vector<std::string>{"102", "103", "104", "105", "106", "107"}));
}

TEST(MakeOffer, WithoutADataChannel) {
  const sdp::Description offer = offer_of({}, false);
  EXPECT_EQ(offer.media.size(), 3u);
  EXPECT_FALSE(answer_to(offer, {}, {}).has_data_channel);
}

// The refusal of a changed answer.
template <typename Change>
std::string refusal(Change change) {
  const sdp::Description offer = offer_of();
  sdp::Description answer = description_of(answer_to(offer, {}, kDecisions));
  change(answer);
  const auto agreed = read_answer(offer, answer);
  return agreed ? "" : agreed.error().why;
}

TEST(ReadAnswer, RefusesWhatDoesNotFitTheOffer) {
  EXPECT_EQ(refusal([](auto&) {}), "");
  EXPECT_EQ(refusal([](auto& a) { a.media.pop_back(); }), "not as many m-lines as offered");
  EXPECT_EQ(refusal([](auto& a) { std::swap(a.media[1], a.media[2]); }), "an m-line is not in its place");
  EXPECT_EQ(refusal([](auto& a) { a.media[1].direction = Direction::kSendRecv; }),
            "the answer goes in a direction that was not offered");
  EXPECT_EQ(refusal([](auto& a) { a.media[0].transport.setup = "actpass"; }),
            "an answer must be setup:active or setup:passive");
  EXPECT_EQ(refusal([](auto& a) { a.media[1].rtpmaps[1].payload_type = 112; }),
            "the answer accepts an m-line without an offered codec");
  EXPECT_EQ(refusal([](auto& a) { a.bundle_groups.clear(); }), "everything must be in one BUNDLE group");
  EXPECT_EQ(refusal([](auto& a) { a.media[0].transport.fingerprints.clear(); }), "no fingerprint");
}

TEST(ReadAnswer, RejectedMLinesAreLeftOut) {
  sdp::Description offer = offer_of();
  offer.media[1].rtpmaps[1].name = "speex";
  const auto agreed = read_answer(offer, description_of(answer_to(offer, {{Codec::kVp8}}, kDecisions)));
  ASSERT_TRUE(agreed) << agreed.error().why;
  ASSERT_EQ(agreed->media.size(), 2u);
  EXPECT_EQ(agreed->media[0].index, 2u);
  EXPECT_EQ(agreed->media[0].codecs.size(), 1u);
}

TEST(ReadAnswer, TakesOnlyExtensionsThatWereOffered) {
  const sdp::Description offer = offer_of();
  sdp::Description answer = description_of(answer_to(offer, {}, kDecisions));
  answer.media[1].extmaps = {{9, {}, std::string(rtp::uri_of(rtp::Extension::kMid))},
                             {4, {}, std::string(rtp::uri_of(rtp::Extension::kAudioLevel))}};
  const auto agreed = read_answer(offer, answer);
  ASSERT_TRUE(agreed) << agreed.error().why;
  EXPECT_EQ(agreed->media[0].extensions.id_of(rtp::Extension::kMid), 0) << "under another id";
  EXPECT_EQ(agreed->media[0].extensions.id_of(rtp::Extension::kAudioLevel), 4);
}

TEST(ExtensionPolicy, SaysSomethingOfEveryExtension) {
  EXPECT_EQ(std::size(kExtensionPolicies), rtp::kExtensionCount);
  EXPECT_TRUE(is_accepted(rtp::Extension::kMid));
  EXPECT_TRUE(is_accepted(rtp::Extension::kTransportCc));
  EXPECT_FALSE(is_forwarded(rtp::Extension::kTransportCc));
  EXPECT_FALSE(is_accepted(rtp::Extension::kAbsSendTime));
}

}  // namespace
}  // namespace atm::negotiation
