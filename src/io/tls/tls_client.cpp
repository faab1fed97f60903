#include "io/tls/tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>

#include "base/address.h"

namespace atm::io {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// How many certificates were added; OpenSSL's own loader stops silently at the first bad one.
int add_authorities(X509_STORE* store, const std::string& pem) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  int added = 0;
  while (const std::unique_ptr<X509, FreeCertificate> certificate{
      PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    added += X509_STORE_add_cert(store, certificate.get()) == 1 ? 1 : 0;
  }
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return is_end ? added : 0;
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsOptions& options) {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(ErrorCode::kServerError, "TLS: no context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);  // RFC 8996: nothing older
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context.get(), options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.verify) return context;
  ERR_clear_error();
  if (!options.ca_pem.empty() && add_authorities(SSL_CTX_get_cert_store(context.get()), options.ca_pem) == 0) {
    return fail(ErrorCode::kInvalidConfig, "TLS: ca_pem holds no PEM certificate, or a broken one");
  }
  if (!options.ca_file.empty() && SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::kInvalidConfig, "TLS: " + options.ca_file + " cannot be read or holds no PEM certificate");
  }
  if (options.ca_pem.empty() && options.ca_file.empty()) SSL_CTX_set_default_verify_paths(context.get());
  return context;
}

bool expect_server(SSL* ssl, const std::string& name) {
  const bool is_address = IpAddress::parse(name).has_value();
  // RFC 6066 3: SNI has names only, no addresses.
  if (name.empty() || (!is_address && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1)) return false;
  if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return true;
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1;
  // RFC 9525 6.3: "*" is a whole label.
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1;
}

std::string explain_tls_failure(SSL* ssl, const std::string& name, unsigned long error, const std::string& otherwise) {
  const long verdict = SSL_get_verify_result(ssl);
  if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && verdict != X509_V_OK) {
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
      return "has a certificate that is not for " + name;
    }
    std::string why = std::string("has a certificate that is not trusted: ") + X509_verify_cert_error_string(verdict);
    const bool is_unknown = verdict == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
                            verdict == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
                            verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    if (is_unknown) why += "; ca_file or ca_pem names who is to be trusted";
    return why;
  }
  const int reason = error == 0 ? 0 : ERR_GET_REASON(error);
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_UNKNOWN_PROTOCOL) {
    return "does not speak TLS there; is the port one for plain connections?";
  }
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  return "failed over TLS: " + (text == nullptr ? otherwise : text);
}

}  // namespace atm::io
