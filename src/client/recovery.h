// Getting a lost connection back, as a schedule: first restarts of ICE, which keep the session, then new connections,
// again and again with growing waits, until it is back, the server refuses for good, or it has taken too long. Says
// what to try and when; client/session.h does it and tells how it went. The same rules as the browser SDK's (sdk/js).
#pragma once

#include <optional>

#include "base/result.h"
#include "base/rng.h"
#include "base/time.h"

namespace atm::client {

struct RecoveryOptions {
  Duration first_wait = 250ms;  // before the second try; each further one doubles it
  Duration longest_wait = 3s;   // a server that was away is found again within it
  Duration give_up_after = 120s;
};

// The server drops a session after 30 s of silence, and we notice that only after some of them: no restart after this.
inline constexpr Duration kRestartFor = 22s;

// A new connection would be refused in the same way.
bool is_final(ErrorCode code);

class Recovery {
 public:
  enum class Way : uint8_t { kRestart, kConnect };
  enum class Verdict : uint8_t { kTryAgain, kGiveUp };

  Recovery(RecoveryOptions options, Rng& rng) : options_(options), rng_(rng) {}

  bool is_running() const { return is_running_; }
  Way way() const { return way_; }
  Instant started_at() const { return started_at_; }
  // Begins, the first try being due after `wait`. When it runs already, kConnect ends the restarts.
  void start(Now now, Way way, Duration wait = {});
  void stop() { is_running_ = false, due_ = kNever; }
  // Something has changed: the next try is due now, unless one is under way.
  void nudge(Now now);

  Instant next_timeout() const { return due_; }
  // True when a try by way() is due; it is under way then, until failed() or stop().
  bool take_due(Now now);
  // `is_unreached`: the server did not answer at all: it may be the network, and then the session waits for us.
  Verdict failed(Now now, bool is_unreached, bool is_refused_for_good);

 private:
  RecoveryOptions options_;
  Rng& rng_;
  bool is_running_ = false;
  bool is_trying_ = false;
  Way way_ = Way::kRestart;
  Instant started_at_{};
  Instant due_ = kNever;
  Duration wait_{};
};

}  // namespace atm::client
