// What sockets of io share: our addresses as the system calls' and back, options of a socket.
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
// One that the kernel does not know is left out.
void set_socket_option(int fd, int level, int option, int value);

}  // namespace atm::io
