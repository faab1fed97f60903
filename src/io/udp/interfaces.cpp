#include "io/udp/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace atm::io {

std::vector<IpAddress> local_addresses() {
  std::vector<IpAddress> out;
  std::vector<IpAddress> loopback;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (i->ifa_flags & IFF_UP) == 0) continue;
    IpAddress ip;
    if (i->ifa_addr->sa_family == AF_INET) {
      uint8_t bytes[4];
      std::memcpy(bytes, &reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr, 4);
      ip = IpAddress::v4(bytes);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      std::array<uint8_t, 16> bytes;
      std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(i->ifa_addr)->sin6_addr, 16);
      ip = IpAddress::v6(bytes);
    } else {
      continue;
    }
    if (ip.is_link_local()) continue;
    (ip.is_loopback() ? loopback : out).push_back(ip);
  }
  ::freeifaddrs(list);
  if (out.empty()) out = loopback;
  std::stable_sort(out.begin(), out.end(),
                   [](const IpAddress& a, const IpAddress& b) { return a.is_v4() && !b.is_v4(); });
  return out;
}

}  // namespace atm::io
