// The playout delay that a session has chosen, on what is sent to it.
#include <gtest/gtest.h>

#include "core/peer/call_test.h"
#include "wire/rtp/packet.h"

namespace atm::peer {
namespace {

using negotiation::Direction;
using payload::PlayoutDelay;
constexpr size_t kAudio = 1, kVideo = 2;  // m-lines; 0 is the data channel
constexpr PlayoutDelay kOfThePublisher{100ms, 200ms};

struct PlayoutDelayTest : testing::Test {
  CallWorld world{1};
  std::optional<Call> call;
  int64_t sequence = 100;

  void connect(std::optional<Duration> delay) {
    call.emplace(world, false, delay);
    ASSERT_TRUE(call->connect({Call::line(MediaKind::kAudio, Direction::kRecvOnly, "a"),
                               Call::line(MediaKind::kVideo, Direction::kRecvOnly, "v")}));
  }
  // As the room sends it: with the publisher's own wish, and what else fits.
  void send(size_t media, bool is_key_frame, bool has_wish = true, size_t size = 10) {
    MediaPacket packet;
    packet.starts_key_frame = is_key_frame;
    constexpr uint8_t kByte[] = {1};
    // One after the other, so that the list is full with the wish and without it.
    packet.extensions.add(rtp::Extension::kVideoOrientation, kByte);
    packet.extensions.add(rtp::Extension::kVideoContentType, kByte);
    packet.extensions.add(has_wish ? rtp::Extension::kPlayoutDelay : rtp::Extension::kColorSpace,
                          payload::write_playout_delay(kOfThePublisher));
    packet.payload = world.pool.copy(Bytes(size, 'x'));
    const auto& codecs = call->server.peer->media(media).negotiated().codecs;
    call->server.peer->send_media(world.now, media, packet, {sequence++, 0, codecs[0].payload_type}, call->server.out);
    call->flush(call->server);
  }
  std::optional<PlayoutDelay> told_with(size_t media, bool is_key_frame, bool has_wish = true, size_t size = 10) {
    const size_t before = call->client.got.size();
    send(media, is_key_frame, has_wish, size);
    call->run(20ms);
    EXPECT_EQ(call->client.got.size(), before + 1);
    return call->client.got.back().playout_delay;
  }
};

TEST_F(PlayoutDelayTest, WithoutAModeThePublishersWishGoesOn) {
  connect(std::nullopt);
  EXPECT_EQ(told_with(kVideo, true), kOfThePublisher);
  EXPECT_EQ(told_with(kVideo, false, false), std::nullopt);
}

TEST_F(PlayoutDelayTest, AModeTakesThePlaceOfThePublishersWish) {
  connect(0ms);
  EXPECT_EQ(told_with(kVideo, true), (PlayoutDelay{0ms, 0ms}));
  EXPECT_EQ(told_with(kVideo, false), (PlayoutDelay{0ms, 0ms}));
}

TEST_F(PlayoutDelayTest, GoesOutUntilTheReportAndThenWithKeyFrames) {
  connect(500ms);
  const PlayoutDelay mode{500ms, 500ms};
  EXPECT_EQ(told_with(kVideo, false, false), mode) << "also where the list of forwarded extensions is full";
  call->run(2s);
  ASSERT_TRUE(call->server.peer->media(kVideo).send_stream()->remote_report());
  EXPECT_EQ(told_with(kVideo, false), std::nullopt) << "the publisher's is not passed on either";
  EXPECT_EQ(told_with(kVideo, true), mode);
}

// Browsers offer it for video alone. The client of this test reads it of no audio: the size tells.
TEST_F(PlayoutDelayTest, AudioIsToldWhereItNegotiatedIt) {
  for (const bool is_offered : {true, false}) {
    call.emplace(world, false, 500ms);
    std::string offer = call->client.peer->make_offer({Call::line(MediaKind::kAudio, Direction::kRecvOnly, "a")}, {});
    if (is_offered) offer += "a=extmap:9 " + std::string(rtp::uri_of(rtp::Extension::kPlayoutDelay)) + "\r\n";
    const auto answer = call->answer(offer);
    ASSERT_TRUE(answer && call->accept(*answer));
    call->run(2s);
    size_t size = 0;
    call->watch = [&](bool, const Bytes& datagram) { size = datagram.size(); };
    call->send(call->server, kAudio, sequence++, "frame");
    call->watch = nullptr;
    EXPECT_EQ(size, 12 + (is_offered ? 12 : 8) + 5 + 16u) << "header, extensions (the MID is one), frame, tag";
  }
}

TEST_F(PlayoutDelayTest, TheLongestModeIsWhatItSays) {
  connect(2s);
  EXPECT_EQ(told_with(kVideo, true), (PlayoutDelay{2s, 2s}));
}

TEST_F(PlayoutDelayTest, AKeyFrameThatIsSentAgainHasItToo) {
  connect(200ms);
  told_with(kVideo, true);
  call->run(2s);
  const int64_t lost = call->client.got.back().sequence + 1;
  call->drop = [](bool to_server, const Bytes& datagram) {
    return !to_server && rtp::classify(datagram) == rtp::PacketClass::kRtp;
  };
  send(kVideo, true, false);
  call->drop = nullptr;
  EXPECT_EQ(told_with(kVideo, false), std::nullopt);
  call->run(500ms);
  ASSERT_EQ(call->server.peer->counters().rtx_sent, 1u);
  EXPECT_EQ(call->client.got.back().sequence, lost);
  EXPECT_EQ(call->client.got.back().playout_delay, (PlayoutDelay{200ms, 200ms}));
}

TEST_F(PlayoutDelayTest, IsLeftOutWhereADatagramWouldGetTooLarge) {
  connect(200ms);
  EXPECT_EQ(told_with(kVideo, true, true, 1'195), std::nullopt);
  EXPECT_EQ(call->server.peer->counters().extensions_dropped, 1u);
}

}  // namespace
}  // namespace atm::peer
