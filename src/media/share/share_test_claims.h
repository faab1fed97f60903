// Claims that the tests of the sharing have in common.
#pragma once

#include <chrono>
#include <vector>

#include "media/share/share.h"

namespace atm::share {

inline Instant at(int64_t ms) {
  return Instant{} + std::chrono::milliseconds(ms);
}

// Simulcast of three layers with three temporal ones each, in thousands of bit/s.
inline RateTable simulcast() {
  RateTable out;
  const uint64_t kbps[3][3] = {{80, 110, 150}, {250, 350, 500}, {700, 1'000, 1'500}};
  for (size_t s = 0; s < 3; ++s) {
    for (size_t t = 0; t < 3; ++t) out.bps[s][t] = kbps[s][t] * 1'000;
  }
  return out;
}

inline Claim claim_of(uint32_t priority, RateTable rates = simulcast()) {
  Claim out;
  out.limit.priority = priority;
  out.rates = rates;
  return out;
}

inline uint64_t sum_of(const std::vector<Claim>& claims) {
  uint64_t sum = 0;
  for (const Claim& claim : claims) sum += claim.bps;
  return sum;
}

// Calls until everything that waited has had its chance.
inline Totals settle(int64_t& ms, uint64_t bps, std::vector<Claim>& claims, int64_t for_ms = 60'000) {
  Totals totals;
  for (const int64_t end = ms + for_ms; ms < end; ms += 100) totals = share(at(ms), {bps, 0}, claims);
  return totals;
}

}  // namespace atm::share
