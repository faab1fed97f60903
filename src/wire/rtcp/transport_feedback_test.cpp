#include "wire/rtcp/transport_feedback.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "wire/rtcp/packet.h"
#include "wire/rtcp/writer.h"

namespace atm::rtcp {
namespace {

std::vector<ArrivalTick> ticks_of(const PacketArrivals& read) {
  std::vector<ArrivalTick> out;
  for (const Duration at : read.since_base) {
    const bool came = at != PacketArrivals::kNotReceived;
    out.push_back(came ? ArrivalTick(int64_t{read.reference_time} * 256 + at / kFeedbackTick) : std::nullopt);
  }
  return out;
}

TEST(TransportFeedback, reads_runs_and_both_vectors) {
  // Base 5, eleven packets, reference 1, count 7: a run of two small, one bit each 1 0 (of 14: two used up by the
  // count are left), then two bits each.
  const Bytes body = {0,    5,    0, 18,  // base, status count
                      0,    0,    1, 7,   // reference time, feedback count
                      0x20, 0x02,         // run: 2 of small delta
                      0xA0, 0x01,         // one bit: 1 at the first and at the last of fourteen
                      0xE4, 0x00,         // two bits: large, small, and the status count ends
                      4,    8,    1, 2,   // small deltas 1 ms, 2 ms, 250 us, 500 us
                      0xFF, 0xFF, 3};     // large delta -250 us, small 750 us
  PacketArrivals read;
  ASSERT_TRUE(parse_transport_feedback(body, read));
  EXPECT_EQ(read.base_sequence, 5);
  EXPECT_EQ(read.reference_time, 1);
  EXPECT_EQ(read.feedback_count, 7);
  ASSERT_EQ(read.since_base.size(), 18u);
  EXPECT_EQ(read.since_base[0], 1ms);
  EXPECT_EQ(read.since_base[1], 3ms);
  EXPECT_EQ(read.since_base[2], 3'250us);
  EXPECT_EQ(read.since_base[3], PacketArrivals::kNotReceived);
  EXPECT_EQ(read.since_base[15], 3'750us);
  EXPECT_EQ(read.since_base[16], 3'500us);
  EXPECT_EQ(read.since_base[17], 4'250us);
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(parse_transport_feedback(ByteView(body).first(size), read)) << size;
  }
}

TEST(TransportFeedback, reserved_symbols_empty_runs_and_senseless_counts_are_refused) {
  PacketArrivals read;
  EXPECT_FALSE(parse_transport_feedback(Bytes{0, 0, 0, 1, 0, 0, 0, 0, 0x60, 0x01, 0, 0}, read));
  EXPECT_FALSE(parse_transport_feedback(Bytes{0, 0, 0, 1, 0, 0, 0, 0, 0x20, 0x00, 0, 0}, read));
  EXPECT_FALSE(parse_transport_feedback(Bytes{0, 0, 0, 1, 0, 0, 0, 0, 0xF0, 0x00, 0, 0}, read));
  EXPECT_FALSE(parse_transport_feedback(Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x01, 0, 0}, read));
  EXPECT_FALSE(parse_transport_feedback(Bytes{0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0x1F, 0xFF, 0x1F, 0xFF}, read));
}

TEST(TransportFeedback, random_losses_and_delays_read_back_as_written) {
  SeededRng rng(7);
  for (int round = 0; round < 2'000; ++round) {
    const unsigned lost = rng.below(60);
    int64_t at = int64_t{rng.u32()} - (int64_t{1} << 31);
    std::vector<ArrivalTick> arrivals;
    const size_t count = 1 + rng.below(1'000);
    for (size_t i = 0; i < count; ++i) {
      at += rng.below(20) == 0 ? int64_t{rng.below(3'000)} - 500 : rng.below(8);
      arrivals.push_back(rng.below(100) < lost ? std::nullopt : ArrivalTick(at));
    }
    if (!arrivals.back()) arrivals.back() = at;
    Bytes buffer(100 + rng.below(1'100));
    const uint16_t base = static_cast<uint16_t>(rng.u32());
    size_t told = 0;
    while (told < arrivals.size()) {
      CompoundWriter writer(buffer);
      const std::span<const ArrivalTick> rest = std::span<const ArrivalTick>(arrivals).subspan(told);
      const size_t more = writer.transport_feedback(1, 2, static_cast<uint16_t>(base + told), 9, rest);
      if (more == 0) break;  // a hundred bytes are too few for a run of losses with one arrival behind
      bool visited = false;
      for_each_packet(writer.written(), [&](const Packet& packet) {
        const auto* feedback = std::get_if<TransportFeedback>(&packet);
        ASSERT_TRUE(feedback);
        PacketArrivals read;
        ASSERT_TRUE(parse_transport_feedback(feedback->body, read));
        EXPECT_EQ(read.base_sequence, static_cast<uint16_t>(base + told));
        const std::vector<ArrivalTick> found = ticks_of(read);
        ASSERT_EQ(found.size(), more);
        // 24 bits of reference time: the same up to a multiple of their circle.
        const int64_t circle = int64_t{1} << 32;
        for (size_t i = 0; i < more; ++i) {
          ASSERT_EQ(found[i].has_value(), rest[i].has_value()) << i;
          ASSERT_EQ((found[i].value_or(0) - rest[i].value_or(0)) % circle, 0) << i;
        }
        visited = true;
      });
      ASSERT_TRUE(visited);
      told += more;
    }
    EXPECT_EQ(told, arrivals.size());
  }
}

TEST(TransportFeedback, arrivals_over_eight_seconds_apart_go_into_two_messages) {
  Bytes buffer(1'200);
  CompoundWriter writer(buffer);
  const ArrivalTick arrivals[] = {0, 4, 40'000, 40'004};
  EXPECT_EQ(writer.transport_feedback(1, 2, 0, 0, arrivals), 2u);
  EXPECT_EQ(writer.transport_feedback(1, 2, 2, 1, std::span(arrivals).subspan(2)), 2u);
  EXPECT_EQ(writer.transport_feedback(1, 2, 4, 2, std::vector<ArrivalTick>(5)), 0u);
}

TEST(TransportFeedback, padding_to_a_word_is_taken_off_in_the_middle_of_a_compound) {
  // As libwebrtc writes it: P is set, and one to three bytes stand behind the deltas.
  const Bytes feedback = {0xAF, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 9, 0, 1, 0, 0, 0, 0, 0x20, 0x01, 4, 1};
  Bytes compound = feedback;
  compound.insert(compound.end(), {0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2});
  size_t found = 0;
  EXPECT_TRUE(for_each_packet(compound, [&](const Packet& packet) {
    PacketArrivals read;
    if (const auto* at = std::get_if<TransportFeedback>(&packet)) found += parse_transport_feedback(at->body, read);
    found += std::holds_alternative<Pli>(packet);
  }));
  EXPECT_EQ(found, 2u);
}

TEST(CongestionFeedback, reads_back_as_written) {
  Bytes buffer(200);
  CompoundWriter writer(buffer);
  const CongestionReport reports[] = {{true, 3, 125ms}, {}, {true, 1, std::nullopt}, {true, 0, 20s}, {true, 2, 0ms}};
  ASSERT_TRUE(writer.congestion_feedback(0x11, 0x22, 65'534, reports, 0xABCDEF01));
  size_t visited = 0;
  EXPECT_TRUE(for_each_packet(writer.written(), [&](const Packet& packet) {
    const auto* feedback = std::get_if<CongestionFeedback>(&packet);
    ASSERT_TRUE(feedback);
    EXPECT_EQ(feedback->sender_ssrc, 0x11u);
    EXPECT_EQ(feedback->report_time, 0xABCDEF01u);
    ByteView blocks = feedback->blocks;
    const auto block = take_congestion_block(blocks);
    ASSERT_TRUE(block);
    EXPECT_TRUE(blocks.empty());
    EXPECT_EQ(block->begin_sequence, 65'534);
    ASSERT_EQ(block->size(), 5u);
    EXPECT_EQ((*block)[0].before, Duration(125ms));
    EXPECT_EQ((*block)[0].ecn, 3);
    EXPECT_FALSE((*block)[1].received);
    EXPECT_FALSE((*block)[2].before);
    EXPECT_FALSE((*block)[3].before);
    EXPECT_EQ((*block)[4].before, Duration(0));
    for (size_t size = 0; size < feedback->blocks.size(); ++size) {
      ByteView cut = feedback->blocks.first(size);
      EXPECT_FALSE(take_congestion_block(cut)) << size;
    }
    ++visited;
  }));
  EXPECT_EQ(visited, 1u);
}

}  // namespace
}  // namespace atm::rtcp
