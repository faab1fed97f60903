#include "core/negotiation/codec.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/sdp/sdp.h"

namespace atm::negotiation {
namespace {

// Codecs of one m-line with these formats and lines.
std::vector<NegotiatedCodec> codecs_of(const std::string& kind, const std::string& formats, const std::string& lines,
                                       const Policy& policy = {}) {
  const auto parsed = sdp::parse("v=0\nm=" + kind + " 9 UDP/TLS/RTP/SAVPF " + formats + "\n" + lines);
  EXPECT_TRUE(parsed) << parsed.error().why;
  return read_codecs(parsed->media.at(0), *parse_media_kind(kind), policy);
}

std::vector<int> payload_types(const std::vector<NegotiatedCodec>& codecs) {
  std::vector<int> out;
  for (const NegotiatedCodec& codec : codecs) out.push_back(codec.payload_type);
  return out;
}

NegotiatedCodec h264(const char* profile_level_id, uint8_t mode = 1) {
  NegotiatedCodec out;
  out.codec = Codec::kH264;
  out.clock_rate = 90000;
  out.h264_profile_level_id = profile_level_id;
  out.h264_packetization_mode = mode;
  return out;
}

TEST(Red, belongs_to_the_opus_that_its_fmtp_names) {
  const std::string lines = "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\na=rtpmap:112 opus/48000/2\n";
  const auto read = codecs_of("audio", "111 63 112", lines + "a=fmtp:63 111/111\n");
  ASSERT_EQ(payload_types(read), (std::vector<int>{111, 112}));
  EXPECT_EQ(read[0].red_payload_type, 63);
  EXPECT_FALSE(read[1].red_payload_type);
  for (const std::string fmtp : {"", "a=fmtp:63 111/112\n", "a=fmtp:63 110/110\n", "a=fmtp:63 111/112/111\n",
                                 "a=fmtp:63 111/x\n", "a=fmtp:63 /\n"}) {
    const auto without = codecs_of("audio", "111 63", "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\n" + fmtp);
    ASSERT_EQ(without.size(), 1u) << fmtp;
    EXPECT_FALSE(without[0].red_payload_type) << fmtp;
  }
  // Of another rate or for video it is another thing: redundancy of FEC, which is declined.
  EXPECT_FALSE(codecs_of("audio", "111 63", "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/8000\na=fmtp:63 111/111\n")[0]
                   .red_payload_type);
  EXPECT_FALSE(codecs_of("video", "96 63", "a=rtpmap:96 VP8/90000\na=rtpmap:63 red/90000\na=fmtp:63 96/96\n")[0]
                   .red_payload_type);
}

TEST(Red, is_written_in_front_of_its_opus) {
  NegotiatedCodec opus;
  opus.payload_type = 111;
  opus.red_payload_type = 63;
  opus.clock_rate = 48'000;
  opus.channels = 2;
  sdp::MediaDescription out;
  write_codecs(out, {opus});
  EXPECT_EQ(out.formats, (std::vector<std::string>{"63", "111"}));
  EXPECT_EQ(out.rtpmaps[0].name, "red");
  EXPECT_EQ(out.fmtps[0].parameters, "111/111");
}

TEST(H264Profile, ManySpellingsOfOneProfile) {
  for (const char* text : {"42e01f", "42E01F", "42401e", "4d8028", "58c00a"}) {
    EXPECT_EQ(parse_h264_profile(text), H264Profile::kConstrainedBaseline) << text;
  }
  for (const char* text : {"42001f", "42800a", "588015"}) {
    EXPECT_EQ(parse_h264_profile(text), H264Profile::kBaseline) << text;
  }
  for (const char* text : {"4d001f", "4d401f"}) EXPECT_EQ(parse_h264_profile(text), H264Profile::kMain) << text;
  EXPECT_EQ(parse_h264_profile("64001f"), H264Profile::kHigh);
  EXPECT_EQ(parse_h264_profile("640c1f"), H264Profile::kConstrainedHigh);
  for (const char* text : {"f4001f", "58001f", "4d201f", "6e001f", "42001", "42001g", "", "42001f0", "+2001f"}) {
    EXPECT_FALSE(parse_h264_profile(text)) << text;
  }
}

TEST(CanDecode, AProfileTakesThoseInsideIt) {
  const char* cb = "42e01f";
  const char* baseline = "42001f";
  const char* main = "4d001f";
  const char* high = "64001f";
  const char* constrained_high = "640c1f";
  struct Case {
    const char* own;
    const char* sent;
    bool can;
  };
  for (const Case& c : {Case{baseline, cb, true},
                        {main, cb, true},
                        {high, cb, true},
                        {constrained_high, cb, true},
                        {high, main, true},
                        {high, constrained_high, true},
                        {cb, baseline, false},
                        {cb, high, false},
                        {main, baseline, false},
                        {high, baseline, false},
                        {main, high, false},
                        {constrained_high, main, false},
                        {main, constrained_high, false},
                        {cb, "42e034", true}}) {
    EXPECT_EQ(can_decode(h264(c.own), h264(c.sent)), c.can) << c.own << " gets " << c.sent;
  }
  EXPECT_TRUE(can_decode(h264(cb, 1), h264(cb, 0))) << "single NAL units are in the non-interleaved mode too";
  EXPECT_FALSE(can_decode(h264(cb, 0), h264(cb, 1)));
  NegotiatedCodec vp8;
  vp8.codec = Codec::kVp8;
  vp8.clock_rate = 90'000;
  EXPECT_FALSE(can_decode(vp8, h264(cb)));
}

TEST(SameFormat, ProfileAndPacketizationCountAndLevelDoesNot) {
  EXPECT_TRUE(is_same_format(h264("42e01f"), h264("42e034")));
  EXPECT_TRUE(is_same_format(h264("42e01f"), h264("42c01e")));
  EXPECT_FALSE(is_same_format(h264("42e01f"), h264("42001f")));
  EXPECT_FALSE(is_same_format(h264("42e01f", 1), h264("42e01f", 0)));
  NegotiatedCodec vp9;
  vp9.codec = Codec::kVp9;
  NegotiatedCodec vp9_ten_bit = vp9;
  vp9_ten_bit.vp9_profile = 2;
  vp9_ten_bit.payload_type = 100;
  EXPECT_FALSE(is_same_format(vp9, vp9_ten_bit));
  vp9_ten_bit.vp9_profile = 0;
  EXPECT_TRUE(is_same_format(vp9, vp9_ten_bit)) << "payload types may differ";
  NegotiatedCodec vp8 = vp9;
  vp8.codec = Codec::kVp8;
  EXPECT_FALSE(is_same_format(vp9, vp8));
}

TEST(ReadCodecs, ReadsOpusAndDeclinesTheRestOfAudio) {
  const auto codecs =
      codecs_of("audio", "111 63 9 0 8 13 110 126",
                "a=rtpmap:111 opus/48000/2\na=fmtp:111 minptime=10;useinbandfec=0\na=rtpmap:63 red/48000/2\n"
                "a=fmtp:63 111/111\na=rtpmap:9 G722/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\n"
                "a=rtpmap:13 CN/8000\na=rtpmap:110 telephone-event/48000\na=rtpmap:126 telephone-event/8000\n");
  ASSERT_EQ(payload_types(codecs), std::vector<int>{111});
  EXPECT_EQ(codecs[0].codec, Codec::kOpus);
  EXPECT_EQ(codecs[0].clock_rate, 48000u);
  EXPECT_EQ(codecs[0].channels, 2);
  EXPECT_EQ(codecs[0].fmtp, "minptime=10;useinbandfec=0") << "what was offered stays";
  EXPECT_FALSE(codecs[0].nack);
}

TEST(ReadCodecs, OpusGetsInBandFecWhenTheOfferSaysNothing) {
  EXPECT_EQ(codecs_of("audio", "96", "a=rtpmap:96 OPUS/48000/2\n")[0].fmtp, "useinbandfec=1");
  EXPECT_EQ(codecs_of("audio", "96", "a=rtpmap:96 opus/48000/2\na=fmtp:96 stereo=1\n")[0].fmtp,
            "stereo=1;useinbandfec=1");
  EXPECT_TRUE(codecs_of("audio", "96", "a=rtpmap:96 opus/48000\n").empty());
  EXPECT_TRUE(codecs_of("audio", "96", "a=rtpmap:96 opus/16000/2\n").empty());
}

TEST(ReadCodecs, KnowsTheVariantsOfVideo) {
  const auto codecs = codecs_of(
      "video", "96 98 100 35 37 102 41 99 45 47 50 51 52",
      "a=rtpmap:96 VP8/90000\na=rtpmap:98 VP9/90000\na=rtpmap:100 VP9/90000\na=fmtp:100 profile-id=2\n"
      "a=rtpmap:35 VP9/90000\na=fmtp:35 profile-id=1\na=rtpmap:37 VP9/90000\na=fmtp:37 profile-id=3\n"
      "a=rtpmap:102 H264/90000\na=fmtp:102 level-asymmetry-allowed=1; Packetization-Mode=1; profile-level-id=42E01F\n"
      "a=rtpmap:41 H264/90000\na=fmtp:41 profile-level-id=f4001f\n"
      "a=rtpmap:99 H264/90000\n"
      "a=rtpmap:45 AV1/90000\na=rtpmap:47 AV1/90000\na=fmtp:47 level-idx=5;profile=1;tier=0\n"
      "a=rtpmap:50 H264/90000\na=fmtp:50 packetization-mode=2;profile-level-id=42e01f\n"
      "a=rtpmap:51 VP9/90000\na=fmtp:51 profile-id=x\na=rtpmap:52 VP8/8000\n");
  ASSERT_EQ(payload_types(codecs), (std::vector<int>{96, 98, 100, 102, 99, 45}));
  EXPECT_EQ(codecs[1].vp9_profile, 0);
  EXPECT_EQ(codecs[2].vp9_profile, 2);
  EXPECT_EQ(codecs[3].h264_profile_level_id, "42e01f");
  EXPECT_EQ(codecs[3].h264_packetization_mode, 1);
  EXPECT_EQ(parse_h264_profile(codecs[4].h264_profile_level_id), H264Profile::kBaseline);
  EXPECT_EQ(codecs[4].h264_packetization_mode, 0);
}

TEST(ReadCodecs, FindsRtxAndFeedback) {
  const auto codecs =
      codecs_of("video", "97 96 98 99 100",
                "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\na=rtpmap:96 VP8/90000\n"
                "a=rtpmap:98 VP9/90000\na=rtpmap:99 RTX/90000\na=fmtp:99 apt=98;rtx-time=3000\n"
                "a=rtpmap:100 rtx/90000\na=fmtp:100 apt=98\n"
                "a=rtcp-fb:* nack\na=rtcp-fb:96 nack pli\na=rtcp-fb:96 ccm fir\na=rtcp-fb:96 goog-remb\n"
                "a=rtcp-fb:96 transport-cc\n");
  ASSERT_EQ(payload_types(codecs), (std::vector<int>{96, 98}));
  EXPECT_EQ(codecs[0].rtx_payload_type, 97) << "RTX may stand before what it repairs";
  EXPECT_EQ(codecs[1].rtx_payload_type, 99) << "the first wins";
  EXPECT_TRUE(codecs[0].nack && codecs[0].pli && codecs[0].fir && codecs[0].remb);
  EXPECT_TRUE(codecs[0].transport_cc);
  EXPECT_TRUE(codecs[1].nack);
  EXPECT_FALSE(codecs[1].pli);
}

TEST(ReadCodecs, IgnoresPayloadTypesThatCannotBeToldFromRtcp) {
  EXPECT_EQ(payload_types(codecs_of("video", "72 96 96 200 x 63",
                                    "a=rtpmap:72 VP8/90000\na=rtpmap:96 VP8/90000\na=rtpmap:63 VP9/90000\n")),
            (std::vector<int>{96, 63}));
}

TEST(ReadCodecs, APolicyOrdersAndForbids) {
  const std::string lines =
      "a=rtpmap:96 VP8/90000\na=rtpmap:98 VP9/90000\na=rtpmap:100 VP9/90000\na=fmtp:100 profile-id=2\n"
      "a=rtpmap:45 AV1/90000\n";
  const auto with = [&](std::vector<Codec> codecs) {
    return payload_types(codecs_of("video", "96 98 100 45", lines, {std::move(codecs)}));
  };
  EXPECT_EQ(with({}), (std::vector<int>{96, 98, 100, 45}));
  EXPECT_EQ(with({Codec::kOpus, Codec::kVp9, Codec::kVp8}), (std::vector<int>{98, 100, 96}));
  EXPECT_EQ(with({Codec::kVp9, Codec::kVp8, Codec::kVp9}), (std::vector<int>{98, 100, 96}));
  EXPECT_EQ(with({Codec::kAv1}), (std::vector<int>{45}));
  EXPECT_EQ(with({Codec::kOpus}), std::vector<int>{});
}

TEST(FindParameter, KeysAreCaseInsensitiveAndWhole) {
  EXPECT_EQ(find_parameter("a=1; Apt = 96 ;b", "apt"), "96");
  EXPECT_EQ(find_parameter("xapt=1", "apt"), std::nullopt);
  EXPECT_EQ(find_parameter("apt", "apt"), std::nullopt);
  EXPECT_EQ(find_parameter(";;=;apt=", "apt"), "");
  EXPECT_EQ(find_parameter("", "apt"), std::nullopt);
}

}  // namespace
}  // namespace atm::negotiation
