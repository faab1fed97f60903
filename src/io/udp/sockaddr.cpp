#include "io/udp/sockaddr.h"

#include <arpa/inet.h>

#include <cstring>

namespace atm::io {

socklen_t fill_sockaddr(const SocketAddress& address, bool is_v4, sockaddr_storage& out) {
  std::memset(&out, 0, sizeof out);
  if (is_v4) {
    auto& in = reinterpret_cast<sockaddr_in&>(out);
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.bytes().data() + 12, 4);
    return sizeof in;
  }
  auto& in6 = reinterpret_cast<sockaddr_in6&>(out);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(address.port);
  std::memcpy(&in6.sin6_addr, address.ip.bytes().data(), 16);
  return sizeof in6;
}

IpAddress to_ip(const in_addr& in) {
  uint8_t bytes[4];
  std::memcpy(bytes, &in, 4);
  return IpAddress::v4(bytes);
}
IpAddress to_ip(const in6_addr& in) {
  std::array<uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &in, 16);
  return IpAddress::v6(bytes);
}

SocketAddress to_address(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    return {to_ip(in.sin_addr), ntohs(in.sin_port)};
  }
  const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
  return {to_ip(in6.sin6_addr), ntohs(in6.sin6_port)};
}

SocketAddress bound_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return to_address(storage);
}

void set_socket_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace atm::io
