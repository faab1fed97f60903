#include "core/dtls/context.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <utility>

#include "base/assert.h"
#include "core/dtls/fingerprint.h"
#include "core/dtls/record_guard.h"

namespace atm::dtls {
namespace {

// RFC 8827 6.5 requires the first; RSA and ChaCha20 for peers with such certificates or without AES instructions.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kGroups[] = "X25519:P-256:P-384";

const char* openssl_name(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::kAeadAes128Gcm:
      return "SRTP_AEAD_AES_128_GCM";
    case SrtpProfile::kAeadAes256Gcm:
      return "SRTP_AEAD_AES_256_GCM";
    case SrtpProfile::kAes128CmHmacSha1_80:
      return "SRTP_AES128_CM_SHA1_80";
  }
  return "";
}

// RFC 8122 6.2: the self-signed certificate is good exactly when it matches the fingerprint of the SDP. Chain, name and
// dates say nothing. Done inside the handshake, so that a stranger gets an alert and no key ever exists.
int verify_by_fingerprint(X509_STORE_CTX* store, void*) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* expected = ssl ? static_cast<const Fingerprint*>(SSL_get_app_data(ssl)) : nullptr;
  if (expected && expected->matches(X509_STORE_CTX_get0_cert(store))) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
  return 0;
}

}  // namespace

// Nothing here depends on a peer: ASSERT.
Context::Context(Certificate certificate, std::span<const SrtpProfile> profiles)
    : certificate_(std::move(certificate)) {
  ssl_ctx_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(DTLS_method()), SSL_CTX_free);
  SSL_CTX* ctx = ssl_ctx_.get();
  ASSERT(ctx);
  ASSERT(SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1);
  ASSERT(SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1);
  ASSERT(SSL_CTX_set_cipher_list(ctx, kCiphers) == 1);
  ASSERT(SSL_CTX_set1_groups_list(ctx, kGroups) == 1);
  ASSERT(SSL_CTX_use_certificate(ctx, certificate_.x509()) == 1);
  ASSERT(SSL_CTX_use_PrivateKey(ctx, certificate_.key()) == 1);

  // NO_QUERY_MTU: ours is fixed. Renegotiation is forbidden (RFC 8827 6.5); tickets and the cache would only cost
  // memory.
  SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(ctx, kMaxCertificateChain);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx, verify_by_fingerprint, nullptr);

  std::string names;
  for (const SrtpProfile profile : profiles) {
    if (!names.empty()) names += ':';
    names += openssl_name(profile);
  }
  // Unlike its neighbours this function returns 0 for success.
  if (!names.empty()) ASSERT(SSL_CTX_set_tlsext_use_srtp(ctx, names.c_str()) == 0);
}

}  // namespace atm::dtls
