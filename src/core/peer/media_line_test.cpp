#include "core/peer/media_line.h"

#include <gtest/gtest.h>

namespace atm::peer {
namespace {

constexpr Instant kStart{100s};

// A simulcast line whose layers are known by RID alone (RFC 8853 5.5).
negotiation::NegotiatedMedia simulcast() {
  negotiation::NegotiatedMedia media;
  media.mid = "1";
  media.kind = MediaKind::kVideo;
  media.direction = negotiation::Direction::kRecvOnly;
  negotiation::NegotiatedCodec& vp8 = media.codecs.emplace_back();
  vp8.codec = Codec::kVp8;
  vp8.payload_type = 96;
  vp8.rtx_payload_type = 97;
  vp8.clock_rate = 90'000;
  media.rids = {"q", "h", "f"};
  return media;
}

struct MediaLineTest : testing::Test {
  MediaLine line{0};
  uint16_t sequence = 0;

  void SetUp() override { line.negotiate(simulcast(), 0); }
  void receive(stream::ReceiveStream& stream, Instant at) {
    Bytes bytes(20, 0);
    bytes[0] = 0x80;
    bytes[1] = 96;
    store_u16(&bytes[2], ++sequence);
    store_u32(&bytes[8], stream.config().ssrc);
    stream.on_packet({at, WallTime{}}, at, *rtp::parse(bytes));
  }
};

// What we send ourselves in layers; a source's layers are nothing to an m-line that sends one stream.
TEST(MediaLineSends, AStreamForEachLayerThatLivesOnOverRenegotiations) {
  negotiation::NegotiatedMedia media = simulcast();
  media.direction = negotiation::Direction::kSendOnly;
  media.local_ssrc = 1;
  media.local_rtx_ssrc = 2;
  MediaLine line{0};
  line.negotiate(media, 0);
  EXPECT_EQ(line.send_layers(), 1);
  EXPECT_EQ(line.send_layer_of(2), 0);
  media.local_layers = {{"q", 1, 2}, {"h", 3, 4}, {"f", 5, 6}};
  const stream::SendStream* lowest = line.send_stream();
  line.negotiate(media, 0);
  ASSERT_EQ(line.send_layers(), 3);
  EXPECT_EQ(line.send_stream(), lowest);
  EXPECT_EQ(line.ssrc(2), 5u);
  EXPECT_EQ(line.send_stream(2)->config().rtx_ssrc, 6u);
  EXPECT_EQ(line.rid(1), "h");
  EXPECT_EQ(line.send_layer_of(2), 2);
  EXPECT_EQ(line.send_layer_of(3), 0);
  line.on_numbered(70, 1);
  EXPECT_EQ(line.next_sequence(1), 71);
  EXPECT_EQ(line.next_sequence(), 0);
}

TEST_F(MediaLineTest, RtxFindsItsLayerByRepairedRid) {
  stream::ReceiveStream* q = line.add_receive_stream(kStart, 10, "q");
  stream::ReceiveStream* h = line.add_receive_stream(kStart, 20, "h");
  ASSERT_TRUE(q && h);
  EXPECT_EQ(line.attach_rtx(21, "h"), h);
  EXPECT_EQ(line.attach_rtx(11, "q"), q);
  EXPECT_EQ(line.attach_rtx(31, "f"), nullptr) << "a layer that has not begun";
  EXPECT_EQ(line.find_receive_stream(21), h);
  EXPECT_EQ(line.find_receive_stream(11), q);
}

TEST_F(MediaLineTest, WithoutARidOnlyTheOneStreamWithoutRtxIsMeant) {
  stream::ReceiveStream* only = line.add_receive_stream(kStart, 10, "");
  EXPECT_EQ(line.attach_rtx(11, ""), only);
  line.add_receive_stream(kStart, 20, "");
  line.add_receive_stream(kStart, 30, "");
  EXPECT_EQ(line.attach_rtx(21, ""), nullptr) << "either could be meant";
}

TEST_F(MediaLineTest, ALayerThatWasNotNegotiatedIsRefused) {
  EXPECT_EQ(line.add_receive_stream(kStart, 10, "z"), nullptr);
}

TEST_F(MediaLineTest, SimulcastLayersCountFromTheFirstRid) {
  EXPECT_EQ(line.simulcast_layers(), 3u);
  line.add_receive_stream(kStart, 30, "f");
  line.add_receive_stream(kStart, 10, "q");
  line.add_receive_stream(kStart, 20, "h");
  line.add_receive_stream(kStart, 40, "");
  EXPECT_EQ(line.simulcast_layer_of(10), 0);
  EXPECT_EQ(line.simulcast_layer_of(20), 1);
  EXPECT_EQ(line.simulcast_layer_of(30), 2);
  EXPECT_EQ(line.simulcast_layer_of(40), 0) << "nobody knows";
}

TEST_F(MediaLineTest, WithoutRidsTheOfferOrdersTheLayers) {
  negotiation::NegotiatedMedia named = simulcast();
  named.rids.clear();
  named.remote_ssrcs = {{300, 301}, {100, 101}, {50, {}}, {51, {}}, {52, {}}};
  line.negotiate(named, 0);
  EXPECT_EQ(line.simulcast_layers(), kMaxSimulcastLayers);
  EXPECT_EQ(line.simulcast_layer_of(300), 0);
  EXPECT_EQ(line.simulcast_layer_of(100), 1);
  EXPECT_EQ(line.simulcast_layer_of(52), kMaxSimulcastLayers - 1) << "a higher one counts as the highest";
  named.remote_ssrcs = {{300, 301}};
  line.negotiate(named, 0);
  EXPECT_EQ(line.simulcast_layers(), 1u);
  EXPECT_EQ(line.simulcast_layer_of(7), 0);
}

TEST_F(MediaLineTest, ANewerStreamOfALayerTakesItOver) {
  stream::ReceiveStream* old = line.add_receive_stream(kStart, 10, "q");
  stream::ReceiveStream* young = line.add_receive_stream(kStart, 11, "q");
  EXPECT_EQ(old->config().rid, "");
  EXPECT_EQ(line.attach_rtx(12, "q"), young);
}

TEST_F(MediaLineTest, TheStreamThatIsSilentLongestMakesRoom) {
  for (uint32_t ssrc = 0; ssrc < kMaxReceiveStreams; ++ssrc) {
    receive(*line.add_receive_stream(kStart, 100 + ssrc, ""), kStart + ssrc * 1ms);
  }
  EXPECT_EQ(line.add_receive_stream(kStart + 1s, 200, ""), nullptr) << "all of them are in use";
  const Instant later = kStart + kSilentStream + 1s;
  receive(*line.find_receive_stream(100), later);
  ASSERT_NE(line.add_receive_stream(later, 200, ""), nullptr);
  EXPECT_EQ(line.find_receive_stream(101), nullptr);
  EXPECT_NE(line.find_receive_stream(100), nullptr);
  EXPECT_EQ(line.evictions(), 1u);
  EXPECT_EQ(line.receive_streams().size(), kMaxReceiveStreams);
}

TEST_F(MediaLineTest, AStreamThatAnOfferNamesIsNeverEvicted) {
  negotiation::NegotiatedMedia named = simulcast();
  named.remote_ssrcs = {{100, std::nullopt}};
  line.negotiate(named, 0);
  receive(*line.find_receive_stream(100), kStart);
  for (uint32_t ssrc = 1; ssrc < kMaxReceiveStreams; ++ssrc) {
    receive(*line.add_receive_stream(kStart, 100 + ssrc, ""), kStart + 1ms);
  }
  ASSERT_NE(line.add_receive_stream(kStart + 1min, 200, ""), nullptr);
  EXPECT_NE(line.find_receive_stream(100), nullptr);
}

}  // namespace
}  // namespace atm::peer
