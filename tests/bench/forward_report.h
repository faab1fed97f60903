// What forward_bench prints and writes.
#pragma once

#include <string>
#include <vector>

#include "forward_run.h"

namespace atm::bench {

struct Checks {
  uint64_t missing = 0, wrong = 0;  // of all packets that were decrypted
  uint64_t segment_refusals = 0;    // the kernel would not segment
};

// A Markdown table each.
void print_costs(const std::vector<Figure>& figures);
void print_segments(const std::vector<Figure>& figures);
// Shares of the server's time by library and by function, of what perf has recorded.
void print_profile(const std::string& perf_data);
// Creates the folder; tells on stderr when it cannot be written.
void write_json(const std::string& path, const std::vector<Figure>& costs, const std::vector<Figure>& segments,
                const Checks& checks);

}  // namespace atm::bench
