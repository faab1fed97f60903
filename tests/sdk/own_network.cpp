#include "own_network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>

namespace atm0s::test {

OwnNetwork::OwnNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  is_there_ = before_ >= 0 && ::unshare(CLONE_NEWNET) == 0;
}

OwnNetwork::~OwnNetwork() {
  if (is_there_ && ::setns(before_, CLONE_NEWNET) != 0) std::exit(1);
  if (before_ >= 0) ::close(before_);
}

bool OwnNetwork::ip(const std::string& arguments) {
  return std::system(("ip " + arguments).c_str()) == 0;
}

}  // namespace atm0s::test
