// TLS of the HTTP client: whom it trusts, for which name a certificate has to be, and what is told to a user when that
// fails. OpenSSL alone, no socket.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace atm::io {

struct TlsOptions {
  // Certificates of authorities, PEM. With either of them these alone are trusted, else those of the system.
  std::string ca_file;
  std::string ca_pem;
  bool verify = true;       // false: whoever answers is trusted. For trying things out only
  std::string server_name;  // the name that is asked for (SNI) and has to be in the certificate; "": the URL's host
};

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// TLS 1.2 or later. INVALID_CONFIG: a file cannot be read, or there is no certificate in it.
Result<TlsContext> make_tls_context(const TlsOptions& options);

// Before the handshake: SNI, and the name that the certificate has to have. False: the name is none.
bool expect_server(SSL* ssl, const std::string& name, bool verify);

// After a handshake that failed with that error of OpenSSL's queue (0: none, the connection broke): "TLS: …".
std::string explain_tls_failure(SSL* ssl, const std::string& name, unsigned long error, const std::string& otherwise);

}  // namespace atm::io
