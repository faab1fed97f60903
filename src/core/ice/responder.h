// Answers Binding requests (RFC 8445 7.3), for both roles: authenticates them against the local credentials, the
// previous ones too for a while after a restart, and replies on the path on which the request came.
// Owned by the agent. It promises that an unproven sender gets no answer longer than its request and only a few a
// second, and that a request accepted on one path is not accepted again from another. It keeps no paths, and leaves
// it to the agent to change its role.
#pragma once

#include <array>
#include <deque>
#include <optional>

#include "base/datagram.h"
#include "base/time.h"
#include "core/ice/counters.h"
#include "core/ice/credentials.h"
#include "core/ice/integrity.h"
#include "core/ice/role.h"

namespace atm::ice {

// How long the credentials from before a restart still count: the new ones reach the client by HTTP, and its checks
// with the old ones keep the call alive until then. As long as consent, so that nothing is lost before it.
inline constexpr Duration kPreviousCredentialsTime = 30s;
// A client may restart again before the answer to its first restart has reached it.
inline constexpr size_t kMaxPreviousCredentials = 3;
// Error answers to senders that have not proved anything, a second and agent: enough to tell a mistaken client, and it
// asks again; too few to be of use to somebody who forges source addresses.
inline constexpr uint32_t kMaxUnprovenErrors = 10;
// Of them, those to one IP address: so one sender's floods leave some for others, and a forged address hears few.
inline constexpr uint32_t kMaxErrorsPerAddress = 3;
// Accepted checks remembered against replay from another path: about a minute's worth of a browser's.
inline constexpr size_t kMaxRecentChecks = 32;

class Responder {
 public:
  struct Accepted {
    uint32_t generation = 0;  // of the local credentials used: counts restarts
    bool use_candidate = false;
    bool switches_role = false;  // RFC 8445 7.3.1.1: both sides had the same, and ours is the one to change
    uint32_t priority = 0;       // of the peer-reflexive candidate that this may be, RFC 8445 7.3.1.3
  };

  Responder(Role role, uint64_t tie_breaker, Credentials local);
  // From now on.
  void stand(Role role, uint64_t tie_breaker);

  // `size`: of the request's datagram. Nothing when it was refused or dropped, and counted.
  std::optional<Accepted> on_request(Now now, const Path& path, const stun::Message& request, size_t size,
                                     SendBatch& out, Counters& counters);
  void restart(Now now, Credentials local);

  const Credentials& local() const { return keys_.front().credentials; }
  bool has_ufrag(Now now, std::string_view ufrag) const;

 private:
  struct Key {
    Credentials credentials;
    Integrity integrity;
    uint32_t generation;
    Instant ends_at;
  };
  struct Check {
    stun::TransactionId id;
    Path path;
  };
  // An error answer in the making.
  struct Refusal {
    uint16_t code;
    std::span<const uint16_t> unknown = {};
  };

  const Key* find_key(Now now, std::string_view username) const;
  enum class Conflict : uint8_t { kNone, kIsTheirs, kIsOurs };  // whose role has to change
  Conflict conflict_of(const stun::Message& request) const;
  bool is_replay(const stun::TransactionId& id, const Path& path) const;
  void remember(const stun::TransactionId& id, const Path& path);
  void refuse_unproven(Now now, const Path& path, const stun::Message& request, size_t size, uint16_t code,
                       SendBatch& out, Counters& counters);
  static size_t write_refusal(MutByteView out, const stun::Message& request, const Refusal& refusal, const Key* key);
  static void send_refusal(const Path& path, const stun::Message& request, const Refusal& refusal, const Key& key,
                           SendBatch& out);
  static void send_success(const Path& path, const stun::Message& request, const Key& key, SendBatch& out);

  // given
  Role role_;
  uint64_t tie_breaker_;
  // state
  std::deque<Key> keys_;  // the current one first
  std::array<Check, kMaxRecentChecks> recent_{};
  size_t recent_count_ = 0;
  size_t recent_at_ = 0;
  Instant errors_since_ = Instant::min();
  uint32_t errors_ = 0;
  std::array<IpAddress, kMaxUnprovenErrors> answered_{};  // by those errors
};

}  // namespace atm::ice
