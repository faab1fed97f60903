#include "control/http/router.h"

#include "contract/json/http_body.h"
#include "contract/json/limits.h"
#include "control/http/authorization.h"
#include "control/http/placement.h"
#include "control/http/replies.h"
#include "control/http/target.h"
#include "control/token/claims.h"
#include "control/token/jws.h"

namespace atm::control {
namespace {

constexpr std::string_view kConnPath = "/webrtc/conn/";
// A dev token is for trying things out; a page that is left open over night should still work.
constexpr std::chrono::seconds kDevTokenLifetime = 24h;

}  // namespace

struct Router::Route {
  std::string_view method;
  std::string_view path;  // one that ends in "/" stands for all below it
  Outcome (Router::*handle)(Now, const contract::HttpRequest&);
  bool dev_only = false;

  bool fits(std::string_view wanted) const {
    return path.ends_with('/') ? wanted.size() > path.size() && wanted.starts_with(path) : wanted == path;
  }
};

const Router::Route Router::kRoutes[] = {
    {"GET", "/healthcheck", &Router::health},
    {"POST", "/webrtc/connect", &Router::connect},
    {"POST", "/webrtc/ice_remote", &Router::ice_remote},
    {"POST", "/webrtc/ice_restart", &Router::ice_restart},
    {"DELETE", kConnPath, &Router::disconnect},
    {"POST", "/app/webrtc_session", &Router::issue_webrtc},
    {"POST", "/app/whip_session", &Router::issue_whip},
    {"POST", "/app/whep_session", &Router::issue_whep},
    {"GET", "/metrics", &Router::metrics},
    {"GET", "/dev/token", &Router::dev_token, true},
    {"GET", "/dev/info", &Router::dev_info, true},
};

Router::Router(RouterConfig config, Rng& rng) : config_(std::move(config)), rng_(rng) {}

Router::Outcome Router::on_request(Now now, const contract::HttpRequest& request) {
  if (auto outcome = on_front(now, request)) return std::move(*outcome);
  // Every path answers a preflight: a page must be able to read the 404, too.
  if (request.method == "OPTIONS") return preflight_reply();
  if (is_admin_path(request.path)) return admin(now, request);

  // RFC 9110 9.3.2: HEAD is a GET whose body io/http leaves out.
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string allowed;
  for (const Route& route : kRoutes) {
    if ((route.dev_only && !config_.dev) || !route.fits(request.path)) continue;
    if (route.method == method) return (this->*route.handle)(now, request);
    allowed += std::string(route.method) + ", ";
  }
  if (const Asset* asset = find_asset(request.path)) {
    if (method == "GET") return asset_reply(*asset);
    allowed += "GET, ";
  }
  if (!allowed.empty()) return method_not_allowed_reply(allowed + "OPTIONS");
  return error_reply(404, Error{ErrorCode::kNotFound, "no such resource"});
}

contract::HttpReply Router::on_reply(Now now, Pending pending, const contract::Reply& reply) const {
  if (auto of_front = on_front_reply(now, pending, reply)) return std::move(*of_front);
  if (const auto* error = std::get_if<Error>(&reply.body)) return error_reply(200, *error);
  const bool wants_session = pending == Pending::kConnect || pending == Pending::kIceRestart;
  if (const auto* done = std::get_if<contract::ConnectDone>(&reply.body); done != nullptr && wants_session) {
    const auto ice_servers = token::ice_servers_for(config_.ice_servers, now, done->peer);
    return json_reply(200, json::envelope(*done, config_.node_id, ice_servers));
  }
  if (std::holds_alternative<contract::Done>(reply.body) && !wants_session) return json_reply(200, json::envelope_ok());
  return error_reply(200, Error{ErrorCode::kServerError, "a worker gave an answer of the wrong kind"});
}

contract::Stats Router::stats() const {
  contract::Stats out;
  const auto counter = [&](const char* name, const char* help, uint64_t value) {
    out.values.push_back({name, help, true, "", static_cast<double>(value)});
  };
  counter("atm0s_http_rate_limited_total", "HTTP calls refused because their address made too many", rate_limited_);
  return out;
}

contract::HttpReply Router::metrics_reply(std::string text) const {
  // Prometheus text exposition format 0.0.4.
  return text_reply("text/plain; version=0.0.4; charset=utf-8", std::move(text));
}

contract::HttpReply Router::refuse(Pending pending, ErrorCode code, std::string why) const {
  Error error{code, std::move(why)};
  if (is_of_front(pending)) return *on_front_reply(Now{}, pending, {0, std::move(error)});
  const unsigned status = !is_admin(pending) ? 200 : code == ErrorCode::kServerError ? 500 : 503;
  return error_reply(status, error);
}

Router::Outcome Router::health(Now, const contract::HttpRequest&) {
  return json_reply(200, json::envelope_ready(takes_sessions_));
}

Router::Outcome Router::metrics(Now, const contract::HttpRequest&) {
  return PostToAll{{0, contract::ReadStats{}}, Pending::kMetrics};
}

// --- sessions ----------------------------------------------------------------------------------------------------

Result<contract::Grant> Router::grant_for(Now now, std::string_view jwt, std::string_view room,
                                          std::string_view peer) const {
  TRY(claims, token::verify(jwt, config_.secret, now, token::Protocol::kWebrtc));
  TRY(grant, token::authorize(claims, room, peer));
  if (revoked_.has(grant.token_id)) return fail(ErrorCode::kInvalidToken, "the token has been revoked");
  return std::move(grant);
}

contract::TokenVerdict Router::judge(Now now, const contract::TokenQuestion& question) const {
  return {question.conn_id, question.req_id, grant_for(now, question.token, question.room, question.peer)};
}

Result<contract::ConnectRequest> Router::admit(Now now, const contract::HttpRequest& request) const {
  std::string jwt;
  TRY(connect, json::parse_connect(request.body, &jwt));
  TRY(grant, grant_for(now, jwt, connect.room, connect.peer));
  // Receivers without the right to subscribe are no request yet (the SDK allocates them beforehand); senders are.
  if (!grant.publish && !connect.senders.empty()) {
    return fail(ErrorCode::kForbidden, "the token does not give the right to publish");
  }
  connect.grant = grant;
  return std::move(connect);
}

// Both make a worker parse an offer, and the first one the keys of a session.
bool Router::is_too_often(Now now, const contract::HttpRequest& request) {
  if (connects_.take(now.mono, request.remote.ip)) return false;
  ++rate_limited_;
  return true;
}

Router::Outcome Router::connect(Now now, const contract::HttpRequest& request) {
  if (is_too_often(now, request)) return too_often_reply();
  auto admitted = admit(now, request);
  if (!admitted) return error_reply(200, admitted.error());
  const size_t worker = worker_of_room(admitted->room, config_.worker_count);
  return PostToWorker{worker, {0, contract::Connect{std::move(*admitted)}}, Pending::kConnect};
}

// For the calls that name a connection: its id says which worker has it.
template <typename Body>
Router::Outcome Router::post(Result<Body> body, Pending pending) const {
  if (!body) return error_reply(200, body.error());
  const auto worker = worker_of_conn(body->conn_id, config_.worker_count);
  if (!worker) return error_reply(200, Error{ErrorCode::kConnNotFound, "no such connection"});
  return PostToWorker{*worker, {0, std::move(*body)}, pending};
}

Router::Outcome Router::ice_remote(Now, const contract::HttpRequest& request) {
  return post(json::parse_ice_remote(request.body), Pending::kIceRemote);
}

Router::Outcome Router::ice_restart(Now now, const contract::HttpRequest& request) {
  if (is_too_often(now, request)) return too_often_reply();
  return post(json::parse_ice_restart(request.body), Pending::kIceRestart);
}

Router::Outcome Router::disconnect(Now, const contract::HttpRequest& request) {
  const auto conn_id = percent_decode(std::string_view(request.path).substr(kConnPath.size()), false);
  return post(Result<contract::Disconnect>(contract::Disconnect{conn_id.value_or("")}), Pending::kDisconnect);
}

// --- tokens ------------------------------------------------------------------------------------------------------

bool Router::has_bearer_secret(const contract::HttpRequest& request) const {
  const std::string_view bearer = bearer_token(request);
  return !bearer.empty() && token::same_secret(bearer, config_.secret);
}

bool Router::has_app_secret(const contract::HttpRequest& request) const {
  const auto parameter = query_parameter(request.query, "app_secret");
  return (parameter && token::same_secret(*parameter, config_.secret)) || has_bearer_secret(request);
}

Router::Outcome Router::issue(Now now, contract::TokenKind kind, const contract::HttpRequest& request) {
  if (!has_app_secret(request)) {
    const Error error{ErrorCode::kInvalidToken, "app_secret is missing or wrong"};
    return json_reply(200, json::token_envelope(error));
  }
  const auto wanted = json::parse_token_request(kind, request.body);
  if (!wanted) return json_reply(200, json::token_envelope(wanted.error()));
  const token::Claims claims = token::claims_for(*wanted, now, rng_.hex(16));
  return json_reply(200, json::token_envelope(token::issue(claims, config_.secret)));
}

Router::Outcome Router::issue_webrtc(Now now, const contract::HttpRequest& request) {
  return issue(now, contract::TokenKind::kWebrtc, request);
}

Router::Outcome Router::issue_whip(Now now, const contract::HttpRequest& request) {
  return issue(now, contract::TokenKind::kWhip, request);
}

Router::Outcome Router::issue_whep(Now now, const contract::HttpRequest& request) {
  return issue(now, contract::TokenKind::kWhep, request);
}

Router::Outcome Router::dev_token(Now now, const contract::HttpRequest& request) {
  contract::TokenRequest wanted;
  const auto room = query_parameter(request.query, "room");
  if (!room || room->empty() || room->size() > json::kMaxNameBytes) {
    return error_reply(200, Error{ErrorCode::kInvalidRequest, "room: is missing or too long"});
  }
  wanted.room = *room;
  wanted.peer = query_parameter(request.query, "peer");
  if (wanted.peer && (wanted.peer->empty() || wanted.peer->size() > json::kMaxNameBytes)) {
    return error_reply(200, Error{ErrorCode::kInvalidRequest, "peer: is empty or too long"});
  }
  wanted.expires_in = kDevTokenLifetime;
  const token::Claims claims = token::claims_for(wanted, now, rng_.hex(16));
  return json_reply(200, json::envelope_token(token::issue(claims, config_.secret)));
}

// --- dev pages ---------------------------------------------------------------------------------------------------

Router::Outcome Router::dev_info(Now, const contract::HttpRequest&) {
  return json_reply(200, json::envelope_dev_info(config_.https_port));
}

const Asset* Router::find_asset(std::string_view path) const {
  if (!config_.dev) return nullptr;
  for (const Asset& asset : config_.assets) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace atm::control
