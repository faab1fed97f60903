#include <gtest/gtest.h>

#include "core/negotiation/sample_test.h"

namespace atm::negotiation {
namespace {

// The refusal of a changed offer, or "" when it is taken.
template <typename Change>
std::string refusal(Change change) {
  sdp::Description offer = recorded_offer();
  change(offer);
  const auto read = read_offer(offer);
  return read ? "" : std::string(to_text(read.error().code)) + ": " + read.error().why;
}

TEST(ReadOffer, SaysWhatIsOffered) {
  const auto offer = read_offer(recorded_offer());
  ASSERT_TRUE(offer) << offer.error().why;
  EXPECT_EQ(offer->transport.ufrag, "AVPJ");
  EXPECT_EQ(offer->transport.pwd, "D1yTdyzuReyW63gZBE5IS/Rx");
  EXPECT_EQ(offer->transport.fingerprint_algorithm, "sha-256");
  EXPECT_EQ(offer->transport.fingerprint.size(), 95u);
  EXPECT_EQ(offer->transport.setup, "actpass");
  EXPECT_FALSE(offer->transport.ice_lite);
  ASSERT_EQ(offer->media.size(), 5u);
  const OfferedMedia& video = offer->media[1];
  EXPECT_EQ(video.index, 1u);
  EXPECT_EQ(video.mid, "1");
  EXPECT_EQ(video.kind, MediaKind::kVideo);
  EXPECT_EQ(video.direction, Direction::kSendOnly);
  EXPECT_EQ(video.stream_id, "459de448-b6bf-4ead-a47c-9e32ffc7f7f1");
  EXPECT_EQ(video.track_id, "b96eccc6-7776-46e6-ad30-8aca6117758c");
  EXPECT_EQ(offer->media[2].direction, Direction::kRecvOnly);
  EXPECT_EQ(offer->media[2].stream_id, "");
  EXPECT_TRUE(offer->media[4].is_application);
  for (const OfferedMedia& media : offer->media) EXPECT_FALSE(media.is_rejected);
}

TEST(ReadOffer, AnMsidWithoutAStreamHasNoStreamId) {
  sdp::Description offer = recorded_offer();
  offer.media[0].msids = {{"-", "track"}};
  offer.media[1].msids.clear();  // then that of a=ssrc counts
  const auto read = read_offer(offer);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->media[0].stream_id, "");
  EXPECT_EQ(read->media[0].track_id, "track");
  EXPECT_EQ(read->media[1].track_id, "b96eccc6-7776-46e6-ad30-8aca6117758c");
}

TEST(ReadOffer, WantsOneBundleGroupOfEverythingInUse) {
  EXPECT_EQ(refusal([](auto& o) { o.bundle_groups.clear(); }),
            "UNSUPPORTED_SDP: everything must be in one BUNDLE group");
  EXPECT_EQ(refusal([](auto& o) { o.bundle_groups.push_back({"0"}); }),
            "UNSUPPORTED_SDP: everything must be in one BUNDLE group");
  EXPECT_EQ(refusal([](auto& o) { o.bundle_groups[0].pop_back(); }),
            "UNSUPPORTED_SDP: everything must be in one BUNDLE group");
  EXPECT_EQ(refusal([](auto& o) { o.bundle_groups[0].push_back("9"); }),
            "INVALID_SDP: the BUNDLE group names a mid that no m-line has");
  EXPECT_EQ(refusal([](auto& o) { o.media[1].mid = "0"; }), "INVALID_SDP: two m-lines with one mid");
  EXPECT_EQ(refusal([](auto& o) { o.media[1].mid.clear(); }), "INVALID_SDP: an m-line has no mid");
  EXPECT_EQ(refusal([](auto& o) { o.media.clear(); }), "INVALID_SDP: no m-line in use");
  EXPECT_EQ(refusal([](auto& o) {
              o.media[2].port = 0;
              o.bundle_groups[0].erase(o.bundle_groups[0].begin() + 2);
            }),
            "");
}

TEST(ReadOffer, WantsWhatATransportNeeds) {
  EXPECT_EQ(refusal([](auto& o) {
              for (auto& m : o.media) m.transport.ice_ufrag.clear();
            }),
            "INVALID_SDP: no ice-ufrag");
  EXPECT_EQ(refusal([](auto& o) { o.media[0].transport.ice_pwd.clear(); }), "INVALID_SDP: no ice-pwd");
  EXPECT_EQ(refusal([](auto& o) { o.media[0].transport.fingerprints.clear(); }), "INVALID_SDP: no fingerprint");
  EXPECT_EQ(refusal([](auto& o) { o.media[0].transport.fingerprints[0].algorithm = "sha-1"; }),
            "UNSUPPORTED_SDP: no fingerprint of sha-256, sha-384 or sha-512");
  EXPECT_EQ(refusal([](auto& o) { o.media[0].transport.fingerprints[0].value = "AA:BB"; }),
            "UNSUPPORTED_SDP: no fingerprint of sha-256, sha-384 or sha-512");
  EXPECT_EQ(refusal([](auto& o) { o.media[0].has_rtcp_mux = false; }), "UNSUPPORTED_SDP: no rtcp-mux");
}

TEST(ReadOffer, OnlyTheFirstOfTheGroupNeedsTheTransport) {
  EXPECT_EQ(refusal([](auto& o) {
              for (size_t i = 1; i < o.media.size(); ++i) {
                o.media[i].transport = {};
                o.media[i].has_rtcp_mux = false;
                o.media[i].is_bundle_only = true;
                o.media[i].port = 0;
              }
            }),
            "");
}

TEST(ReadOffer, OneMeaningForEachPayloadTypeExtensionIdAndSsrc) {
  EXPECT_EQ(refusal([](auto& o) { std::swap(o.media[2].rtpmaps[0].name, o.media[2].rtpmaps[2].name); }),
            "INVALID_SDP: one payload type has two meanings in the BUNDLE group");
  EXPECT_EQ(refusal([](auto& o) { o.media[2].fmtps[0].parameters = "apt=98"; }),
            "INVALID_SDP: one payload type has two meanings in the BUNDLE group");
  EXPECT_EQ(refusal([](auto& o) {
              for (auto& e : o.media[2].extmaps) {
                if (e.id == 4) e.uri = std::string(rtp::uri_of(rtp::Extension::kAudioLevel));
              }
            }),
            "INVALID_SDP: one extension id has two meanings in the BUNDLE group");
  EXPECT_EQ(refusal([](auto& o) { o.media[1].ssrcs[0].ssrc = o.media[0].ssrcs[0].ssrc; }),
            "INVALID_SDP: one SSRC has two meanings in the BUNDLE group");
}

TEST(ReadOffer, WhatCannotBeAnsweredIsRejectedAndTheRestGoesOn) {
  sdp::Description offer = recorded_offer();
  offer.media[0].protocol = "TCP/MSRP";
  offer.media[1].kind = "message";
  offer.media[2].port = 0;
  offer.media[3].port = 0;
  offer.media[3].is_bundle_only = true;
  offer.media.push_back(offer.media[4]);
  offer.media[5].mid = "5";
  offer.bundle_groups[0].push_back("5");
  const auto read = read_offer(offer);
  ASSERT_TRUE(read) << read.error().why;
  std::vector<bool> rejected;
  for (const OfferedMedia& media : read->media) rejected.push_back(media.is_rejected);
  EXPECT_EQ(rejected, (std::vector<bool>{true, true, true, false, false, true})) << "one data channel is enough";
}

// Whatever line is missing: a Result, and when the offer is taken, an answer that can be read.
TEST(ReadOffer, SurvivesEveryDeletedLine) {
  const std::string offer(sdp::kRecordedOffer);
  size_t answered = 0, refused = 0;
  for (size_t begin = 0; begin < offer.size();) {
    const size_t end = offer.find('\n', begin) + 1;
    for (const std::string& text : {offer.substr(0, begin) + offer.substr(end), offer.substr(0, end)}) {
      const auto parsed = sdp::parse(text);
      if (!parsed) continue;
      const std::vector<LocalMedia> decisions(parsed->media.size(), LocalMedia{Direction::kSendRecv, "s", "t", 1, 2});
      const auto answer = make_answer(*parsed, decisions, server_transport(), {});
      answer ? ++answered : ++refused;
      if (!answer) continue;
      const auto again = sdp::parse(answer->sdp);
      ASSERT_TRUE(again) << again.error().why;
      EXPECT_TRUE(read_answer(*parsed, *again)) << read_answer(*parsed, *again).error().why;
    }
    begin = end;
  }
  EXPECT_GT(answered, 300u);
  EXPECT_GT(refused, 300u) << "an offer that was cut lacks m-lines of its BUNDLE group";
}

}  // namespace
}  // namespace atm::negotiation
