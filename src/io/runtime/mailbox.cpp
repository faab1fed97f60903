#include "io/runtime/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/assert.h"

namespace atm::io {

Wakeup::Wakeup() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  ASSERT(fd_ >= 0);
}
Wakeup::~Wakeup() {
  ::close(fd_);
}

void Wakeup::signal() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);  // a full counter is already signalled
}

void Wakeup::clear() {
  uint64_t count;
  [[maybe_unused]] const auto read = ::read(fd_, &count, sizeof count);
}

}  // namespace atm::io
