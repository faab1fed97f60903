// Which seeds a simulation runs from: those of the test, or the one that ATM0S_SIM_SEED names (./dev sim SEED).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

namespace atm::sim {

inline std::optional<uint64_t> chosen_seed() {
  const char* text = std::getenv("ATM0S_SIM_SEED");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

// `count` seeds from `first` on, or the chosen one.
inline std::vector<uint64_t> seeds(uint64_t first, size_t count) {
  if (const auto chosen = chosen_seed()) return {*chosen};
  std::vector<uint64_t> all;
  for (size_t i = 0; i < count; ++i) all.push_back(first + i);
  return all;
}

}  // namespace atm::sim
