// A bounded queue from any thread to one reader, with a descriptor that becomes readable when something is in it.
// Values are plain structs. A full mailbox refuses: the poster counts it and answers BUSY; nothing grows without bound.
// The other way, without a wake, go values that other readers have used up and that the owner made: their buffers are
// used again.
#pragma once

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace atm::io {

// The descriptor of a mailbox: an eventfd.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  void signal();
  void clear();
  int fd() const { return fd_; }

 private:
  int fd_;
};

template <typename T>
class Mailbox {
 public:
  explicit Mailbox(size_t capacity) : capacity_(capacity) {}

  // False when it is full. One wake per batch: only the first value into an empty mailbox signals.
  bool post(T value) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      if (values_.size() >= capacity_) return false;
      was_empty = values_.empty();
      values_.push_back(std::move(value));
    }
    if (was_empty) wakeup_.signal();
    return true;
  }

  // The values in one go, with one wake; how many did not fit: these stay in `values`.
  size_t post_all(std::vector<T>& values) {
    if (values.empty()) return 0;
    size_t taken = 0;
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = values_.empty();
      taken = std::min(values.size(), capacity_ - values_.size());
      for (size_t i = 0; i < taken; ++i) values_.push_back(std::move(values[i]));
    }
    if (was_empty && taken > 0) wakeup_.signal();
    values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(taken));
    return values.size();
  }

  // By the reader: everything that is in it, appended to `out`.
  void take_all(std::vector<T>& out) {
    wakeup_.clear();
    const std::lock_guard lock(mutex_);
    for (T& value : values_) out.push_back(std::move(value));
    values_.clear();
  }

  // By whoever has used up what the reader of this mailbox had posted elsewhere. Beyond the capacity they are gone.
  void give_back(std::vector<T>& values) {
    if (values.empty()) return;
    const std::lock_guard lock(mutex_);
    const size_t taken = std::min(values.size(), capacity_ - given_back_.size());
    for (size_t i = 0; i < taken; ++i) given_back_.push_back(std::move(values[i]));
    values.clear();
  }

  // By the reader: all that was given back, appended to `out`.
  void take_given_back(std::vector<T>& out) {
    const std::lock_guard lock(mutex_);
    for (T& value : given_back_) out.push_back(std::move(value));
    given_back_.clear();
  }

  int fd() const { return wakeup_.fd(); }

 private:
  const size_t capacity_;
  std::mutex mutex_;
  std::vector<T> values_;
  std::vector<T> given_back_;
  Wakeup wakeup_;
};

}  // namespace atm::io
