// TLS of a client: whom it trusts, for which name a certificate has to be, and what is told to a user when that fails.
// For the HTTP client and for connections to TURN servers (io/stream). OpenSSL alone, no socket.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace atm::io {

struct TlsOptions {
  // Certificates of authorities, PEM. With either of them these alone are trusted, else those of the system.
  std::string ca_file = {};
  std::string ca_pem = {};
  bool verify = true;            // false: whoever answers is trusted. For trying things out only
  std::string server_name = {};  // the name that is asked for (SNI) and has to be in the certificate; "": the host
};

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
// Of all connections of a client, from any of its threads; outlives them.
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// TLS 1.2 or later. INVALID_CONFIG: a file cannot be read, or there is no certificate in it.
Result<TlsContext> make_tls_context(const TlsOptions& options);

// Before the handshake: SNI, and, if the context verifies, the name that the certificate has to have: of a host, or a
// literal address. False: the name is none.
bool expect_server(SSL* ssl, const std::string& name);

// After what failed with that error of OpenSSL's queue (0: none, the connection broke), for a sentence that begins with
// the server's name: "has a certificate that is not for sfu.test".
std::string explain_tls_failure(SSL* ssl, const std::string& name, unsigned long error, const std::string& otherwise);

}  // namespace atm::io
