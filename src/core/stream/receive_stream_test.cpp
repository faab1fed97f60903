#include "core/stream/receive_stream.h"

#include <gtest/gtest.h>

#include "core/stream/stream_test_support.h"

namespace atm::stream {
namespace {

constexpr uint32_t kSsrc = 1;
constexpr uint32_t kRtxSsrc = 2;

ReceiveStream video() {
  return ReceiveStream({kSsrc, kRtxSsrc, 90'000, true});
}

ReceiveStream::Received give(ReceiveStream& stream, Duration when, int sequence) {
  const TestPacket packet(static_cast<uint16_t>(sequence), 0);
  return stream.on_packet(at(when), at(when).mono, packet.view());
}

std::vector<uint16_t> nacks(ReceiveStream& stream, Duration when) {
  std::vector<uint16_t> out;
  stream.collect_nacks(at(when), out);
  return out;
}

TEST(ReceiveStream, numbers_grow_over_the_wrap) {
  ReceiveStream stream = video();
  int64_t previous = give(stream, 0ms, 65'530).sequence;
  EXPECT_EQ(previous & 0xFFFF, 65'530);
  for (int i = 1; i < 20; ++i) {
    const auto received = give(stream, 0ms, 65'530 + i);
    EXPECT_TRUE(received.accepted);
    EXPECT_EQ(received.sequence, previous + 1);
    previous = received.sequence;
  }
  EXPECT_TRUE(nacks(stream, 1s).empty());
}

TEST(ReceiveStream, a_packet_is_accepted_once) {
  ReceiveStream stream = video();
  give(stream, 0ms, 10);
  give(stream, 0ms, 12);
  EXPECT_TRUE(give(stream, 0ms, 11).accepted);
  for (const int sequence : {10, 11, 12}) {
    const auto received = give(stream, 0ms, sequence);
    EXPECT_FALSE(received.accepted);
    EXPECT_TRUE(received.is_duplicate);
  }
  EXPECT_TRUE(give(stream, 0ms, 9).accepted);  // from before the first
  EXPECT_EQ(stream.counters().packets, 4u);
  EXPECT_EQ(stream.counters().duplicates, 3u);
}

TEST(ReceiveStream, reordering_asks_for_nothing_and_loss_does) {
  ReceiveStream stream = video();
  give(stream, 0ms, 1);
  give(stream, 5ms, 3);
  give(stream, 9ms, 2);
  EXPECT_EQ(stream.next_timeout(), kNever);
  give(stream, 20ms, 6);
  EXPECT_EQ(stream.next_timeout(), at(30ms).mono);
  EXPECT_EQ(nacks(stream, 30ms), (std::vector<uint16_t>{4, 5}));
  EXPECT_EQ(stream.counters().nacks_requested, 2u);
}

TEST(ReceiveStream, audio_without_nack_asks_for_nothing) {
  ReceiveStream stream({kSsrc, std::nullopt, 48'000, false});
  give(stream, 0ms, 1);
  give(stream, 0ms, 2'000);
  EXPECT_EQ(stream.next_timeout(), kNever);
  EXPECT_TRUE(nacks(stream, 1s).empty());
  EXPECT_FALSE(stream.take_key_frame_wanted());
}

TEST(ReceiveStream, a_restart_of_the_sender_is_believed_at_its_second_packet) {
  for (const int to : {30'000, 9'000, 4'900}) {  // ahead, far behind, just behind (seen before)
    ReceiveStream stream = video();
    int64_t last = 0;
    for (int i = 0; i < 5'000; ++i) last = give(stream, 0ms, i).sequence;
    if (to == 9'000) {
      for (int i = 5'000; i < 20'000; ++i) last = give(stream, 0ms, i).sequence;
    }
    if (to == 4'900) {
      for (int i = 5'000; i < 5'200; ++i) last = give(stream, 0ms, i).sequence;
    }
    EXPECT_FALSE(give(stream, 0ms, to).accepted) << to;
    const auto second = give(stream, 0ms, to + 1);
    EXPECT_TRUE(second.accepted) << to;
    EXPECT_TRUE(second.is_restart) << to;
    EXPECT_GT(second.sequence, last);
    EXPECT_EQ(second.sequence & 0xFFFF, to + 1);
    EXPECT_TRUE(stream.take_key_frame_wanted());
    const auto third = give(stream, 0ms, to + 2);
    EXPECT_TRUE(third.accepted);
    EXPECT_FALSE(third.is_restart);
    EXPECT_EQ(third.sequence, second.sequence + 1);
    EXPECT_TRUE(nacks(stream, 1s).empty());
    // The report starts over too: no loss of tens of thousands.
    EXPECT_EQ(stream.make_report_block(at(0s))->cumulative_lost, 0);
    EXPECT_EQ(stream.make_report_block(at(0s))->highest_sequence, static_cast<uint32_t>(to + 2));
  }
}

TEST(ReceiveStream, a_single_stray_packet_changes_nothing) {
  ReceiveStream stream = video();
  give(stream, 0ms, 100);
  EXPECT_FALSE(give(stream, 0ms, 40'000).accepted);
  EXPECT_TRUE(give(stream, 0ms, 101).accepted);
  EXPECT_FALSE(give(stream, 0ms, 40'001).accepted);  // what stood between them broke the proof
  EXPECT_FALSE(give(stream, 0ms, 50'000).accepted);  // nor do two that do not follow each other
  EXPECT_EQ(stream.counters().restarts, 0u);
}

TEST(ReceiveStream, a_long_outage_wants_a_key_frame_and_goes_on_at_once) {
  ReceiveStream stream = video();
  give(stream, 0ms, 1);
  EXPECT_TRUE(give(stream, 1s, 1'001).accepted);
  EXPECT_TRUE(stream.take_key_frame_wanted());
  EXPECT_TRUE(nacks(stream, 2s).empty());
  EXPECT_TRUE(give(stream, 1s, 1'002).accepted);
}

TEST(ReceiveStream, what_is_missing_after_an_interruption_wants_a_key_frame) {
  ReceiveStream stream = video();
  give(stream, 0ms, 1);
  stream.on_interruption();
  give(stream, 1s, 2);
  EXPECT_FALSE(stream.take_key_frame_wanted()) << "nothing is missing";
  give(stream, 1s, 4);
  EXPECT_FALSE(stream.take_key_frame_wanted()) << "an ordinary loss";
  stream.on_interruption();
  give(stream, 2s, 3);  // repaired
  EXPECT_FALSE(stream.take_key_frame_wanted());
  give(stream, 2s, 30);
  EXPECT_TRUE(stream.take_key_frame_wanted());
  give(stream, 2s, 32);
  EXPECT_FALSE(stream.take_key_frame_wanted());
}

// An RTX packet by hand: padding bit, an extension, OSN 0x0102, three bytes, two of padding.
Bytes rtx_packet() {
  return {0xB0, 0xE1, 0x55, 0x66, 0, 0, 0, 9, 0,   0,   0,   2, 0xBE, 0xDE,
          0,    1,    0x10, 0x9F, 0, 0, 1, 2, 'a', 'b', 'c', 0, 2};
}

TEST(ReceiveStream, rtx_turns_into_the_original_in_place) {
  ReceiveStream stream = video();
  give(stream, 0ms, 0x0101);
  give(stream, 0ms, 0x0103);
  Bytes bytes = rtx_packet();
  auto view = rtp::parse(bytes);
  ASSERT_TRUE(view);
  ASSERT_TRUE(stream.unwrap_rtx(at(5ms).mono, *view, 96));
  // What the view says and what its bytes say is the same.
  const auto again = rtp::parse(view->packet);
  ASSERT_TRUE(again);
  for (const rtp::View& original : {*view, *again}) {
    EXPECT_EQ(original.ssrc, kSsrc);
    EXPECT_EQ(original.sequence, 0x0102);
    EXPECT_EQ(original.timestamp, 9u);
    EXPECT_EQ(original.payload_type, 96);
    EXPECT_TRUE(original.marker);
    EXPECT_EQ(original.padding_size, 0u);
    EXPECT_EQ(Bytes(original.payload.begin(), original.payload.end()), (Bytes{'a', 'b', 'c'}));
    ASSERT_TRUE(rtp::find_extension(original, 1));
    EXPECT_EQ((*rtp::find_extension(original, 1))[0], 0x9F);
  }
  const auto received = stream.on_packet(at(5ms), at(5ms).mono, *view, ReceiveStream::Via::kRtx);
  EXPECT_TRUE(received.accepted);
  EXPECT_TRUE(received.is_recovered);
  EXPECT_EQ(stream.next_timeout(), kNever);  // nothing is missing any more
  EXPECT_EQ(stream.counters().recovered, 1u);
  // RFC 4588 8: repaired, and still lost on the media SSRC.
  EXPECT_EQ(stream.make_report_block(at(0s))->cumulative_lost, 1);
  EXPECT_EQ(stream.make_rtx_report_block(at(0s))->cumulative_lost, 0);
  EXPECT_EQ(stream.make_rtx_report_block(at(0s))->ssrc, kRtxSsrc);
}

TEST(ReceiveStream, rtx_without_an_original_is_ignored_and_any_cut_is_safe) {
  const Bytes whole = rtx_packet();
  for (size_t size = 12; size <= whole.size(); ++size) {
    ReceiveStream stream = video();
    Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    auto view = rtp::parse(bytes);
    if (!view) continue;
    const bool has_original = view->payload.size() >= 2;
    EXPECT_EQ(stream.unwrap_rtx(at(0s).mono, *view, 96), has_original) << size;
    if (has_original) {
      EXPECT_TRUE(rtp::parse(view->packet)) << size;
    }
  }
  ReceiveStream stream = video();
  Bytes padding = {0xA0, 97, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4};
  auto view = rtp::parse(padding);
  ASSERT_TRUE(view);
  EXPECT_FALSE(stream.unwrap_rtx(at(0s).mono, *view, 96));
  EXPECT_EQ(stream.counters().rtx_empty, 1u);
}

TEST(ReceiveStream, a_late_duplicate_by_rtx_is_not_forwarded_twice) {
  ReceiveStream stream = video();
  for (int i = 0; i < 300; ++i) give(stream, 0ms, i);
  const TestPacket late(5, 0);
  for (int i = 0; i < 3; ++i) {
    const auto received = stream.on_packet(at(0s), at(0s).mono, late.view(), ReceiveStream::Via::kRtx);
    EXPECT_FALSE(received.accepted);
    EXPECT_TRUE(received.is_duplicate);
  }
  EXPECT_EQ(stream.counters().restarts, 0u);
}

TEST(ReceiveStream, sender_reports_are_kept_by_ssrc) {
  ReceiveStream stream = video();
  give(stream, 0ms, 1);
  stream.on_sender_report(at(1s), {3, 0x0000000A00000000, 0, 0, 0});
  EXPECT_EQ(stream.make_report_block(at(1s))->last_sr, 0u);
  stream.on_sender_report(at(1s), {kSsrc, 0x0000000A00000000, 500, 0, 0});
  EXPECT_EQ(stream.make_report_block(at(2s))->last_sr, 0x000A0000u);
  EXPECT_EQ(stream.make_report_block(at(2s))->delay_since_last_sr, 0x10000u);
  ASSERT_TRUE(stream.sender_clock());
  EXPECT_EQ(stream.sender_clock()->report.rtp_timestamp, 500u);
}

TEST(ReceiveStream, tells_when_a_timestamp_was_captured_once_a_report_has_come) {
  ReceiveStream stream = video();
  RemoteClock clock;
  clock.on_report(at(0s).mono, uint64_t{10} << 32);
  give(stream, 0ms, 1);
  EXPECT_FALSE(stream.captured_at(at(0s), clock, 5'000)) << "the clock is known, but not this stream's place on it";
  stream.on_sender_report(at(1s), {kSsrc, uint64_t{11} << 32, 500, 0, 0});
  EXPECT_EQ(stream.captured_at(at(1s), clock, 500), at(1s).mono);
  EXPECT_EQ(stream.captured_at(at(1s), clock, 500u - 9'000), at(900ms).mono) << "also over the wrap";
  for (const int sequence : {30'000, 30'001}) give(stream, 2s, sequence);
  ASSERT_EQ(stream.counters().restarts, 1u);
  EXPECT_FALSE(stream.captured_at(at(2s), clock, 500)) << "its timestamps may have begun anew";
}

}  // namespace
}  // namespace atm::stream
