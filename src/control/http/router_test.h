// What the tests of the router have in common: the server's secret, the time, and a connection of worker 1.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace atm::control {

inline constexpr std::string_view kSecret = "a secret+of/the server: 32 bytes!";
inline constexpr Now kNow{Instant{}, WallTime{1'800'000'000s}};
inline const std::string kConnId = "1-2a-00112233445566778899aabbccddeeff";

}  // namespace atm::control
