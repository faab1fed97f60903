#include "operation.h"

namespace atm0s {

Operation Operation::Impl::make_done(Result<void> result, std::weak_ptr<Strand> strand) {
  auto impl = std::make_shared<Impl>(std::move(strand));
  impl->finish(std::move(result));
  return Operation(std::move(impl));
}

void Operation::Impl::finish(Result<void> result) {
  std::vector<std::function<void(Result<void>)>> handlers;
  {
    const std::lock_guard lock(mutex_);
    if (result_) return;
    result_ = std::move(result);
    handlers.swap(handlers_);
    changed_.notify_all();
  }
  for (auto& handler : handlers) tell(std::move(handler));
}

// On the strand; where that is gone with its session nobody is told.
void Operation::Impl::tell(std::function<void(Result<void>)> handler) {
  if (const auto strand = strand_.lock()) strand->post([handler, result = *result_] { handler(result); });
}

Result<void> Operation::Impl::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, timeout, [this] { return result_.has_value(); })) {
    return Error{ErrorCode::kTimeout, "not done yet"};
  }
  return *result_;
}

bool Operation::Impl::is_done() {
  const std::lock_guard lock(mutex_);
  return result_.has_value();
}

void Operation::Impl::on_done(std::function<void(Result<void>)> handler) {
  {
    const std::lock_guard lock(mutex_);
    if (!result_) {
      handlers_.push_back(std::move(handler));
      return;
    }
  }
  tell(std::move(handler));
}

Result<void> Operation::wait(std::chrono::milliseconds timeout) const {
  return impl_->wait(timeout);
}
bool Operation::is_done() const {
  return impl_->is_done();
}
void Operation::on_done(std::function<void(Result<void>)> handler) const {
  impl_->on_done(std::move(handler));
}

}  // namespace atm0s
