#include "io/tcp/send_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace atm::io {
namespace {

TEST(SendQueue, WhatFitsComesOutWholeAndInOrderInWhateverPieces) {
  SeededRng rng(1);
  SendQueue queue;
  Bytes expected, got;
  size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes frame(1 + rng.below(1'400));
    rng.fill(frame);
    const size_t before = queue.queued();
    if (queue.push(frame)) {
      expected.push_back(static_cast<uint8_t>(frame.size() >> 8));
      expected.push_back(static_cast<uint8_t>(frame.size()));
      expected.insert(expected.end(), frame.begin(), frame.end());
    } else {
      ++refused;
      EXPECT_GT(before + frame.size() + 2, kMaxQueued);
      EXPECT_EQ(queue.queued(), before);
    }
    ASSERT_LE(queue.queued(), kMaxQueued);
    const ByteView front = queue.front();
    const size_t size = std::min<size_t>(front.size(), rng.below(1'301));
    got.insert(got.end(), front.begin(), front.begin() + static_cast<std::ptrdiff_t>(size));
    queue.pop(size);
  }
  const ByteView rest = queue.front();
  got.insert(got.end(), rest.begin(), rest.end());
  queue.pop(rest.size());
  EXPECT_EQ(queue.queued(), 0u);
  EXPECT_GT(refused, 100u) << "it was full at times";
  EXPECT_TRUE(got == expected);
}

TEST(SendQueue, HoldsOneFrameTooFewRatherThanAPartOfOne) {
  SendQueue queue;
  const Bytes frame(kMaxQueued / 2 - 2);
  EXPECT_TRUE(queue.push(frame));
  EXPECT_TRUE(queue.push(frame));
  EXPECT_FALSE(queue.push(Bytes(1)));
  queue.pop(2);
  EXPECT_FALSE(queue.push(Bytes(1)));
  queue.pop(1);
  EXPECT_TRUE(queue.push(Bytes(1)));
  EXPECT_EQ(queue.queued(), kMaxQueued);
}

}  // namespace
}  // namespace atm::io
