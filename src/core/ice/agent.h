// An ICE agent for one session with one component (BUNDLE, rtcp-mux), sans-IO. Role::kLite is the server's, which
// answers checks; Role::kControlling and kControlled are a full agent's, which sends them as well, and changes its role
// when the other side has the same.
// core/peer gives it every datagram that stun::is_stun() and asks selected() for where to send, is_validated() for
// from where to take DTLS and media. It promises bounded memory, no answer longer than its request to anybody unproven,
// and constant-time password checks. It opens no socket, gathers no candidates, logs nothing (see counters()).
// Server-reflexive and relayed candidates are the gatherer's of core/turn, which also makes a relayed address look like
// a local one, with its port as Path::local_port. Host addresses have one port each.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/datagram.h"
#include "base/rng.h"
#include "base/time.h"
#include "core/ice/candidate.h"
#include "core/ice/check_list.h"
#include "core/ice/consent.h"
#include "core/ice/counters.h"
#include "core/ice/credentials.h"
#include "core/ice/path_table.h"
#include "core/ice/responder.h"
#include "core/ice/role.h"

namespace atm::ice {

enum class State : uint8_t {
  kNew,        // nothing has been heard (lite), not started (full)
  kChecking,   // full: no path yet
  kConnected,  // selected() has a path
  kFailed,     // every pair failed, or consent ran out; ends with restart(), for lite also with the next good check
};

// Without an answer to a consent check for this long a full agent looks for another path, while it goes on using the
// old one: two checks in a row were lost then. Also the least time between two such searches. A lite agent without a
// check over the path in use for this long takes the one over which a check does come.
inline constexpr Duration kQuietAfter = 10s;
// Changes of role by conflicts in one generation of credentials: one settles it. Further ones are refused checks.
inline constexpr uint32_t kMaxRoleSwitches = 8;

class Agent {
 public:
  Agent(Role role, Credentials local, Rng& rng);

  // The remote side's credentials, also the new ones of a restart. A lite agent needs none, and does nothing.
  // Fragments are at most kMaxUfragLength long (checked by the SDP parser).
  void set_remote(Now now, Credentials remote);
  // Also later, as they are gathered. A server-reflexive one is for the remote side: its checks are those of its base,
  // which is its `related` address (RFC 8445 6.1.2.4).
  void add_local_candidate(const Candidate& candidate);
  // Its address has gone, or its relay: paths over it are lost at once. What was sent to the remote stays with it.
  void remove_local_candidate(const Candidate& candidate);
  // May come before set_remote and at any time (trickle). A lite agent ignores it.
  void add_remote_candidate(const Candidate& candidate);
  const std::vector<Candidate>& local_candidates() const { return checks_.local(); }

  // Full: begins the checks, as soon as there are credentials and pairs. Once.
  void start(Now now, SendBatch& out);
  // New local credentials (RFC 8445 9). The selected path stays in use until checks with the new ones choose one, and
  // the old credentials stay good for kPreviousCredentialsTime. Full: give set_remote and the remote candidates again
  // afterwards.
  void restart(Now now, Credentials local);

  // True when the datagram was authentic: `path` may then be remembered for this session, if is_validated(path).
  // `datagram` is one for which stun::is_stun() holds; anything else is counted as malformed.
  bool on_datagram(Now now, const Path& path, ByteView datagram, SendBatch& out);
  // A path over TCP whose connection has closed: nothing is sent there any more, and it has to be checked again.
  void on_path_closed(const Path& path);
  void on_timeout(Now now, SendBatch& out);
  Instant next_timeout() const;

  State state() const;
  Role role() const { return role_; }
  // Where to send. Nominated, or before a nomination the first path that was validated.
  const std::optional<Path>& selected() const { return paths_.selected(); }
  bool is_nominated() const { return paths_.is_nominated(); }
  // At most kMaxPaths hold at a time; a path that is evicted or expires has to be checked again.
  bool is_validated(const Path& path) const { return paths_.contains(path); }

  // When the last authentic check or answer came. Browsers check every 2.5 s, our full agent every 4 to 6 s: for
  // finer deadlines count authenticated media as well.
  std::optional<Instant> last_authenticated() const { return last_authenticated_; }
  // Of the last check that was answered at once. Lite agents have none.
  std::optional<Duration> rtt() const { return rtt_; }
  // How the remote side sees us over the selected path. Lite agents do not know.
  std::optional<SocketAddress> mapped_address() const { return mapped_address_; }
  // Of the local candidate of the selected path: the one that the remote side sees (RFC 8445 7.2.5.3.2). Nothing: there
  // is no path.
  std::optional<CandidateType> selected_type() const;

  const Credentials& local() const { return responder_.local(); }
  // Whether a request for that fragment is for this agent, those from before a restart included.
  bool has_ufrag(Now now, std::string_view ufrag) const { return responder_.has_ufrag(now, ufrag); }
  const Counters& counters() const { return counters_; }

  // The receiver's fragment in the USERNAME of a Binding request: finds the session of a datagram from an unknown
  // address. Proves nothing.
  static std::optional<std::string_view> peek_local_ufrag(ByteView datagram);

 private:
  bool on_request(Now now, const Path& path, const stun::Message& request, size_t size, SendBatch& out);
  bool on_request_to_full(Now now, const Path& path, const Responder::Accepted& request);
  bool on_response(Now now, const Path& path, const stun::Message& response, SendBatch& out);
  bool on_consent_response(Now now, const Path& path, const stun::Message& response);
  void prove(Now now, const Path& path);
  void note_mapped(const Path& path, const std::optional<SocketAddress>& mapped);
  void select(Now now, const Path& path);
  bool switch_role();
  void search(Now now);
  Instant search_again_at() const;
  uint32_t check_priority_of(const Path& path) const;

  // given
  Rng& rng_;
  // state
  Role role_;
  uint64_t tie_breaker_;
  uint32_t role_switches_ = 0;
  // owned
  Responder responder_;
  CheckList checks_;
  Consent consent_;
  PathTable paths_;
  std::optional<RemoteAgent> remote_;
  Counters counters_;
  // state
  bool started_ = false;
  bool awaits_remote_ = false;       // restarted, set_remote has not come
  bool searches_for_quiet_ = false;  // the search is for a path that went quiet, and ends when it speaks again
  bool lost_ = false;                // had a path, has none
  Instant searched_at_{};            // when the last search began
  uint32_t nominated_generation_ = 0;
  std::optional<Instant> last_authenticated_;
  std::optional<Duration> rtt_;
  std::optional<SocketAddress> mapped_address_;
  Path mapped_over_;  // the path that it was told of
};

}  // namespace atm::ice
