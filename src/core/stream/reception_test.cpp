#include "core/stream/reception.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "core/stream/stream_test_support.h"

namespace atm::stream {
namespace {

TEST(Reception, reports_nothing_before_the_first_packet) {
  Reception reception(1, 90'000);
  EXPECT_FALSE(reception.make_report_block(at(0s).mono));
}

TEST(Reception, counts_loss_as_rfc_3550_a3_does) {
  Reception reception(7, 90'000);
  for (const int sequence : {65'534, 65'535, 65'536, 65'538, 65'541}) reception.on_packet(at(0s).mono, sequence, 0);
  auto block = reception.make_report_block(at(1s).mono);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->ssrc, 7u);
  EXPECT_EQ(block->highest_sequence, 65'541u);  // one cycle and 5
  EXPECT_EQ(block->cumulative_lost, 3);
  EXPECT_EQ(block->fraction_lost, 3 * 256 / 8);

  // The next interval: nothing lost in it, one of the holes filled late: no negative fraction.
  reception.on_packet(at(1s).mono, 65'540, 0);
  reception.on_packet(at(1s).mono, 65'542, 0);
  block = reception.make_report_block(at(2s).mono);
  EXPECT_EQ(block->cumulative_lost, 2);
  EXPECT_EQ(block->fraction_lost, 0);

  // Nothing at all in an interval.
  block = reception.make_report_block(at(3s).mono);
  EXPECT_EQ(block->fraction_lost, 0);

  // An interval of its own: two of four lost, whatever went before.
  reception.on_packet(at(3s).mono, 65'543, 0);
  reception.on_packet(at(3s).mono, 65'546, 0);
  block = reception.make_report_block(at(3s).mono);
  EXPECT_EQ(block->cumulative_lost, 4);
  EXPECT_EQ(block->fraction_lost, 128);

  // RFC 3550 6.4.1: duplicates make the loss negative.
  for (int i = 0; i < 5; ++i) reception.on_packet(at(3s).mono, 65'546, 0);
  EXPECT_EQ(reception.make_report_block(at(4s).mono)->cumulative_lost, -1);
}

TEST(Reception, cycles_count_from_the_circle_of_the_first_packet) {
  Reception reception(7, 90'000);
  reception.on_packet(at(0s).mono, 0x10000 + 10, 0);
  EXPECT_EQ(reception.make_report_block(at(0s).mono)->highest_sequence, 10u);
  reception.on_packet(at(0s).mono, 0x20000 + 11, 0);
  EXPECT_EQ(reception.make_report_block(at(0s).mono)->highest_sequence, 0x1000Bu);
}

TEST(Reception, total_loss_is_255_of_256_and_no_wrap) {
  Reception reception(7, 90'000);
  reception.on_packet(at(0s).mono, 0x10000, 0);
  reception.make_report_block(at(0s).mono);
  reception.on_packet(at(0s).mono, 0x10000 + 3'000, 0);
  EXPECT_EQ(reception.make_report_block(at(0s).mono)->fraction_lost, 255);
}

TEST(Reception, jitter_follows_the_formula_of_rfc_3550_a8) {
  Reception reception(7, 90'000);
  SeededRng rng(5);
  double expected = 0;
  double previous_transit = 0;
  for (int i = 0; i < 500; ++i) {
    const int64_t arrived_us = int64_t{i} * 20'000 + rng.below(15'000);
    const uint32_t timestamp = static_cast<uint32_t>(0xFFFF0000u + static_cast<uint32_t>(i) * 1'800u);  // over the wrap
    reception.on_packet(at(Duration(arrived_us)).mono, 0x10000 + i, timestamp);
    const double transit = static_cast<double>(arrived_us) * 0.09 - i * 1'800.0;
    if (i > 0) expected += (std::abs(transit - previous_transit) - expected) / 16;
    previous_transit = transit;
  }
  EXPECT_GT(expected, 100);
  EXPECT_NEAR(reception.jitter(), expected, 2);
}

TEST(Reception, even_arrival_has_no_jitter) {
  Reception reception(7, 48'000);
  for (int i = 0; i < 200; ++i) {
    reception.on_packet(at(i * 20ms).mono, 0x10000 + i, static_cast<uint32_t>(i) * 960u);
  }
  EXPECT_EQ(reception.jitter(), 0u);
}

TEST(Reception, echoes_the_last_sender_report_with_its_age) {
  Reception reception(7, 90'000);
  reception.on_packet(at(0s).mono, 0x10000, 0);
  EXPECT_EQ(reception.make_report_block(at(0s).mono)->last_sr, 0u);
  EXPECT_EQ(reception.make_report_block(at(0s).mono)->delay_since_last_sr, 0u);
  // RFC 3550 6.4.1, figure 2: an SR of b44d:b705:2000:0000 gives LSR b705:2000, and 5.25 s are 0005:4000.
  reception.on_sender_report(at(1s).mono, 0xB44DB70520000000);
  const auto block = reception.make_report_block(at(6'250ms).mono);
  EXPECT_EQ(block->last_sr, 0xB7052000u);
  EXPECT_EQ(block->delay_since_last_sr, 0x00054000u);
}

}  // namespace
}  // namespace atm::stream
