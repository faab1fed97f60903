// What this process has of the system's: to see that nothing of it is left behind.
#pragma once

#include <cstddef>

namespace atm0s::test {

// Beyond those that the process began with: a sanitizer has one of its own.
size_t count_threads();
size_t count_descriptors();

}  // namespace atm0s::test
