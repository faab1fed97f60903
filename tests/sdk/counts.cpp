#include "counts.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace atm0s::test {

namespace {

size_t count_entries(const char* folder) {
  size_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; at != end; at.increment(error)) ++count;
  return count;
}

// A sanitizer starts its own with the first.
size_t count_after_first() {
  std::thread([] {}).join();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the kernel still lists who has just ended
  return count_entries("/proc/self/task");
}

const size_t threads_at_start = count_after_first();

}  // namespace

size_t count_threads() {
  return std::max(count_entries("/proc/self/task"), threads_at_start) - threads_at_start;
}

size_t count_descriptors() {
  return count_entries("/proc/self/fd");
}

}  // namespace atm0s::test
