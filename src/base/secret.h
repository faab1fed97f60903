// Comparison of secrets that says nothing by the time it takes. For modules that have no cryptography library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace atm {

// Takes the same time wherever they differ. Lengths are no secret.
inline bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace atm
