// Router: the calls of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03), which differ in their paths and in what
// their tokens are for. Room and peer come from the token. What is refused has a status and problem details.
#include "contract/json/limits.h"
#include "control/http/authorization.h"
#include "control/http/fields.h"
#include "control/http/ice_link.h"
#include "control/http/placement.h"
#include "control/http/problem_reply.h"
#include "control/http/replies.h"
#include "control/http/router.h"
#include "control/http/target.h"
#include "control/token/claims.h"

namespace atm::control {
namespace {

constexpr std::string_view kSdp = "application/sdp";
constexpr std::string_view kFragment = "application/trickle-ice-sdpfrag";
constexpr size_t kRandomPeerBytes = 8;

// The names under which a WHIP session publishes.
constexpr std::pair<MediaKind, const char*> kSenders[] = {{MediaKind::kAudio, "audio_main"},
                                                          {MediaKind::kVideo, "video_main"}};

bool is_name(const std::optional<std::string>& text) {
  return text && !text->empty() && text->size() <= json::kMaxNameBytes;
}

// Pages have to be told which headers they may read (WHATWG Fetch 3.2.4).
contract::HttpReply exposed(contract::HttpReply reply) {
  reply.headers.emplace_back("Access-Control-Expose-Headers", "Location, Link, ETag, Accept-Patch");
  return reply;
}

contract::HttpReply empty_reply(unsigned status, std::string_view content_type = "") {
  contract::HttpReply reply = text_reply(std::string(content_type), "");
  reply.status = status;
  return exposed(std::move(reply));
}

contract::HttpReply refusal(ErrorCode code, std::string why) {
  return exposed(problem_reply({code, std::move(why)}));
}

contract::HttpReply not_allowed(std::string allowed) {
  contract::HttpReply reply = refusal(ErrorCode::kMethodNotAllowed, "this resource allows " + allowed);
  reply.headers.emplace_back("Allow", std::move(allowed));  // RFC 9110 15.5.6
  return reply;
}

// RFC 5789 3.1, W3C LDP 7.1: which bodies PATCH and POST take.
contract::HttpReply with_accepted(contract::HttpReply reply, bool is_session) {
  reply.headers.emplace_back(is_session ? "Accept-Patch" : "Accept-Post", is_session ? kFragment : kSdp);
  return reply;
}

std::string quoted(const std::string& tag) {
  return '"' + tag + '"';
}

}  // namespace

struct Router::Front {
  contract::Protocol protocol;
  token::Protocol token;
  Pending pending;
  std::string_view endpoint, sessions;
};

const Router::Front Router::kFronts[] = {
    {contract::Protocol::kWhip, token::Protocol::kWhip, Pending::kWhip, "/whip/endpoint", "/whip/conn/"},
    {contract::Protocol::kWhep, token::Protocol::kWhep, Pending::kWhep, "/whep/endpoint", "/whep/conn/"},
};

std::optional<Router::Outcome> Router::on_front(Now now, const contract::HttpRequest& request) {
  for (const Front& front : kFronts) {
    if (request.path == front.endpoint) return at_endpoint(now, front, request);
    if (request.path.size() > front.sessions.size() && request.path.starts_with(front.sessions)) {
      return at_session(now, front, request);
    }
  }
  return std::nullopt;
}

Router::Outcome Router::at_endpoint(Now now, const Front& front, const contract::HttpRequest& request) {
  if (request.method == "OPTIONS") return with_accepted(exposed(preflight_reply()), false);
  if (request.method == "POST") return open_session(now, front, request);
  // RFC 9725 4.1: nothing to see, but no error; WHEP's players know an endpoint by this type.
  if (request.method == "GET" || request.method == "HEAD") return empty_reply(200, kSdp);
  return not_allowed("GET, HEAD, POST, OPTIONS");
}

Router::Outcome Router::open_session(Now now, const Front& front, const contract::HttpRequest& request) {
  if (is_too_often(now, request)) return refusal(ErrorCode::kRateLimited, "too many calls from this address");
  const auto claims = token::verify(bearer_token(request), config_.secret, now, front.token);
  if (!claims) return exposed(problem_reply(claims.error()));
  if (!is_media_type(request.header("content-type"), kSdp)) {
    return with_accepted(refusal(ErrorCode::kUnsupportedMediaType, "an offer comes as " + std::string(kSdp)), false);
  }
  if (!accepts(request.header("accept"), kSdp)) {
    return refusal(ErrorCode::kNotAcceptable, "the answer comes as " + std::string(kSdp));
  }

  contract::ConnectRequest connect;
  connect.protocol = front.protocol;
  connect.sdp = request.body;
  if (!is_name(claims->room)) return refusal(ErrorCode::kInvalidToken, "the token names no room");
  connect.room = *claims->room;
  if (front.protocol == contract::Protocol::kWhip) {
    if (!is_name(claims->peer)) return refusal(ErrorCode::kInvalidToken, "the token names no peer");
    for (const auto& [kind, name] : kSenders) {
      contract::SenderInfo& sender = connect.senders.emplace_back();
      sender.kind = kind;
      sender.name = name;
    }
  } else {
    connect.receivers = {1, 1};
  }
  // Neither is told more than it needs: a publisher of its own streams, a player of those that it may show.
  const bool is_publisher = front.protocol == contract::Protocol::kWhip;
  connect.subscribe_scope = is_publisher ? contract::SubscribeScope::kManual : contract::SubscribeScope::kStreamOnly;
  connect.peer = is_name(claims->peer) ? *claims->peer : "whep-" + rng_.hex(kRandomPeerBytes);
  const auto grant = token::authorize(*claims, connect.room, connect.peer);
  if (!grant) return exposed(problem_reply(grant.error()));
  if (revoked_.has(grant->token_id)) return refusal(ErrorCode::kInvalidToken, "the token has been revoked");
  connect.grant = *grant;
  if (!(is_publisher ? grant->publish : grant->subscribe)) {
    return refusal(ErrorCode::kForbidden, "the token does not give that right");
  }
  const size_t worker = worker_of_room(connect.room, config_.worker_count);
  return PostToWorker{worker, {0, contract::Connect{std::move(connect)}}, front.pending};
}

Router::Outcome Router::at_session(Now now, const Front& front, const contract::HttpRequest& request) {
  const std::string& method = request.method;
  if (method == "OPTIONS") return with_accepted(exposed(preflight_reply()), true);
  const auto conn_id = percent_decode(std::string_view(request.path).substr(front.sessions.size()), false);
  const auto worker = worker_of_conn(conn_id.value_or(""), config_.worker_count);
  if (!worker) return refusal(ErrorCode::kConnNotFound, "no such session");
  if (method == "PATCH") return patch_session(now, front, request, *worker, *conn_id);
  // RFC 9725 4.3.1: If-Match says nothing here.
  if (method == "DELETE") {
    return PostToWorker{*worker, {0, contract::Disconnect{*conn_id, front.protocol}}, Pending::kEndSession};
  }
  if (method == "GET" || method == "HEAD") {
    return PostToWorker{*worker, {0, contract::FindSession{*conn_id, front.protocol}}, Pending::kFindSession};
  }
  return not_allowed("GET, HEAD, PATCH, DELETE, OPTIONS");
}

Router::Outcome Router::patch_session(Now now, const Front& front, const contract::HttpRequest& request, size_t worker,
                                      const std::string& conn_id) {
  if (is_too_often(now, request)) return refusal(ErrorCode::kRateLimited, "too many calls from this address");
  if (!is_media_type(request.header("content-type"), kFragment)) {
    return with_accepted(
        refusal(ErrorCode::kUnsupportedMediaType, "candidates and restarts come as " + std::string(kFragment)), true);
  }
  const std::string_view if_match = request.header("if-match");
  if (trimmed(if_match).empty()) return refusal(ErrorCode::kPreconditionRequired, "If-Match is missing");
  const auto wanted = parse_if_match(if_match);
  if (!wanted) return refusal(ErrorCode::kInvalidRequest, "If-Match is malformed");
  contract::PatchIce patch{conn_id, front.protocol, request.body, wanted->matches_any, wanted->tags};
  return PostToWorker{worker, {0, std::move(patch)}, Pending::kPatchIce};
}

std::optional<contract::HttpReply> Router::on_front_reply(Now now, Pending pending,
                                                          const contract::Reply& reply) const {
  if (!is_of_front(pending)) return std::nullopt;
  if (const auto* error = std::get_if<Error>(&reply.body)) return exposed(problem_reply(*error));
  if (const auto* restarted = std::get_if<contract::IceRestarted>(&reply.body)) {
    contract::HttpReply done = exposed(text_reply(std::string(kFragment), restarted->fragment));
    done.headers.emplace_back("ETag", quoted(restarted->ice_tag));
    return done;
  }
  if (std::holds_alternative<contract::Done>(reply.body))
    return empty_reply(pending == Pending::kEndSession ? 200 : 204);
  const auto* connected = std::get_if<contract::ConnectDone>(&reply.body);
  for (const Front& front : kFronts) {
    if (front.pending != pending || connected == nullptr) continue;
    contract::HttpReply created = with_accepted(exposed(text_reply(std::string(kSdp), connected->sdp)), true);
    created.status = 201;
    created.headers.emplace_back("Location", std::string(front.sessions) + connected->conn_id);
    created.headers.emplace_back("ETag", quoted(connected->ice_tag));
    created.headers.emplace_back("Cache-Control", "no-store");
    for (const contract::IceServer& server : token::ice_servers_for(config_.ice_servers, now, connected->peer)) {
      for (const std::string& url : server.urls) {
        created.headers.emplace_back("Link", ice_server_link(url, server.username, server.credential));
      }
    }
    return created;
  }
  return refusal(ErrorCode::kServerError, "a worker gave an answer of the wrong kind");
}

}  // namespace atm::control
