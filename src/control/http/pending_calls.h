// The HTTP calls that wait for a worker: ticket -> what it is about, whom to answer, until when. Used by apps/server
// beside the Router, on the control thread. One call may wait for several workers (metrics).
// Bounded; a reply that comes after its deadline, or twice, is dropped and counted as late.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "contract/command.h"
#include "control/http/router.h"

namespace atm::control {

class PendingCalls {
 public:
  // A connect is a few milliseconds of work on an idle worker; a browser's user gives up at about this time.
  static constexpr Duration kTimeout = 15s;
  // Far more than the HTTP connections that are allowed, each of which has one call under way.
  static constexpr size_t kCallsMax = 4096;

  // `caller` is the app's own key for the waiting HTTP client. nullopt: kCallsMax calls are under way.
  std::optional<uint64_t> open(Now now, Pending pending, uint64_t caller, size_t replies_awaited = 1);

  struct Finished {
    uint64_t caller;
    Pending pending;
    std::vector<contract::Reply> replies;  // fewer than awaited when it was too late, or cancelled
  };
  // The call that `reply` completes.
  std::optional<Finished> on_reply(contract::Reply reply);
  // Takes a call back, e.g. because its worker's mailbox was full.
  std::optional<Finished> cancel(uint64_t ticket);

  Instant next_timeout() const;
  void on_timeout(Now now, std::vector<Finished>& out);

  size_t size() const { return calls_.size(); }
  uint64_t late_replies() const { return late_replies_; }

 private:
  struct Call {
    Finished so_far;
    size_t awaited;
    Instant deadline;
  };

  // Tickets rise and the time-out is one for all: the first entry is always the next to be due.
  std::map<uint64_t, Call> calls_;
  uint64_t next_ticket_ = 1;
  uint64_t late_replies_ = 0;
};

}  // namespace atm::control
