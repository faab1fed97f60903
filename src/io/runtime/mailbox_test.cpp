#include "io/runtime/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>

namespace atm0s::io {
namespace {

template <typename T>
bool is_readable(const Mailbox<T>& mailbox, int timeout_ms = 0) {
  pollfd wait{mailbox.fd(), POLLIN, 0};
  return ::poll(&wait, 1, timeout_ms) == 1;
}

TEST(Mailbox, IsReadableFromTheFirstValueUntilItIsTaken) {
  Mailbox<int> mailbox(4);
  EXPECT_FALSE(is_readable(mailbox));
  EXPECT_TRUE(mailbox.post(1));
  EXPECT_TRUE(mailbox.post(2));
  EXPECT_TRUE(is_readable(mailbox));
  std::vector<int> out{0};
  mailbox.take_all(out);
  EXPECT_EQ(out, (std::vector<int>{0, 1, 2})) << "appended, in order";
  EXPECT_FALSE(is_readable(mailbox));
}

TEST(Mailbox, RefusesWhenFullAndTakesAgainWhenEmptied) {
  Mailbox<std::unique_ptr<int>> mailbox(2);
  EXPECT_TRUE(mailbox.post(std::make_unique<int>(1)));
  EXPECT_TRUE(mailbox.post(std::make_unique<int>(2)));
  EXPECT_FALSE(mailbox.post(std::make_unique<int>(3)));
  std::vector<std::unique_ptr<int>> out;
  mailbox.take_all(out);
  EXPECT_EQ(out.size(), 2u);
  EXPECT_TRUE(mailbox.post(std::make_unique<int>(4)));
  EXPECT_TRUE(is_readable(mailbox));
}

// A reader that sleeps on the descriptor sees every value of several posters, and is never left asleep over one.
TEST(Mailbox, NoWakeIsLostBetweenSeveralPosters) {
  constexpr int kPosters = 3, kEach = 20'000;
  Mailbox<int> mailbox(64);
  std::vector<std::thread> posters;
  for (int p = 0; p < kPosters; ++p) {
    posters.emplace_back([&mailbox] {
      for (int i = 0; i < kEach;) {
        if (mailbox.post(i)) {
          ++i;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  std::vector<int> out;
  size_t taken = 0;
  while (taken < size_t{kPosters} * kEach) {
    if (!is_readable(mailbox, 5'000)) break;
    out.clear();
    mailbox.take_all(out);
    taken += out.size();
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(taken, size_t{kPosters} * kEach);
}

}  // namespace
}  // namespace atm0s::io
