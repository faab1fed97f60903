// A thread with an epoll: descriptors, deadlines of machines, and work that other threads post. The SDK's runtime has
// one for all its sessions; it only pumps. Everything but post() and the destructor is for the loop's own thread.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"

namespace atm::io {

class Loop {
 public:
  // Something with deadlines. Told of the time when its own has come.
  class Machine {
   public:
    virtual ~Machine() = default;
    virtual Instant next_timeout() const = 0;
    virtual void on_timeout(Now now) = 0;
  };

  Loop();
  // From any thread, the loop's own included: what was posted and has not run yet is dropped, and the thread ends; from
  // elsewhere that is waited for.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // From any thread; work runs in the order in which it came.
  void post(std::function<void()> work);
  bool is_own_thread() const;

  void add(Machine& machine);
  void remove(Machine& machine);
  // `handler` is called when the descriptor is readable or in error, or, with `wants_write`, writable. Again for the
  // same descriptor: changes it.
  void watch(int fd, bool wants_write, std::function<void()> handler);
  void unwatch(int fd);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// A thread that runs what it is given, in order: handlers of applications that bring no executor.
class WorkThread {
 public:
  WorkThread();
  // From any thread, its own included. What has not begun is dropped; what runs is waited for, from elsewhere, for a
  // second at most, and then left to its own.
  ~WorkThread();
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;
  void post(std::function<void()> work);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace atm::io
