// A client renews its token in a call: the worker that has the session asks control, which alone knows the secret, and
// gets the verdict as a command. Plain structs through the mailboxes of contract/command.h. Either may be lost where a
// mailbox is full: the session's request then waits for its time-out.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "contract/session.h"

namespace atm::contract {

struct TokenQuestion {
  std::string conn_id;
  uint64_t req_id = 0;  // of peer.token
  std::string room, peer;
  std::string token;
};

struct TokenVerdict {
  std::string conn_id;
  uint64_t req_id = 0;
  Result<Grant> grant;
};

}  // namespace atm::contract
