// How often each address may make the server work: a budget for each IPv4 address and each /64 of IPv6, which is what
// one subscriber has. For the router, before a body is read. Bounded: when all places are taken by addresses that are
// active, further ones share a budget among them, so that neither memory nor a known address pays for a flood of new
// ones.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/address.h"
#include "base/budget.h"

namespace atm::control {

// A page behind a company's one address reloads in many browsers at once; a connect costs a worker about 2 ms.
inline constexpr int64_t kConnectsPerSecond = 50;
inline constexpr int64_t kConnectsAtOnce = 200;
inline constexpr size_t kMaxRatedAddresses = 4'096;

class AddressRates {
 public:
  // One call from there. False: too many.
  bool take(Instant now, const IpAddress& from);
  size_t size() const { return budgets_.size(); }

 private:
  static Budget make_budget() { return {kConnectsPerSecond, kConnectsAtOnce}; }

  std::unordered_map<IpAddress, Budget> budgets_;
  Budget others_ = make_budget();
  Instant swept_{};
};

}  // namespace atm::control
