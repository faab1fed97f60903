// Certificates for HTTPS as PEM texts: from files, or a self-signed one for trying things out (browsers open cameras on
// secure pages only). Called by apps/server before listening; no session ever uses these, DTLS makes its own.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace atm::io {

struct TlsPem {
  std::string certificate;  // the server's, then intermediate ones
  std::string key;
};

// Both files are read and must fit together; what is wrong is said with the file's name.
Result<TlsPem> load_certificate(const std::string& certificate_path, const std::string& key_path);

// ECDSA P-256, for these host names and IP addresses, for a year. Kept nowhere: each call makes a new one.
Result<TlsPem> make_self_signed(std::span<const std::string> names);

}  // namespace atm::io
