#include "core/stream/send_stream.h"

#include <gtest/gtest.h>

#include "core/stream/stream_test_support.h"

namespace atm::stream {
namespace {

constexpr uint32_t kSsrc = 1;
constexpr uint32_t kRtxSsrc = 2;

class SendStreamTest : public testing::Test {
 protected:
  SentPacket packet(int sequence, uint32_t timestamp = 0) {
    SentPacket out;
    out.sequence = static_cast<uint16_t>(sequence);
    out.timestamp = timestamp;
    out.payload_type = 96;
    out.rtx_payload_type = 97;
    out.payload = pool.copy(as_bytes("0123456789"));
    return out;
  }
  void send(Duration when, int sequence, uint32_t timestamp = 0, std::optional<Instant> captured_at = {}) {
    stream.on_sent(at(when), packet(sequence, timestamp), captured_at);
  }

  PacketPool pool;
  SendStream stream{{kSsrc, kRtxSsrc, 90'000, kHistoryPackets, 65'535}};
};

TEST_F(SendStreamTest, writes_header_extensions_and_patched_payload) {
  SentPacket sent = packet(7, 8);
  sent.marker = true;
  sent.patch.at = 3;
  sent.patch.size = 2;
  sent.patch.bytes = {'X', 'Y'};
  const Bytes level = {0x9F};
  const rtp::ExtensionValue values[] = {{1, level}};
  Bytes out(100);
  const size_t size = stream.write(out, sent, values);
  const auto view = rtp::parse(MutByteView(out).first(size));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->ssrc, kSsrc);
  EXPECT_EQ(view->sequence, 7);
  EXPECT_EQ(view->timestamp, 8u);
  EXPECT_TRUE(view->marker);
  EXPECT_EQ(as_text(view->payload), "012XY56789");
  EXPECT_TRUE(rtp::find_extension(*view, 1));
  EXPECT_EQ(as_text(sent.payload.bytes()), "0123456789");  // shared: not touched

  for (size_t room = 0; room < size; ++room) EXPECT_EQ(stream.write(MutByteView(out).first(room), sent, values), 0u);
  for (size_t room = 0; room < size + 2; ++room) {
    EXPECT_EQ(stream.write_rtx(MutByteView(out).first(room), sent, values), 0u);
  }
  EXPECT_EQ(stream.write_rtx(out, sent, values), size + 2);
  EXPECT_EQ(load_u16(out.data() + 2), 65'535);  // failed attempts used no number
  EXPECT_EQ(stream.write_rtx(out, sent, values), size + 2);
  EXPECT_EQ(load_u16(out.data() + 2), 0);
}

TEST_F(SendStreamTest, a_packet_is_found_until_it_is_too_old) {
  send(0ms, 65'535);
  send(0ms, 0);
  EXPECT_EQ(stream.find_for_retransmission(at(1'500ms), 65'535)->sequence, 65'535);
  EXPECT_EQ(stream.find_for_retransmission(at(1'501ms), 0), nullptr);
  EXPECT_EQ(stream.find_for_retransmission(at(0ms), 1), nullptr);
  EXPECT_EQ(stream.find_for_retransmission(at(0ms), 30'000), nullptr);
  EXPECT_EQ(stream.counters().nacked, 4u);
  EXPECT_EQ(stream.counters().nacked_unknown, 3u);
}

TEST_F(SendStreamTest, repeated_nacks_are_answered_once_a_round_trip_and_ten_times_at_most) {
  send(0ms, 5);
  EXPECT_TRUE(stream.find_for_retransmission(at(1ms), 5));
  EXPECT_FALSE(stream.find_for_retransmission(at(10ms), 5));
  EXPECT_TRUE(stream.find_for_retransmission(at(11ms), 5));
  stream.set_rtt(50ms);
  EXPECT_FALSE(stream.find_for_retransmission(at(60ms), 5));
  EXPECT_TRUE(stream.find_for_retransmission(at(61ms), 5));
  int answered = 3;
  for (int ms = 62; ms < 1'400; ++ms) answered += stream.find_for_retransmission(at(ms * 1ms), 5) != nullptr;
  EXPECT_EQ(answered, SendStream::kMaxResends);
  EXPECT_GT(stream.counters().nacked_throttled, 1'000u);
}

TEST_F(SendStreamTest, without_rtx_nothing_is_ever_sent_again) {
  SendStream plain({kSsrc, std::nullopt, 90'000, kHistoryPackets, 0});
  plain.on_sent(at(0ms), packet(5));
  EXPECT_FALSE(plain.find_for_retransmission(at(20ms), 5));
  SentPacket no_rtx = packet(6);
  no_rtx.rtx_payload_type = 0;
  stream.on_sent(at(0ms), no_rtx);
  EXPECT_FALSE(stream.find_for_retransmission(at(20ms), 6));
  Bytes out(100);
  EXPECT_EQ(plain.write_rtx(out, packet(5), {}), 0u);
  EXPECT_EQ(stream.write_rtx(out, no_rtx, {}), 0u);
  no_rtx = SentPacket();
  EXPECT_EQ(pool.buffers_in_use(), 0u);  // and no payload is kept for it
}

TEST_F(SendStreamTest, history_is_bounded_by_count_and_by_age) {
  for (int i = 0; i < 5'000; ++i) send(i * 100us, i);
  EXPECT_EQ(pool.buffers_in_use(), kHistoryPackets);
  EXPECT_TRUE(stream.find_for_retransmission(at(500ms), 4'999));
  EXPECT_TRUE(stream.find_for_retransmission(at(500ms), 5'000 - 1'024));
  EXPECT_FALSE(stream.find_for_retransmission(at(500ms), 5'000 - 1'025));
  stream.drop_old(at(1'950ms));
  EXPECT_EQ(pool.buffers_in_use(), 500u);  // those sent from 450 ms on
  stream.drop_old(at(3s));
  EXPECT_EQ(pool.buffers_in_use(), 0u);
  send(3s, 5'000);
  EXPECT_TRUE(stream.find_for_retransmission(at(3s), 5'000));
  EXPECT_EQ(pool.buffers_in_use(), 1u);
}

TEST_F(SendStreamTest, history_survives_jumps_and_late_packets) {
  send(0ms, 10);
  send(0ms, 12);
  send(1ms, 11);  // fills the hole
  send(1ms, 9);   // before everything kept, still in reach
  for (const uint16_t sequence : {9, 10, 11, 12}) EXPECT_TRUE(stream.find_for_retransmission(at(5ms), sequence));
  send(2ms, 20'000);
  for (const uint16_t sequence : {9, 10, 11, 12}) EXPECT_FALSE(stream.find_for_retransmission(at(500ms), sequence));
  EXPECT_EQ(pool.buffers_in_use(), 1u);
  send(3ms, 13);  // out of reach now
  EXPECT_EQ(pool.buffers_in_use(), 1u);
  EXPECT_TRUE(stream.find_for_retransmission(at(5ms), 20'000));
  for (int i = 20'001; i < 20'001 + 70'000; ++i) send(4ms, i);
  EXPECT_EQ(pool.buffers_in_use(), kHistoryPackets);
}

TEST_F(SendStreamTest, a_slow_stream_keeps_few_packets) {
  for (int i = 0; i < 1'000; ++i) send(i * 20ms, i);
  EXPECT_EQ(pool.buffers_in_use(), 76u);  // 1.5 s of 50 a second, both ends
}

TEST_F(SendStreamTest, sender_report_maps_now_to_the_timestamp) {
  EXPECT_FALSE(stream.make_sender_report(at(0s)));
  send(0ms, 1, 0xFFFFFF00);
  send(5ms, 2, 0xFFFFFF00);  // a later packet of the same frame
  auto report = stream.make_sender_report(at(100ms));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->ssrc, kSsrc);
  EXPECT_EQ(report->rtp_timestamp, static_cast<uint32_t>(0xFFFFFF00 + 9'000));
  EXPECT_EQ(report->ntp, to_ntp(at(100ms).wall));
  EXPECT_EQ(report->packets, 2u);
  EXPECT_EQ(report->octets, 20u);
  send(200ms, 4, 18'000 - 0x100);
  send(205ms, 3, 9'000 - 0x100);  // late: says nothing about now
  EXPECT_EQ(stream.make_sender_report(at(210ms))->rtp_timestamp, 18'000u - 0x100 + 900);
}

TEST_F(SendStreamTest, sender_report_maps_now_to_what_is_captured_now) {
  send(0ms, 1, 9'000);
  EXPECT_EQ(stream.make_sender_report(at(0ms))->rtp_timestamp, 9'000u) << "not known yet: when it was sent";
  send(100ms, 2, 18'000, at(-200ms).mono);
  const auto report = stream.make_sender_report(at(110ms));
  EXPECT_EQ(report->rtp_timestamp, 18'000u + 310 * 90);
  EXPECT_EQ(report->ntp, to_ntp(at(110ms).wall)) << "on our own clock still: the round trip follows from it";
  rtcp::ReportBlock block;
  block.ssrc = kSsrc;
  block.last_sr = static_cast<uint32_t>(report->ntp >> 16);
  EXPECT_EQ(stream.on_report_block(at(150ms), block), Duration(40ms));
  uint32_t timestamp = 27'000;
  for (const Duration age : {kBelievedAge + 1ms, -kBelievedAge - 1ms}) {
    send(200ms, 3, ++timestamp, at(200ms - age).mono);
    EXPECT_EQ(stream.make_sender_report(at(200ms))->rtp_timestamp, timestamp) << "nobody holds it for so long";
  }
}

TEST_F(SendStreamTest, round_trip_comes_from_the_report_that_is_echoed) {
  send(0ms, 1);
  const auto report = stream.make_sender_report(at(0ms));
  rtcp::ReportBlock block;
  block.ssrc = kSsrc;
  block.fraction_lost = 64;
  EXPECT_FALSE(stream.on_report_block(at(1s), block));  // none received yet
  EXPECT_EQ(stream.remote_report()->fraction_lost, 64);
  block.last_sr = static_cast<uint32_t>(report->ntp >> 16);
  block.delay_since_last_sr = 0x8000;  // half a second
  Now stepped = at(600ms);
  stepped.wall -= 3600s;  // the wall clock was set: of no matter
  EXPECT_EQ(stream.on_report_block(stepped, block), Duration(100ms));
  EXPECT_EQ(stream.rtt(), Duration(100ms));
  block.delay_since_last_sr = 0;
  EXPECT_EQ(stream.on_report_block(at(180ms), block), Duration(180ms));
  EXPECT_EQ(stream.rtt(), Duration(110ms));  // smoothed by 1/8
  block.delay_since_last_sr = 0x00FF0000;    // more than can be: never negative
  EXPECT_EQ(stream.on_report_block(at(200ms), block), Duration(0));
  block.last_sr ^= 1;  // a report that we did not send
  EXPECT_FALSE(stream.on_report_block(at(200ms), block));
  block.ssrc = 99;
  block.fraction_lost = 1;
  EXPECT_FALSE(stream.on_report_block(at(200ms), block));
  EXPECT_EQ(stream.remote_report()->fraction_lost, 64);
}

TEST(KeptExtensions, keeps_small_values_and_leaves_the_rest_out) {
  KeptExtensions kept;
  const Bytes one = {1};
  EXPECT_TRUE(kept.add(rtp::Extension::kAudioLevel, one));
  EXPECT_FALSE(kept.add(rtp::Extension::kColorSpace, Bytes(5)));
  EXPECT_FALSE(kept.add(rtp::Extension::kVideoOrientation, {}));
  EXPECT_TRUE(kept.add(rtp::Extension::kVideoOrientation, one));
  EXPECT_TRUE(kept.add(rtp::Extension::kPlayoutDelay, Bytes(3)));
  EXPECT_FALSE(kept.add(rtp::Extension::kVideoContentType, one));
  size_t bytes = 0;
  kept.for_each([&](rtp::Extension, ByteView value) { bytes += value.size(); });
  EXPECT_EQ(bytes, 5u);
}

}  // namespace
}  // namespace atm::stream
