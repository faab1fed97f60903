// The SRTP protection profiles that DTLS may negotiate (RFC 5764 4.1.2, RFC 7714 14.2), with the sizes of their master
// keys and salts. Named by core/dtls (which exports the keys) and core/srtp (which uses them), which do not know each
// other. The values are the numbers on the wire. The AES-CM profiles of RFC 5764 are not there: every browser offers
// GCM.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atm0s {

enum class SrtpProfile : uint16_t {
  kAeadAes128Gcm = 0x0007,
  kAeadAes256Gcm = 0x0008,
};

// RFC 7714 12: bytes of the master key, and of the master salt (96 bits for both).
constexpr size_t srtp_key_size(SrtpProfile profile) {
  return profile == SrtpProfile::kAeadAes128Gcm ? 16 : 32;
}
constexpr size_t srtp_salt_size(SrtpProfile) {
  return 12;
}

}  // namespace atm0s
