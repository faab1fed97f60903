#include "control/http/address_rates.h"

#include <algorithm>

namespace atm::control {
namespace {

// Looking through all of them is 50 µs: not for every call of a flood.
constexpr Duration kSweepInterval = 1s;

IpAddress rated_part(const IpAddress& address) {
  if (address.is_v4()) return address;
  auto bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return IpAddress::v6(bytes);
}

}  // namespace

bool AddressRates::take(Instant now, const IpAddress& from) {
  const IpAddress key = rated_part(from);
  auto it = budgets_.find(key);
  if (it == budgets_.end()) {
    if (budgets_.size() >= kMaxRatedAddresses && now - swept_ >= kSweepInterval) {
      swept_ = now;
      for (auto quiet = budgets_.begin(); quiet != budgets_.end();) {
        quiet = quiet->second.is_full(now) ? budgets_.erase(quiet) : std::next(quiet);
      }
    }
    if (budgets_.size() >= kMaxRatedAddresses) return others_.take(now);
    it = budgets_.emplace(key, make_budget()).first;
  }
  return it->second.take(now);
}

}  // namespace atm::control
