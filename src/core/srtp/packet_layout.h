// Where SRTP and SRTCP keep what protection needs (RFC 3711 3.1, 3.4; RFC 7714 8, 9). Shared by SendContext and
// ReceiveContext alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atm::srtp {

inline constexpr size_t kSequenceAt = 2;
inline constexpr size_t kRtpSsrcAt = 8;
inline constexpr size_t kRtcpSsrcAt = 4;
inline constexpr size_t kRtcpHeaderSize = 8;             // RFC 3711 3.4: never encrypted
inline constexpr size_t kRtcpIndexSize = 4;              // E bit and index
inline constexpr uint32_t kEncryptedFlag = 0x8000'0000;  // E
inline constexpr uint32_t kRtcpIndexEnd = 0x8000'0000;   // 31 bits
inline constexpr uint64_t kRtpIndexEnd = uint64_t{1} << 48;

}  // namespace atm::srtp
