// coturn on 127.0.0.1 for as long as this lives: STUN, TURN over UDP and TCP on one port, over TLS on another, with a
// certificate made for it; it relays at another address of this host. For the tests of core/turn and of the SDK, so it
// needs none of the tree; it needs the programs turnserver and openssl.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace atm {

class Coturn {
 public:
  static constexpr const char* kUser = "ann";
  static constexpr const char* kPassword = "secret";
  static constexpr const char* kName = "turn.example";  // of the certificate, beside "localhost"
  static constexpr const char* kRelayIp = "127.0.0.77";

  // `more`: lines of its configuration.
  explicit Coturn(const std::string& more = "");
  ~Coturn();
  Coturn(const Coturn&) = delete;
  Coturn& operator=(const Coturn&) = delete;

  bool is_running() const { return child_ > 0; }
  uint16_t port = 0, tls_port = 0;
  std::string ca_file;
  std::string log() const;  // what it said

 private:
  std::string folder_;
  pid_t child_ = -1;
};

}  // namespace atm
