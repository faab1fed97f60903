#include "cpu.h"

#include <sched.h>
#include <sys/utsname.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace atm::bench {

void pin_to_core(size_t core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return;
  std::perror("bench: sched_setaffinity");
  std::exit(1);
}

uint64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

std::string describe_machine() {
  std::string model = "CPU", line;
  std::ifstream info("/proc/cpuinfo");
  while (std::getline(info, line)) {
    if (line.starts_with("model name")) model = line.substr(line.find(':') + 2);
  }
  utsname name{};
  uname(&name);
  return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, " + name.sysname + ' ' +
         name.release;
}

}  // namespace atm::bench
