// Asks one STUN server, from one local address, how it sees that address (RFC 8489, RFC 8445 5.1.1.2), and asks again
// for as long as it lives: that keeps the NAT's mapping open (RFC 8445 5.1.1.4) and notices when it becomes another
// one. Owned by the gatherer, one for each server and local address. Over UDP, without credentials. An answer proves
// nothing but that it came from there: a wrong address costs a pair that fails.
#pragma once

#include <optional>
#include <string>

#include "base/datagram.h"
#include "base/rng.h"
#include "core/turn/counters.h"
#include "core/turn/server_url.h"
#include "core/turn/transaction.h"

namespace atm::turn {

inline constexpr Duration kBindingKeepAlive = 15s;  // Tr, RFC 8445 11

class StunClient {
 public:
  // `server`: from where to where.
  StunClient(const ServerUrl& url, const Path& server, Rng& rng) : url_(url), path_(server), rng_(rng) {}

  // Also again, when the network may have changed.
  void ask(Now now, SendBatch& out);
  // False: it is no answer to this client.
  bool on_datagram(Now now, const Datagram& datagram, SendBatch& out);
  void on_timeout(Now now, SendBatch& out);
  Instant next_timeout() const { return std::min(transaction_.next_timeout(), next_at_); }

  const std::optional<SocketAddress>& mapped() const { return mapped_; }
  // What a user can act on, once it is known; "": nothing is wrong, or it is asked again.
  const std::string& failure() const { return failure_; }
  const Path& server() const { return path_; }
  const Counters& counters() const { return counters_; }

 private:
  void on_error(Now now, const stun::Message& message, SendBatch& out);
  void fail(const std::string& why) { failure_ = to_text(url_) + ' ' + why; }

  ServerUrl url_;
  Path path_;
  Rng& rng_;
  Transaction transaction_;
  Instant next_at_ = kNever;
  bool was_redirected_ = false;
  std::optional<SocketAddress> mapped_;
  std::string failure_;
  Counters counters_;
};

}  // namespace atm::turn
