// A self-signed ECDSA P-256 certificate with its key: what a WebRTC endpoint shows in DTLS and names in its SDP (RFC
// 8827 6.5). Made once per worker (or per client) and shared by all its transports; a copy shares the same certificate.
// Serial number and dates come from the given Rng and clock; the key and the signature from OpenSSL's own generator.
#pragma once

#include <memory>
#include <string>

#include "base/rng.h"
#include "base/time.h"

struct x509_st;
struct evp_pkey_st;

namespace atm::dtls {

class Certificate {
 public:
  static Certificate make(Now now, Rng& rng);

  // SHA-256 in upper case with colons, "AB:CD:…", as a=fingerprint wants it after "sha-256 ".
  const std::string& fingerprint() const { return fingerprint_; }

  x509_st* x509() const { return x509_.get(); }
  evp_pkey_st* key() const { return key_.get(); }

 private:
  Certificate() = default;
  std::shared_ptr<x509_st> x509_;
  std::shared_ptr<evp_pkey_st> key_;
  std::string fingerprint_;
};

}  // namespace atm::dtls
