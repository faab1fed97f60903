// The SRTP protection profiles that DTLS may negotiate (RFC 5764 4.1.2, RFC 7714 14.2), with the sizes of their master
// keys and salts. Named by core/dtls (which exports the keys) and core/srtp (which uses them), which do not know each
// other. The values are the numbers on the wire.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atm {

enum class SrtpProfile : uint16_t {
  kAes128CmHmacSha1_80 = 0x0001,
  kAeadAes128Gcm = 0x0007,
  kAeadAes256Gcm = 0x0008,
};

// Bytes of the master key and of the master salt: RFC 3711 8.2, RFC 7714 12.
constexpr size_t srtp_key_size(SrtpProfile profile) {
  return profile == SrtpProfile::kAeadAes256Gcm ? 32 : 16;
}
constexpr size_t srtp_salt_size(SrtpProfile profile) {
  return profile == SrtpProfile::kAes128CmHmacSha1_80 ? 14 : 12;
}

}  // namespace atm
