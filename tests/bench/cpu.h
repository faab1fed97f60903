// Cores and their time, for benchmarks: where the calling thread runs, and how long it has run.
#pragma once

#include <cstdint>
#include <string>

namespace atm::bench {

// The calling thread runs on this core alone from now on. Ends the program where the system refuses.
void pin_to_core(size_t core);
// CPU time of the calling thread, nanoseconds.
uint64_t thread_cpu_ns();
// "AMD EPYC, 2 cores, Linux 6.18": what figures were measured on.
std::string describe_machine();

}  // namespace atm::bench
