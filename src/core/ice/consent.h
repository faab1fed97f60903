// Consent checks of a controlling agent on its selected path (RFC 7675): a Binding request about every five seconds,
// never retransmitted. They keep NAT bindings open as well. Owned by the agent; when consent has run out is the path
// table's business, which is told of every answer.
#pragma once

#include <array>
#include <optional>

#include "base/datagram.h"
#include "core/ice/remote_agent.h"

namespace atm::ice {

inline constexpr Duration kConsentInterval = 5s;  // RFC 7675 5.1, times a random 0.8 to 1.2
// Checks that may still be answered: those of 30 s, at 4 s the fastest.
inline constexpr size_t kMaxConsentChecks = 8;

class Consent {
 public:
  struct Answer {
    Path path;
    Duration rtt;
  };

  explicit Consent(Rng& rng) : rng_(rng) {}

  // A path was selected, by an answer that is consent itself: the next check is an interval away.
  void start(Instant now, uint32_t check_priority);
  void stop();
  // The remote credentials have changed: answers to what was asked with the old ones will not come.
  void forget() { checks_ = {}; }

  bool owns(const stun::TransactionId& id) const { return find(id) != nullptr; }
  // The message has been authenticated. Nothing when it came too late or over another path than its request.
  std::optional<Answer> on_success(Instant now, const Path& path, const stun::TransactionId& id);
  // True when a check was sent.
  bool on_timeout(Instant now, const Path& selected, bool is_chosen, const RemoteAgent& remote, SendBatch& out);
  Instant next_timeout() const { return next_at_; }

 private:
  struct Check {
    bool open = false;
    stun::TransactionId id;
    Path path;
    Instant sent_at;
  };
  const Check* find(const stun::TransactionId& id) const;
  Duration interval();

  Rng& rng_;
  uint32_t check_priority_ = 0;
  Instant next_at_ = kNever;
  std::array<Check, kMaxConsentChecks> checks_{};
  size_t checks_at_ = 0;
};

}  // namespace atm::ice
