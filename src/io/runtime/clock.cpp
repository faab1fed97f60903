#include "io/runtime/clock.h"

#include <openssl/rand.h>

#include "base/assert.h"

namespace atm::io {

Now read_clocks() {
  const auto mono = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Instant{std::chrono::duration_cast<Duration>(mono)}, WallTime{std::chrono::duration_cast<Duration>(wall)}};
}

void SystemRng::fill(MutByteView out) {
  ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

}  // namespace atm::io
