// Router: the admin API. Each call needs the application's secret as a bearer token, goes to all workers, and is
// answered from what they all say. docs/openapi.json describes it.
#include <algorithm>
#include <map>

#include "contract/json/admin_body.h"
#include "contract/json/limits.h"
#include "control/http/replies.h"
#include "control/http/router.h"
#include "control/http/target.h"

namespace atm::control {
namespace {

constexpr std::string_view kPrefix = "/admin/";
// The longest path below it, "rooms/{room}/peers/{peer}/streams/{stream}".
constexpr size_t kMaxSegments = 6;

using Names = std::vector<std::string>;

// The parts of a path, decoded; nothing where one is empty, broken or longer than a name can be.
std::optional<Names> segments_of(std::string_view path) {
  Names out;
  while (out.size() < kMaxSegments) {
    const size_t slash = std::min(path.find('/'), path.size());
    auto segment = percent_decode(path.substr(0, slash), /*plus_is_space=*/false);
    if (!segment || segment->empty() || segment->size() > json::kMaxNameBytes) return std::nullopt;
    out.push_back(std::move(*segment));
    if (slash == path.size()) return out;
    path.remove_prefix(slash + 1);
  }
  return std::nullopt;
}

// The segments that stand for "*" in `pattern`; nothing when the path is another one.
std::optional<Names> match(const Names& path, std::initializer_list<std::string_view> pattern) {
  if (path.size() != pattern.size()) return std::nullopt;
  Names out;
  size_t i = 0;
  for (const std::string_view part : pattern) {
    if (part == "*") {
      out.push_back(path[i]);
    } else if (part != path[i]) {
      return std::nullopt;
    }
    ++i;
  }
  return out;
}

contract::HttpReply refusal(const Error& error) {
  switch (error.code) {
    case ErrorCode::kBusy:
    case ErrorCode::kTooMany:
      return error_reply(503, error);
    case ErrorCode::kServerError:
      return error_reply(500, error);
    case ErrorCode::kNotFound:
      return error_reply(404, error);
    default:
      return error_reply(400, error);
  }
}

contract::HttpReply not_found() {
  return refusal({ErrorCode::kNotFound, "no such room, peer or stream"});
}

template <typename Part>
std::vector<const Part*> parts_of(const std::vector<contract::Reply>& replies) {
  std::vector<const Part*> out;
  for (const contract::Reply& reply : replies) {
    if (const auto* part = std::get_if<Part>(&reply.body)) out.push_back(part);
  }
  return out;
}

// Slices of one room are one room.
contract::HttpReply rooms_reply(const std::vector<contract::Reply>& replies) {
  std::map<std::string, contract::RoomsRead::Room> rooms;
  for (const auto* part : parts_of<contract::RoomsRead>(replies)) {
    for (const contract::RoomsRead::Room& slice : part->rooms) {
      contract::RoomsRead::Room& room = rooms[slice.room];
      room.room = slice.room;
      room.peers += slice.peers;
      room.streams += slice.streams;
    }
  }
  std::vector<contract::RoomsRead::Room> list;
  for (auto& [name, room] : rooms) list.push_back(std::move(room));
  return json_reply(200, json::envelope(list));
}

contract::HttpReply room_reply(const std::vector<contract::Reply>& replies, bool is_one_peer) {
  contract::RoomRead room;
  for (const auto* part : parts_of<contract::RoomRead>(replies)) {
    room.room = part->room;
    room.peers.insert(room.peers.end(), part->peers.begin(), part->peers.end());
  }
  if (room.peers.empty()) return not_found();
  // For a moment there may be two of one name, of which the younger one stays.
  const auto comes_first = [](const contract::PeerReport& a, const contract::PeerReport& b) {
    return std::tie(a.peer, a.age_ms) < std::tie(b.peer, b.age_ms);
  };
  std::sort(room.peers.begin(), room.peers.end(), comes_first);
  return json_reply(200, is_one_peer ? json::envelope(room.peers.front()) : json::envelope(room));
}

}  // namespace

bool Router::is_admin_path(std::string_view path) {
  return path.starts_with(kPrefix);
}

Router::Outcome Router::admin(Now now, const contract::HttpRequest& request) {
  if (!has_bearer_secret(request)) {
    auto reply = error_reply(401, Error{ErrorCode::kInvalidToken, "the application's secret is missing or wrong"});
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");  // RFC 9110 11.6.1: a 401 must say how
    return reply;
  }
  const auto path = segments_of(std::string_view(request.path).substr(kPrefix.size()));
  if (!path) return not_found();
  if (const auto names = match(*path, {"rooms"})) {
    return by_method(request, {{"GET", [&] { return PostToAll{{0, contract::ReadRooms{}}, Pending::kAdminRooms}; }}});
  }
  if (const auto names = match(*path, {"rooms", "*"})) {
    return by_method(
        request,
        {{"GET", [&] { return PostToAll{{0, contract::ReadRoom{(*names)[0], std::nullopt}}, Pending::kAdminRoom}; }}});
  }
  if (const auto names = match(*path, {"rooms", "*", "peers", "*"}))
    return admin_peer(request, (*names)[0], (*names)[1]);
  if (const auto names = match(*path, {"rooms", "*", "peers", "*", "streams", "*"})) {
    return by_method(request, {{"PATCH", [&]() -> Outcome {
                                  const auto muted = json::parse_muted(request.body);
                                  if (!muted) return refusal(muted.error());
                                  return PostToAll{
                                      {0, contract::MuteStream{{(*names)[1], (*names)[2]}, (*names)[0], *muted}},
                                      Pending::kAdminDone};
                                }}});
  }
  if (match(*path, {"tokens", "revoke"})) {
    return by_method(request, {{"POST", [&] { return revoke(now, request); }}});
  }
  if (match(*path, {"drain"})) {
    return by_method(request, {{"POST", [&] { return drain(request); }}, {"DELETE", [&] { return end_drain(); }}});
  }
  return not_found();
}

Router::Outcome Router::by_method(const contract::HttpRequest& request,
                                  std::initializer_list<std::pair<std::string_view, std::function<Outcome()>>> ways) {
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string allowed;
  for (const auto& [name, handle] : ways) {
    if (name == method) return handle();
    allowed += std::string(name) + ", ";
  }
  return method_not_allowed_reply(allowed + "OPTIONS");
}

Router::Outcome Router::admin_peer(const contract::HttpRequest& request, const std::string& room,
                                   const std::string& peer) {
  const auto read = [&]() -> Outcome { return PostToAll{{0, contract::ReadRoom{room, peer}}, Pending::kAdminPeer}; };
  const auto kick = [&]() -> Outcome {
    return PostToAll{{0, contract::EndSessions{contract::Ending::kKick, room, peer, std::nullopt}},
                     Pending::kAdminDone};
  };
  const auto set_rights = [&]() -> Outcome {
    const auto rights = json::parse_rights(request.body);
    if (!rights) return refusal(rights.error());
    return PostToAll{{0, contract::SetRights{room, peer, rights->publish, rights->subscribe}}, Pending::kAdminDone};
  };
  return by_method(request, {{"GET", read}, {"DELETE", kick}, {"PATCH", set_rights}});
}

Router::Outcome Router::revoke(Now now, const contract::HttpRequest& request) {
  const auto body = json::parse_revoke(request.body);
  if (!body) return refusal(body.error());
  if (!revoked_.add(now, body->token_id, body->until)) {
    return refusal({ErrorCode::kTooMany, "too many tokens are revoked"});
  }
  return PostToAll{
      {0, contract::EndSessions{contract::Ending::kTokenRevoked, std::nullopt, std::nullopt, body->token_id}},
      Pending::kAdminCount};
}

Router::Outcome Router::drain(const contract::HttpRequest& request) {
  const auto ends_sessions = json::parse_drain(request.body);
  if (!ends_sessions) return refusal(ends_sessions.error());
  takes_sessions_ = false;
  return PostToAll{{0, contract::TakeSessions{false, *ends_sessions}}, Pending::kAdminCount};
}

Router::Outcome Router::end_drain() {
  takes_sessions_ = true;
  return PostToAll{{0, contract::TakeSessions{true, false}}, Pending::kAdminCount};
}

contract::HttpReply Router::on_admin_replies(Pending pending, const std::vector<contract::Reply>& replies) const {
  if (replies.size() < config_.worker_count)
    return refusal({ErrorCode::kBusy, "not every worker has answered in time"});
  for (const contract::Reply& reply : replies) {
    if (const auto* error = std::get_if<Error>(&reply.body)) return refusal(*error);
  }
  if (pending == Pending::kAdminRooms) return rooms_reply(replies);
  if (pending == Pending::kAdminRoom || pending == Pending::kAdminPeer) {
    return room_reply(replies, pending == Pending::kAdminPeer);
  }
  size_t count = 0;
  for (const auto* part : parts_of<contract::Count>(replies)) count += part->count;
  if (count == 0 && pending == Pending::kAdminDone) return not_found();
  return json_reply(200, json::envelope_sessions(count));
}

}  // namespace atm::control
