#include <atm0s/coroutine.h>
#include <gtest/gtest.h>

#include <future>

#include "server.h"

namespace {

using namespace std::chrono_literals;

struct Told {
  std::promise<atm0s::Result<void>> connected;
  std::promise<std::thread::id> thread;
  std::promise<std::vector<atm0s::SessionState>> states;
};

// To the end of its session.
atm0s::Task live(atm0s::Session& session, Told& told) {
  const atm0s::EventReader events(session);
  auto connected = co_await session.connect_async();
  told.connected.set_value(connected);
  told.thread.set_value(std::this_thread::get_id());
  std::vector<atm0s::SessionState> states;
  while (states.empty() || states.back() != atm0s::SessionState::kDisconnected) {
    const atm0s::Event event = co_await events.next();
    if (const auto* changed = std::get_if<atm0s::StateChanged>(&event)) states.push_back(changed->state);
    if (!states.empty() && states.back() == atm0s::SessionState::kConnected) static_cast<void>(session.disconnect());
  }
  told.states.set_value(std::move(states));
}

TEST(Coroutine, AwaitsAnOperationAndThenEachEvent) {
  Told told;
  atm0s::Session session({uses::url()}, uses::config(3));
  live(session, told);
  auto states = told.states.get_future();
  ASSERT_EQ(states.wait_for(20s), std::future_status::ready);
  EXPECT_TRUE(told.connected.get_future().get());
  EXPECT_NE(told.thread.get_future().get(), std::this_thread::get_id());
  using atm0s::SessionState;
  EXPECT_EQ(states.get(),
            (std::vector{SessionState::kConnecting, SessionState::kConnected, SessionState::kDisconnected}));
}

atm0s::Task await_it(atm0s::Operation operation, std::promise<atm0s::Result<void>>& done) {
  done.set_value(co_await operation);
}

TEST(Coroutine, AnOperationThatIsDoneDoesNotSuspend) {
  atm0s::Session session({}, uses::config(3));  // connects nowhere: refused at once
  std::promise<atm0s::Result<void>> done;
  await_it(session.connect_async(), done);
  auto result = done.get_future();
  ASSERT_EQ(result.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(result.get().error().code, atm0s::ErrorCode::kInvalidRequest);
}

atm0s::Task await_events(atm0s::Session& session, const std::shared_ptr<int>& kept) {
  const std::shared_ptr<int> mine = kept;
  const atm0s::EventReader events(session);
  for (;;) static_cast<void>(co_await events.next());
}

// Whether all copies but the test's are gone; on another thread a moment after the session.
bool is_alone(const std::shared_ptr<int>& kept) {
  for (int i = 0; i < 500 && kept.use_count() > 1; ++i) std::this_thread::sleep_for(10ms);
  return kept.use_count() == 1;
}

TEST(Coroutine, OneThatWaitsForEventsGoesWithItsSession) {
  const auto kept = std::make_shared<int>(0);
  {
    atm0s::Session session({uses::url()}, uses::config(3));
    await_events(session, kept);
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_TRUE(is_alone(kept));
}

atm0s::Task await_and_keep(atm0s::Operation operation, std::shared_ptr<int> kept, std::atomic<int>& went_on) {
  const auto result = co_await operation;
  ++went_on;
  static_cast<void>(result);
  kept.reset();
}

TEST(Coroutine, OneThatWaitsForAnOperationGoesWithItsSession) {
  const auto kept = std::make_shared<int>(0);
  std::atomic<int> went_on = 0;
  {
    atm0s::Session session({uses::url()}, uses::config(3));
    await_and_keep(session.connect_async(), kept, went_on);
  }
  EXPECT_TRUE(is_alone(kept));
  EXPECT_LE(went_on, 1);
}

}  // namespace
