// What a subscriber's socket does with media before anybody reads it. For the load generators of benchmarks.
#pragma once

#include <cstdint>

namespace atm::bench {

// Each datagram comes on its own, as from a network: also those that the server gave to the kernel as one (UDP GSO).
void take_single_datagrams(int fd);
// RTP is dropped in the kernel, RTCP and all else comes through (RFC 5761 4: by the second byte).
void drop_media(int fd);
// Everything is dropped in the kernel.
void drop_all(int fd);
// Datagrams that this socket has dropped: exact, each segment counts.
uint32_t dropped(int fd);

}  // namespace atm::bench
