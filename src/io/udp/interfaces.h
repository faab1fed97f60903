// The addresses of this machine, for media candidates when the operator named none.
#pragma once

#include <vector>

#include "base/address.h"

namespace atm::io {

// Addresses of interfaces that are up: global and private ones first, loopback only when there is nothing else;
// link-local ones never. IPv4 before IPv6, in the kernel's order.
std::vector<IpAddress> local_addresses();

}  // namespace atm::io
