#include "core/stream/missing_list.h"

#include <gtest/gtest.h>

#include "core/stream/stream_test_support.h"

namespace atm::stream {
namespace {

std::vector<uint16_t> collect(MissingList& list, Duration when) {
  std::vector<uint16_t> out;
  list.collect(at(when).mono, out);
  return out;
}

using Sequences = std::vector<uint16_t>;

TEST(MissingList, waits_for_reordering_before_it_asks) {
  MissingList list;
  EXPECT_EQ(list.next_timeout(), kNever);
  list.on_gap(at(0ms).mono, 65'535, 65'537);
  EXPECT_EQ(list.next_timeout(), at(10ms).mono);
  EXPECT_EQ(collect(list, 9ms), Sequences{});
  EXPECT_TRUE(list.on_arrived(65'536));
  EXPECT_FALSE(list.on_arrived(65'536));
  EXPECT_EQ(collect(list, 10ms), (Sequences{65'535, 1}));
  EXPECT_EQ(collect(list, 10ms), Sequences{});
  EXPECT_TRUE(list.on_arrived(65'535));
  EXPECT_TRUE(list.on_arrived(65'537));
  EXPECT_EQ(list.next_timeout(), kNever);
}

TEST(MissingList, asks_again_after_a_round_trip_and_ever_more_slowly) {
  MissingList list;
  list.set_rtt(80ms);
  list.on_gap(at(0ms).mono, 5, 5);
  std::vector<int64_t> asked_ms;
  for (int ms = 0; ms < 3'000; ++ms) {
    if (!collect(list, ms * 1ms).empty()) asked_ms.push_back(ms);
  }
  // 100 ms is one round trip and a quarter; each wait is a quarter of that longer.
  EXPECT_EQ(asked_ms, (std::vector<int64_t>{10, 110, 235, 385, 560, 760, 985, 1'235}));
  EXPECT_TRUE(list.take_key_frame_wanted());  // given up at 1.5 s
  EXPECT_FALSE(list.take_key_frame_wanted());
  EXPECT_EQ(list.given_up(), 1u);
  EXPECT_EQ(list.size(), 0u);
}

TEST(MissingList, gives_up_after_ten_requests_on_a_fast_path) {
  MissingList list;
  list.set_rtt(1ms);
  list.on_gap(at(0ms).mono, 5, 5);
  int asked = 0;
  int64_t given_up_ms = 0;
  for (int ms = 0; ms < 1'500; ++ms) {
    asked += collect(list, ms * 1ms).empty() ? 0 : 1;
    if (given_up_ms == 0 && list.size() == 0) given_up_ms = ms;
  }
  EXPECT_EQ(asked, MissingList::kMaxTries);
  EXPECT_EQ(given_up_ms, 210);  // 10 ms, then ten times the least interval
  EXPECT_TRUE(list.take_key_frame_wanted());
}

TEST(MissingList, a_gap_too_large_empties_the_list_and_wants_a_key_frame) {
  MissingList list;
  list.on_gap(at(0ms).mono, 1, 100);
  EXPECT_FALSE(list.take_key_frame_wanted());
  list.on_gap(at(1ms).mono, 200, 200 + static_cast<int64_t>(MissingList::kMaxMissing) - 100);
  EXPECT_TRUE(list.take_key_frame_wanted());
  EXPECT_EQ(list.size(), 0u);
  EXPECT_EQ(list.next_timeout(), kNever);
  list.on_gap(at(2ms).mono, 1'000, 1'000);  // and goes on
  EXPECT_EQ(collect(list, 12ms), Sequences{1'000});
}

TEST(MissingList, next_timeout_is_when_something_is_due) {
  MissingList list;
  list.set_rtt(80ms);
  list.on_gap(at(0ms).mono, 5, 5);
  list.on_gap(at(4ms).mono, 7, 7);
  EXPECT_EQ(list.next_timeout(), at(10ms).mono);
  collect(list, 10ms);
  EXPECT_EQ(list.next_timeout(), at(14ms).mono);
  EXPECT_EQ(collect(list, 14ms), Sequences{7});
  EXPECT_EQ(list.next_timeout(), at(110ms).mono);
}

}  // namespace
}  // namespace atm::stream
