// The requests of a session over its data channel: numbers them, keeps what each is for until it is answered, and gives
// up on those that are not. For client/session.h. Text in, text out; it knows no channel.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "contract/session.h"

namespace atm::client {

// The server answers what waits for a renegotiation after 10 s at the latest.
inline constexpr Duration kRequestTimeout = 12s;

class Rpc {
 public:
  // What a request was for. kApplication: a wish of its, which the next connection is told, too. kQuestion: of its, and
  // nothing but an answer will do.
  enum class Use : uint8_t { kApplication, kQuestion, kResync, kUpdate, kPing };
  struct Pending {
    Use use = Use::kResync;
    uint64_t request = 0;  // of the application
    Instant asked_at{};
    Instant due{};
  };
  struct Done {
    Pending pending;
    contract::RpcAnswer answer;  // kTimeout or kClosed as its error where there was none
  };

  // The text to send.
  std::string ask(Now now, contract::RpcBody body, Use use, uint64_t request = 0, Duration timeout = kRequestTimeout);
  // Nothing: an answer to what was not asked, or was given up.
  std::optional<Done> on_answer(contract::RpcAnswer answer);
  void on_timeout(Now now, std::vector<Done>& out);
  // The channel is gone: everything is answered with that.
  void close(std::vector<Done>& out);
  Instant next_timeout() const;

 private:
  std::map<uint64_t, Pending> pending_;  // by req_id
  uint64_t next_req_id_ = 1;
};

}  // namespace atm::client
