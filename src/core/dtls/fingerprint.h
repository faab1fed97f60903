// The a=fingerprint of SDP (RFC 8122 5): a hash function's name and the digest of a certificate.
// Made by core/dtls for our own certificate and from the peer's SDP; compared against the certificate that the peer
// shows. Does not know SDP's syntax beyond the value of the attribute ("sha-256 AB:CD:…"). MD5 and MD2 are not
// accepted.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

struct x509_st;

namespace atm::dtls {

struct Fingerprint {
  const char* digest_name;  // as EVP names it, a literal
  Bytes digest;

  // True when `certificate` hashes to this digest.
  bool matches(const x509_st* certificate) const;
};

// "sha-256 4A:AD:…": the name in either case (RFC 8122 5), the digest in either case, of exactly the function's length.
std::optional<Fingerprint> parse_fingerprint(std::string_view text);

}  // namespace atm::dtls
