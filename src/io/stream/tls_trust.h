// Which servers a client believes over TLS: the certificates that it trusts, for io/stream/stream_socket.h. One for all
// connections of a client, from any of its threads; it outlives them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;

namespace atm::io {

class TlsTrust {
 public:
  // `ca_file`: certificates in PEM, and no others are trusted then; "": those of the system.
  static Result<std::unique_ptr<TlsTrust>> load(const std::string& ca_file);
  // For tests and for a server on a desk: any certificate will do, and anybody in between can read and change all.
  static Result<std::unique_ptr<TlsTrust>> of_anybody();

  ssl_ctx_st* context() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  static Result<std::unique_ptr<TlsTrust>> make();

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace atm::io
