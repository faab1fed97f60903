// The connectivity checks of a full agent (RFC 8445 6.1.4, 7.2, 8.1.1): forms pairs, checks them one every kPace,
// retransmits, and nominates the best that answered (regular nomination), or, controlled, tells which one that the
// other side nominated has answered. Owned by the agent, which tells it when to search and gives it the remote side's
// credentials. It keeps no proved paths and runs no consent checks.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/datagram.h"
#include "core/ice/candidate.h"
#include "core/ice/candidate_pair.h"
#include "core/ice/counters.h"
#include "core/ice/remote_agent.h"

namespace atm::ice {

inline constexpr Duration kPace = 50ms;            // Ta, RFC 8445 14.2
inline constexpr Duration kMinCheckRto = 500ms;    // RFC 8445 14.3
inline constexpr int kCheckSends = 7;              // Rc, RFC 8489 6.2.1
inline constexpr int kLastWaitRtos = 16;           // Rm, RFC 8489 6.2.1
inline constexpr size_t kMaxPairs = 100;           // RFC 8445 6.1.2.5; the least in priority go
inline constexpr size_t kMaxLocalCandidates = 16;  // a machine's addresses; further ones are refused and counted
inline constexpr size_t kMaxRemoteCandidates = 32;
// Addresses of one remote host, seen from one local end, that were learned from its checks. Two NATs that give each
// destination another port, and let everything in, have both sides learn of another one by every check; without a bound
// that goes on for ever, and triggered checks go ahead of those that would succeed.
inline constexpr size_t kMaxReflexivePairs = 6;
// One of them makes room for another when it has failed and was last tried so long ago: a NAT that was restarted.
inline constexpr Duration kReflexiveRest = 5s;
// How long a pair that answered waits for a better one that has not yet: two checks' turns and a usual RTT more.
inline constexpr Duration kNominationPatience = 200ms;
// The same for a pair that is relayed, and a better one of two hosts may come about: a check that a NAT did not let in
// is sent again after kMinCheckRto. Costs nothing: what answered first is in use before it is nominated.
inline constexpr Duration kRelayedPatience = 1s;

class CheckList {
 public:
  struct Answer {
    Path path;
    bool nominated = false;
    std::optional<Duration> rtt;                  // not of a request that was sent twice
    std::optional<SocketAddress> mapped_address;  // how the remote side sees us
  };
  // A check was refused with 487; it will be sent again.
  struct Conflict {
    bool sent_as_controlling;
  };
  using Outcome = std::variant<std::monostate, Answer, Conflict>;

  explicit CheckList(Rng& rng) : rng_(rng) {}

  // False when there are too many already.
  bool add_local(const Candidate& candidate);
  bool add_remote(const Candidate& candidate);
  // Its address is gone: no pair of its base is checked any more.
  void remove_local(const Candidate& candidate);
  void clear_remote();
  // Orders the pairs anew and begins again what is in progress (RFC 8445 7.2.5.1, 6.1.2.3).
  void set_controlling(bool is_controlling);
  const std::vector<Candidate>& local() const { return local_; }

  // Checks every pair (again) until one is nominated.
  void search(Instant now);
  void stop();
  bool is_searching() const { return searching_; }
  // Every pair was tried and none answered.
  bool has_failed() const;

  // A request came over `path`; `chosen`: and nominates it, this side being controlled.
  struct Request {
    Path path;
    uint32_t priority = 0;
    bool chosen = false;
    bool is_validated = false;
  };
  // RFC 8445 7.3.1.4: checks it soon, as a new pair when it is unknown. True when it is chosen, and has answered
  // already.
  bool trigger(Instant now, const Request& request);
  bool owns(const stun::TransactionId& id) const;
  Outcome on_response(Now now, const Path& path, const stun::Message& message, const RemoteAgent& remote,
                      SendBatch& out, Counters& counters);
  void on_timeout(Now now, const RemoteAgent& remote, SendBatch& out, Counters& counters);
  Instant next_timeout() const;

 private:
  void add_pair(const Candidate& local, const Candidate& remote);
  void refine(Candidate& known, const Candidate& told);
  void insert(CandidatePair pair);
  void sort();
  uint64_t priority_of(const CandidatePair& pair) const;
  CandidatePair* find(const Path& path);
  CandidatePair* add_reflexive(Instant now, const Path& path, uint32_t priority);
  bool make_room_for_reflexive(Instant now, const Path& path);
  Duration initial_rto() const;
  void send_new(Instant now, CandidatePair& pair, const RemoteAgent& remote, SendBatch& out, Counters& counters);
  void retransmit(Instant now, CandidatePair& pair, const RemoteAgent& remote, SendBatch& out, Counters& counters);
  // The best pair that answered, once nothing better is worth waiting for.
  CandidatePair* find_nominee(Instant now);
  Instant nomination_at() const;

  Rng& rng_;
  std::vector<Candidate> local_;
  std::vector<Candidate> remote_;
  std::vector<CandidatePair> pairs_;  // by descending priority
  bool is_controlling_ = true;
  bool searching_ = false;
  Instant next_check_at_{};
  Instant first_success_at_ = kNever;  // of this search
};

}  // namespace atm::ice
