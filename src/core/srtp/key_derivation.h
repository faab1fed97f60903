// Session keys from the master key and salt that DTLS exported (RFC 3711 4.3, RFC 7714 11), key derivation rate 0.
// Called by SendContext and ReceiveContext when they are made. Nothing is derived again later: a master key lives as
// long as its DTLS association, which is far below the 2^48 packets that it may protect.
#pragma once

#include "base/bytes.h"
#include "base/srtp_profile.h"

namespace atm::srtp {

// RFC 3711 4.3.1, 4.3.2
enum class KeyLabel : uint8_t {
  kRtpEncryption = 0,
  kRtpAuthentication = 1,
  kRtpSalt = 2,
  kRtcpEncryption = 3,
  kRtcpAuthentication = 4,
  kRtcpSalt = 5,
};

// `size` bytes of the AES-CM key stream for `label`. Key of 16 or 32 bytes, salt of at most 14: a shorter one (GCM's
// 12) stands for one with zeros behind it (RFC 7714 11).
Bytes derive_key(ByteView master_key, ByteView master_salt, KeyLabel label, size_t size);

struct SessionKeys {
  Bytes rtp_key, rtp_salt;
  Bytes rtcp_key, rtcp_salt;
  Bytes rtp_authentication = {}, rtcp_authentication = {};  // AES-CM alone
};

SessionKeys derive_session_keys(SrtpProfile profile, ByteView master_key, ByteView master_salt);

}  // namespace atm::srtp
