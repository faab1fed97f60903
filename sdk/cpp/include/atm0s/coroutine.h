// For programs that use coroutines: co_await an Operation, and the next Event. Over the API of session.h alone; the
// library has nothing of it.
//
//   atm0s::Task talk(atm0s::Session& session) {
//     const atm0s::EventReader events(session);
//     if (auto connected = co_await session.connect_async(); !connected) co_return;
//     for (;;) handle(co_await events.next());
//   }
//
// A coroutine goes on where the session's handlers run (RuntimeOptions::executor). Nobody owns a Task: it ends by
// itself, or, when it waits for what cannot come any more because its session is destroyed, it is destroyed where it
// waits, with all that it holds. Other types of coroutines can await as well; one of them that waits when its session
// is destroyed never goes on, and its owner destroys it.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include "atm0s/events.h"
#include "atm0s/result.h"
#include "atm0s/session.h"

namespace atm0s {

// What a coroutine may return that begins at once and that nobody waits for.
class Task {
 public:
  // As the language wants it.
  struct promise_type {
    Task get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

// A coroutine that waits: it goes on once, or, a Task, not at all. For the two below.
class Waiter {
 public:
  Waiter() = default;  // for nobody
  // For a coroutine that is suspended.
  template <typename Promise>
  explicit Waiter(std::coroutine_handle<Promise> coroutine)
      : coroutine_(coroutine), is_task_(std::is_same_v<Promise, Task::promise_type>) {}
  // Moves the coroutine.
  Waiter(Waiter&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)), is_task_(other.is_task_) {}
  // Exchanges the coroutines.
  Waiter& operator=(Waiter&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    std::swap(is_task_, other.is_task_);
    return *this;
  }
  // A Task that still waits is destroyed.
  ~Waiter() {
    if (coroutine_ && is_task_) coroutine_.destroy();
  }

  // Goes on, if it still waits.
  void resume() {
    if (const auto coroutine = std::exchange(coroutine_, nullptr)) coroutine.resume();
  }
  // Somebody else destroys it.
  void forget() { coroutine_ = nullptr; }

 private:
  std::coroutine_handle<> coroutine_ = nullptr;
  bool is_task_ = false;
};

// co_await operation: its Result<void>.
class OperationAwaiter {
 public:
  // Of that operation.
  explicit OperationAwaiter(Operation operation) : operation_(std::move(operation)) {}

  bool await_ready() const { return operation_.is_done(); }  // as the language wants it
  // As the language wants it.
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> coroutine) const {
    // The coroutine may go on, and this awaiter be gone, before on_done() returns: it is called on a copy.
    const Operation operation = operation_;
    operation.on_done([waiter = std::make_shared<Waiter>(coroutine)](const Result<void>&) { waiter->resume(); });
  }
  // What co_await gives.
  Result<void> await_resume() const { return operation_.wait(std::chrono::milliseconds(0)); }

 private:
  Operation operation_;
};

// co_await session.connect_async()
inline OperationAwaiter operator co_await(Operation operation) {
  return OperationAwaiter(std::move(operation));
}

// Takes all events of a session, instead of poll_event(), wait_event() and another handler, and gives them one by one
// to one coroutine. The last is StateChanged with kDisconnected. Events that nobody takes are kept; beyond max_kept the
// oldest go.
class EventReader {
  struct State {
    std::mutex mutex;
    std::deque<Event> events;
    Waiter waiter;
    bool is_over = false;  // nothing comes any more

    void put(const Event& event) {
      Waiter next;
      {
        const std::lock_guard lock(mutex);
        if (events.size() >= max_kept) events.pop_front();
        events.push_back(event);
        next = std::exchange(waiter, Waiter());
      }
      next.resume();
    }
  };
  // As long as the session has the handler.
  struct Tap {
    explicit Tap(std::shared_ptr<State> of) : state(std::move(of)) {}
    ~Tap() {
      Waiter last;  // destroyed outside of the lock
      const std::lock_guard lock(state->mutex);
      state->is_over = true;
      last = std::exchange(state->waiter, Waiter());
    }
    Tap(const Tap&) = delete;
    Tap& operator=(const Tap&) = delete;
    const std::shared_ptr<State> state;
  };

 public:
  static constexpr std::size_t max_kept = 4'096;  // events

  // Takes the session's handler; the session may go before the reader.
  explicit EventReader(Session& session) : state_(std::make_shared<State>()) {
    session.on_event([tap = std::make_shared<Tap>(state_)](const Event& event) { tap->state->put(event); });
  }

  // Waits for one event.
  class Awaiter {
   public:
    // Of that reader.
    explicit Awaiter(std::shared_ptr<State> state) : state_(std::move(state)) {}

    bool await_ready() const { return false; }  // as the language wants it
    // False: one is there already, the coroutine goes on at once.
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) const {
      Waiter waiter(coroutine);                     // destroyed last, with the coroutine if it is over
      const std::shared_ptr<State> state = state_;  // this awaiter is a part of that coroutine
      const std::lock_guard lock(state->mutex);
      if (!state->events.empty()) {
        waiter.forget();
        return false;
      }
      if (!state->is_over) state->waiter = std::move(waiter);
      return true;
    }
    // What co_await gives.
    Event await_resume() const {
      const std::lock_guard lock(state_->mutex);
      Event event = std::move(state_->events.front());
      state_->events.pop_front();
      return event;
    }

   private:
    std::shared_ptr<State> state_;
  };

  // co_await events.next()
  Awaiter next() const { return Awaiter(state_); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace atm0s
