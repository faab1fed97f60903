#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace atm {

void assert_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "ASSERT failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace atm
