#include "io/stream/tls_trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace atm::io {

void TlsTrust::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<std::unique_ptr<TlsTrust>> TlsTrust::make() {
  auto out = std::make_unique<TlsTrust>();
  out->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = out->context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    return fail(ErrorCode::kServerError, "TLS could not be set up");
  }
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return out;
}

Result<std::unique_ptr<TlsTrust>> TlsTrust::load(const std::string& ca_file) {
  TRY(out, make());
  SSL_CTX* context = out->context_.get();
  const bool is_loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                         : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  ERR_clear_error();
  if (!is_loaded)
    return fail(ErrorCode::kInvalidConfig, "no certificates in PEM could be read from \"" + ca_file + '"');
  return std::move(out);
}

Result<std::unique_ptr<TlsTrust>> TlsTrust::of_anybody() {
  TRY(out, make());
  SSL_CTX_set_verify(out->context_.get(), SSL_VERIFY_NONE, nullptr);
  return std::move(out);
}

}  // namespace atm::io
