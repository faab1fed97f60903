// Our addresses as the system calls' and back: for the sockets of io/udp and io/tcp.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/address.h"

namespace atm::io {

// Of the family that the socket has. Returns the size of what was filled in.
socklen_t fill_sockaddr(const SocketAddress& address, bool is_v4, sockaddr_storage& out);
IpAddress to_ip(const in_addr& in);
IpAddress to_ip(const in6_addr& in);
SocketAddress to_address(const sockaddr_storage& from);
// Where that socket is bound, or what a connection is bound to on this side.
SocketAddress bound_address(int fd);

}  // namespace atm::io
