// ASSERT: our own bug, always on, aborts with the place and the condition. Never reachable from peer input
// (hostile input is parsed into "nothing" and counted instead). DEBUG_ASSERT: the same for hot loops, off with NDEBUG.
#pragma once

namespace atm {
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);
}  // namespace atm

#define ASSERT(condition) \
  (__builtin_expect(static_cast<bool>(condition), 1) ? void(0) : ::atm::assert_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define DEBUG_ASSERT(condition) void(sizeof(bool(condition)))
#else
#define DEBUG_ASSERT(condition) ASSERT(condition)
#endif
