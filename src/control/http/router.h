// The HTTP interface of the server, sans-IO: a request struct becomes a reply, or a command for a worker and later,
// from the worker's answer, a reply. Called by apps/server on the control thread with what io/http received.
// Verifies tokens and puts the rights into the command; every reply has CORS headers and, but for assets, metrics and
// SDP, a JSON body. Does not know sockets, mailboxes or waiting: pending_calls.h keeps what is under way.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "base/time.h"
#include "contract/command.h"
#include "contract/http.h"
#include "contract/token_request.h"
#include "control/http/address_rates.h"
#include "control/token/ice_servers.h"
#include "control/token/revocations.h"

namespace atm::control {

// A file of the pages that are served in dev mode.
struct Asset {
  std::string path;          // "/" for the page itself, "/app.js"
  std::string content_type;  // "text/html; charset=utf-8"
  std::string_view body;     // outlives the router
};

struct RouterConfig {
  std::string secret;       // signs tokens, and is the app_secret of the issue calls
  bool dev = false;         // serve assets, GET /dev/token and GET /dev/info
  uint16_t https_port = 0;  // told by GET /dev/info; 0: none
  size_t worker_count = 1;
  uint32_t node_id = 0;
  std::vector<Asset> assets;
  token::IceServerSettings ice_servers = {};  // that clients are told of
};

// What a worker's answer is going to be turned into.
enum class Pending : uint8_t {
  kConnect,
  kIceRemote,
  kIceRestart,
  kDisconnect,
  kMetrics,
  // WHIP and WHEP
  kWhip,
  kWhep,
  kPatchIce,
  kEndSession,
  kFindSession,
  // the admin API, from all workers
  kAdminRooms,
  kAdminRoom,
  kAdminPeer,
  kAdminDone,   // to nobody: 404
  kAdminCount,  // to nobody is fine
};
constexpr bool is_of_front(Pending pending) {
  return pending >= Pending::kWhip && pending <= Pending::kFindSession;
}
constexpr bool is_admin(Pending pending) {
  return pending >= Pending::kAdminRooms && pending <= Pending::kAdminCount;
}

// The commands' tickets are 0: whoever posts them sets them (PendingCalls::open).
struct PostToWorker {
  size_t worker;
  contract::Command command;
  Pending pending;
};
struct PostToAll {
  contract::Command command;
  Pending pending;
};

class Router {
 public:
  using Outcome = std::variant<contract::HttpReply, PostToWorker, PostToAll>;

  // `rng`: ids of the tokens that are issued; one fit for secrets in production.
  Router(RouterConfig config, Rng& rng);

  Outcome on_request(Now now, const contract::HttpRequest& request);
  contract::HttpReply on_reply(Now now, Pending pending, const contract::Reply& reply) const;
  // A session renews its token.
  contract::TokenVerdict judge(Now now, const contract::TokenQuestion& question) const;
  // Its token may have been revoked while workers were asked for a place.
  bool is_revoked(const contract::ConnectRequest& request) const { return revoked_.has(request.grant.token_id); }
  // What the workers do not know, for GET /metrics.
  contract::Stats stats() const;
  // For Pending::kMetrics: the text that io/metrics made of all workers' stats.
  contract::HttpReply metrics_reply(std::string text) const;
  // The answer to a call of the admin API, from what the workers have said until then.
  contract::HttpReply on_admin_replies(Pending pending, const std::vector<contract::Reply>& replies) const;
  // No worker answered: kBusy (a mailbox was full), kServerError (too late), kShuttingDown.
  contract::HttpReply refuse(Pending pending, ErrorCode code, std::string why) const;
  // Health checks say that it is not ready: the server stops, or was told to drain.
  void stop_taking_sessions() { takes_sessions_ = false; }

 private:
  struct Route;
  static const Route kRoutes[];

  Outcome health(Now, const contract::HttpRequest&);
  Outcome connect(Now now, const contract::HttpRequest& request);
  Outcome ice_remote(Now, const contract::HttpRequest& request);
  Outcome ice_restart(Now now, const contract::HttpRequest& request);
  Outcome disconnect(Now, const contract::HttpRequest& request);
  Outcome metrics(Now, const contract::HttpRequest&);
  Outcome issue_webrtc(Now now, const contract::HttpRequest& request);
  Outcome issue_whip(Now now, const contract::HttpRequest& request);
  Outcome issue_whep(Now now, const contract::HttpRequest& request);
  Outcome dev_token(Now now, const contract::HttpRequest& request);
  Outcome dev_info(Now, const contract::HttpRequest&);

  // WHIP and WHEP (router_whip.cpp); nothing: it is no call of theirs.
  struct Front;
  static const Front kFronts[];
  std::optional<Outcome> on_front(Now now, const contract::HttpRequest& request);
  Outcome at_endpoint(Now now, const Front& front, const contract::HttpRequest& request);
  Outcome open_session(Now now, const Front& front, const contract::HttpRequest& request);
  Outcome at_session(Now now, const Front& front, const contract::HttpRequest& request);
  Outcome patch_session(Now now, const Front& front, const contract::HttpRequest& request, size_t worker,
                        const std::string& conn_id);
  std::optional<contract::HttpReply> on_front_reply(Now now, Pending pending, const contract::Reply& reply) const;

  // The admin API (router_admin.cpp).
  static bool is_admin_path(std::string_view path);
  Outcome admin(Now now, const contract::HttpRequest& request);
  static Outcome by_method(const contract::HttpRequest& request,
                           std::initializer_list<std::pair<std::string_view, std::function<Outcome()>>> ways);
  Outcome admin_peer(const contract::HttpRequest& request, const std::string& room, const std::string& peer);
  Outcome revoke(Now now, const contract::HttpRequest& request);
  Outcome drain(const contract::HttpRequest& request);
  Outcome end_drain();

  Result<contract::Grant> grant_for(Now now, std::string_view jwt, std::string_view room, std::string_view peer) const;
  Result<contract::ConnectRequest> admit(Now now, const contract::HttpRequest& request) const;
  bool is_too_often(Now now, const contract::HttpRequest& request);
  bool has_bearer_secret(const contract::HttpRequest& request) const;
  bool has_app_secret(const contract::HttpRequest& request) const;
  Outcome issue(Now now, contract::TokenKind kind, const contract::HttpRequest& request);
  template <typename Body>
  Outcome post(Result<Body> body, Pending pending) const;
  const Asset* find_asset(std::string_view path) const;

  RouterConfig config_;
  Rng& rng_;
  AddressRates connects_;
  token::Revocations revoked_;
  bool takes_sessions_ = true;
  uint64_t rate_limited_ = 0;
};

}  // namespace atm::control
