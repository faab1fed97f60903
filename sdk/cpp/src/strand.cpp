#include "strand.h"

#include <chrono>
#include <utility>

namespace atm0s {

bool Strand::add(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return false;
  work_.push_back(std::move(work));
  return !std::exchange(is_scheduled_, true);
}

void Strand::schedule() {
  executor_([self = shared_from_this()] { self->run(); });
}

void Strand::post(std::function<void()> work) {
  if (add(std::move(work))) schedule();
}

// All that waits now, then the executor gets its turn for others.
void Strand::run() {
  std::unique_lock lock(mutex_);
  size_t left = work_.size();
  while (left-- > 0 && !work_.empty()) {
    std::function<void()> next = std::move(work_.front());
    work_.pop_front();
    running_on_ = std::this_thread::get_id();
    lock.unlock();
    next();
    next = nullptr;
    lock.lock();
    running_on_ = {};
    idle_.notify_all();
  }
  is_scheduled_ = !work_.empty();
  if (!is_scheduled_) return;
  lock.unlock();
  executor_([self = shared_from_this()] { self->run(); });
}

void Strand::close() {
  constexpr auto kPatience = std::chrono::seconds(1);
  std::deque<std::function<void()>> dropped;  // let go of outside of the lock
  std::unique_lock lock(mutex_);
  is_closed_ = true;
  dropped.swap(work_);
  if (running_on_ == std::this_thread::get_id()) return;
  idle_.wait_for(lock, kPatience, [this] { return running_on_ == std::thread::id{}; });
}

}  // namespace atm0s
