// A request under way (session.h): done once, from any thread; waited for, or told to a handler on the session's
// strand.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "atm0s/session.h"
#include "strand.h"

namespace atm0s {

class ATM0S_LOCAL Operation::Impl {
 public:
  explicit Impl(std::weak_ptr<Strand> strand) : strand_(std::move(strand)) {}
  static Operation make_done(Result<void> result, std::weak_ptr<Strand> strand = {});

  void finish(Result<void> result);
  Result<void> wait(std::chrono::milliseconds timeout);
  bool is_done();
  void on_done(std::function<void(Result<void>)> handler);

 private:
  void tell(std::function<void(Result<void>)> handler);

  std::weak_ptr<Strand> strand_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Result<void>> result_;
  std::vector<std::function<void(Result<void>)>> handlers_;
};

}  // namespace atm0s
