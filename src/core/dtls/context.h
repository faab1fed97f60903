// What all DTLS sessions of a worker share: the certificate, the ciphers, the SRTP profiles, the limits (an SSL_CTX).
// Made once per worker (or per client), given to every Transport; a copy shares the same state.
// DTLS 1.2 alone, forward-secret AEAD ciphers alone, no resumption, no renegotiation; a peer must show a certificate,
// and it must match the fingerprint that its Transport was given. Not for use by two threads at once.
#pragma once

#include <memory>
#include <span>

#include "base/srtp_profile.h"
#include "core/dtls/certificate.h"

struct ssl_ctx_st;

namespace atm::dtls {

// RFC 5764 4.1.2 and RFC 7714 14.2, in the order of preference: GCM is faster and authenticates better than AES-CM,
// which is for endpoints without it. AES-256 costs time and gives nothing that the key exchange (X25519) has.
inline constexpr SrtpProfile kSrtpProfiles[] = {SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAeadAes256Gcm,
                                                SrtpProfile::kAes128CmHmacSha1_80};

class Context {
 public:
  explicit Context(Certificate certificate, std::span<const SrtpProfile> profiles = kSrtpProfiles);

  const Certificate& certificate() const { return certificate_; }
  ssl_ctx_st* ssl_ctx() const { return ssl_ctx_.get(); }

 private:
  Certificate certificate_;
  std::shared_ptr<ssl_ctx_st> ssl_ctx_;
};

}  // namespace atm::dtls
