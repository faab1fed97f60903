#include "io/loop/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "io/runtime/clock.h"
#include "io/runtime/mailbox.h"

namespace atm::io {

struct Loop::State {
  std::mutex mutex;
  std::deque<std::function<void()>> posted;
  bool is_stopping = false;
  Wakeup wakeup;
  std::thread thread;
  std::thread::id id;
  // The loop's own.
  int epoll = -1;
  std::vector<Machine*> machines;
  std::map<int, std::shared_ptr<std::function<void()>>> watched;

  State() : epoll(::epoll_create1(EPOLL_CLOEXEC)) {
    ASSERT(epoll >= 0);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wakeup.fd();
    ASSERT(::epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup.fd(), &event) == 0);
  }
  ~State() { ::close(epoll); }

  bool stopping() {
    const std::lock_guard lock(mutex);
    return is_stopping;
  }
  void run_posted() {
    wakeup.clear();
    std::deque<std::function<void()>> work;
    {
      const std::lock_guard lock(mutex);
      if (is_stopping) return;
      work.swap(posted);
    }
    for (auto& one : work) one();
  }
  void run_timeouts() {
    // A machine may remove itself or others meanwhile.
    for (size_t i = 0; i < machines.size(); ++i) {
      const Now now = read_clocks();
      if (machines[i]->next_timeout() <= now.mono) machines[i]->on_timeout(now);
    }
  }
  int wait_ms() const {
    Instant due = kNever;
    for (const Machine* machine : machines) due = std::min(due, machine->next_timeout());
    if (due == kNever) return -1;
    const Duration left = due - read_clocks().mono;
    constexpr int64_t kLongest = 60'000;
    // Rounded up: a deadline that is nearly there would be asked for again and again.
    return left <= Duration{} ? 0 : static_cast<int>(std::min(kLongest, to_us(left) / 1000 + 1));
  }
  void run() {
    constexpr int kEvents = 64;
    epoll_event events[kEvents];
    while (!stopping()) {
      const int count = ::epoll_wait(epoll, events, kEvents, wait_ms());
      ASSERT(count >= 0 || errno == EINTR);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == wakeup.fd()) {
          run_posted();
        } else if (const auto it = watched.find(fd); it != watched.end()) {
          const auto handler = it->second;  // it may unwatch itself
          (*handler)();
        }
      }
      run_timeouts();
    }
  }
};

namespace {

// Ends the thread of a state that it shares; from the thread itself it ends when it comes back.
template <typename State, typename Stop>
void end_thread(State& state, Stop stop) {
  stop();
  if (state.thread.get_id() == std::this_thread::get_id()) {
    state.thread.detach();
  } else {
    state.thread.join();
  }
}

}  // namespace

Loop::Loop() : state_(std::make_shared<State>()) {
  state_->thread = std::thread([state = state_] { state->run(); });
  state_->id = state_->thread.get_id();
}

Loop::~Loop() {
  std::deque<std::function<void()>> dropped;  // let go of outside of the lock
  end_thread(*state_, [&] {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
    dropped.swap(state_->posted);
    state_->wakeup.signal();
  });
}

void Loop::post(std::function<void()> work) {
  bool was_empty = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->is_stopping) return;
    was_empty = state_->posted.empty();
    state_->posted.push_back(std::move(work));
  }
  if (was_empty) state_->wakeup.signal();
}

bool Loop::is_own_thread() const {
  return std::this_thread::get_id() == state_->id;
}

void Loop::add(Machine& machine) {
  state_->machines.push_back(&machine);
}

void Loop::remove(Machine& machine) {
  std::erase(state_->machines, &machine);
}

void Loop::watch(int fd, bool wants_write, std::function<void()> handler) {
  epoll_event event{};
  event.events = EPOLLIN | (wants_write ? uint32_t{EPOLLOUT} : 0u);
  event.data.fd = fd;
  const bool is_new = state_->watched.count(fd) == 0;
  ASSERT(::epoll_ctl(state_->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0);
  state_->watched[fd] = std::make_shared<std::function<void()>>(std::move(handler));
}

void Loop::unwatch(int fd) {
  if (state_->watched.erase(fd) > 0) ::epoll_ctl(state_->epoll, EPOLL_CTL_DEL, fd, nullptr);
}

// --- WorkThread -------------------------------------------------------------------------------------------------

struct WorkThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> work;
  bool is_stopping = false, has_ended = false;
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return is_stopping || !work.empty(); });
      if (is_stopping) {
        has_ended = true;
        return changed.notify_all();
      }
      std::function<void()> next = std::move(work.front());
      work.pop_front();
      lock.unlock();
      next();
      next = nullptr;  // what it holds goes outside of the lock
      lock.lock();
    }
  }
};

WorkThread::WorkThread() : state_(std::make_shared<State>()) {
  state_->thread = std::thread([state = state_] { state->run(); });
}

WorkThread::~WorkThread() {
  constexpr auto kPatience = std::chrono::seconds(1);
  std::deque<std::function<void()>> dropped;
  std::unique_lock lock(state_->mutex);
  state_->is_stopping = true;
  dropped.swap(state_->work);
  state_->changed.notify_all();
  const bool is_own = state_->thread.get_id() == std::this_thread::get_id();
  const bool has_ended = !is_own && state_->changed.wait_for(lock, kPatience, [&] { return state_->has_ended; });
  lock.unlock();
  // What it runs belongs to others and may never come back: it keeps the state, and ends after that.
  if (has_ended) {
    state_->thread.join();
  } else {
    state_->thread.detach();
  }
}

void WorkThread::post(std::function<void()> work) {
  const std::lock_guard lock(state_->mutex);
  if (state_->is_stopping) return;
  state_->work.push_back(std::move(work));
  state_->changed.notify_all();
}

}  // namespace atm::io
