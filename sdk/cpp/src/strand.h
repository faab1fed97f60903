// Where the handlers of one session run: one after the other, on the application's executor or on the SDK's own thread.
// After close() none begins any more.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace atm0s {

class Strand : public std::enable_shared_from_this<Strand> {
 public:
  using Executor = std::function<void(std::function<void()>)>;
  explicit Strand(Executor executor) : executor_(std::move(executor)) {}

  // From any thread, under no lock that work may want: the executor may run it at once.
  void post(std::function<void()> work);
  // The two halves of post(): the first keeps the order and may be called under a lock, the second may not. True: the
  // second is owed.
  [[nodiscard]] bool add(std::function<void()> work);
  void schedule();
  // What has not begun is dropped. What runs is waited for, for a second at most; not in a handler of this strand.
  void close();

 private:
  void run();

  const Executor executor_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> work_;
  bool is_scheduled_ = false;
  bool is_closed_ = false;
  std::thread::id running_on_{};  // none: nothing runs
};

}  // namespace atm0s
