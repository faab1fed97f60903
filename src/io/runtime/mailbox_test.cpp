#include "io/runtime/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace atm::io {
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

TEST(Mailbox, WhatDidNotFitStaysWithItsPoster) {
  Mailbox<int> mailbox(2);
  std::vector<int> values{1, 2, 3};
  EXPECT_EQ(mailbox.post_all(values), 1u);
  EXPECT_EQ(values, std::vector<int>{3});
}

TEST(Mailbox, WhatIsGivenBackWakesNobodyAndIsBounded) {
  Mailbox<std::string> mailbox(2);
  std::vector<std::string> used_up{"a", "b", "c"};
  mailbox.give_back(used_up);
  EXPECT_TRUE(used_up.empty());
  EXPECT_FALSE(is_readable(mailbox));
  std::vector<std::string> out;
  mailbox.take_all(out);
  EXPECT_TRUE(out.empty()) << "it is not mail";
  mailbox.take_given_back(out);
  EXPECT_EQ(out, (std::vector<std::string>{"a", "b"}));
}

// Two threads that write into each other's mailbox and give back what they have read: buffers go round, few are made.
TEST(Mailbox, BuffersGoRoundBetweenTwoThreads) {
  constexpr size_t kRounds = 20'000;
  Mailbox<std::vector<int>> mailboxes[2] = {Mailbox<std::vector<int>>(64), Mailbox<std::vector<int>>(64)};
  size_t made[2] = {}, wrong[2] = {};
  const auto run = [&](size_t self) {
    std::vector<std::vector<int>> spare, outgoing, incoming;
    for (size_t sent = 0, read = 0; sent < kRounds || read < kRounds;) {
      if (sent < kRounds) {
        made[self] += spare.empty();
        std::vector<int> buffer = spare.empty() ? std::vector<int>() : std::move(spare.back());
        if (!spare.empty()) spare.pop_back();
        buffer.assign(100, static_cast<int>(sent));
        outgoing.push_back(std::move(buffer));
        sent += 1 - mailboxes[1 - self].post_all(outgoing);
        for (std::vector<int>& refused : outgoing) spare.push_back(std::move(refused));
        outgoing.clear();
      }
      mailboxes[self].take_given_back(spare);
      mailboxes[self].take_all(incoming);
      for (const std::vector<int>& values : incoming) {
        wrong[self] += values != std::vector<int>(100, static_cast<int>(read++));
      }
      mailboxes[1 - self].give_back(incoming);
      std::this_thread::yield();
    }
  };
  std::thread other([&] { run(1); });
  run(0);
  other.join();
  for (const size_t self : {0, 1}) {
    EXPECT_EQ(wrong[self], 0u);
    EXPECT_LT(made[self], 1'000u) << "of " << kRounds;
  }
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
}  // namespace atm::io
