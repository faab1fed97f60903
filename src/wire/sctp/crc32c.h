// CRC32c (Castagnoli), the checksum of SCTP packets (RFC 9260 6.8 and appendix A).
// Called by wire/sctp's packet reader and writer, and by tests. Table-driven (slicing by 8), no allocation.
// Does not know where a packet keeps its checksum: see packet.h.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace atm::sctp {

// Continues `crc` (0 to start) over `bytes`; the conditioning of both ends is inside.
uint32_t crc32c(ByteView bytes, uint32_t crc = 0);

}  // namespace atm::sctp
