// Names for the members of a struct of counters, so that sums and pages of metrics are loops and no counter can be
// forgotten in them. For whoever keeps a struct of uint64_t counters and whoever shows it (node/worker_stats.cpp):
//
//   inline constexpr CounterName<Counters> kCounterNames[] = {{&Counters::received, "received"}, …};
//   static_assert(names_all(kCounterNames));
#pragma once

#include <cstddef>
#include <cstdint>

namespace atm {

template <typename Counters>
struct CounterName {
  uint64_t Counters::* member;
  const char* name;
};

// No member is missing: such a struct holds nothing but its counters.
template <typename Counters, size_t kCount>
constexpr bool names_all(const CounterName<Counters> (&)[kCount]) {
  return sizeof(Counters) == kCount * sizeof(uint64_t);
}

template <typename Counters, size_t kCount>
void add_counters(const CounterName<Counters> (&names)[kCount], Counters& sum, const Counters& more) {
  for (const auto& [member, name] : names) sum.*member += more.*member;
}

}  // namespace atm
