// Any request behind io/http's limits: the router answers it, or posts a command to a worker that exists, and nothing
// but a token or secret that it was given lets anybody do so. Whatever workers say to that becomes a reply. Input:
// method, path, query, headers, body, one a line; headers are separated by tabs.
#include "base/assert.h"
#include "control/http/router.h"
#include "control/http/target.h"
#include "control/token/claims.h"

namespace {

using namespace atm;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr Now kNow{Instant{5s}, WallTime{1'800'000'000s}};
constexpr size_t kWorkers = 3;

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void check_reply(const contract::HttpReply& reply) {
  ASSERT(reply.status >= 200 && reply.status < 600);
  bool has_cors = false;
  for (const auto& [name, value] : reply.headers) {
    // No bytes of a request may end a header of ours and begin another.
    ASSERT(value.find('\r') == std::string::npos && value.find('\n') == std::string::npos);
    has_cors |= name == "Access-Control-Allow-Origin";
  }
  ASSERT(has_cors);
  ASSERT(reply.body.find(kSecret) == std::string::npos);
}

// What a worker may say to a command of that kind, and what it may not.
void answer_one(const control::Router& router, control::Pending pending) {
  contract::ConnectDone connected;
  connected.sdp = "v=0";
  for (const contract::Reply& reply :
       {contract::Reply{0, Error{ErrorCode::kConnNotFound, "no"}}, contract::Reply{0, contract::Done{}},
        contract::Reply{0, connected}, contract::Reply{0, contract::IceRestarted{"a=ice-ufrag:x", "1"}}}) {
    if (pending != control::Pending::kMetrics) check_reply(router.on_reply(kNow, pending, reply));
  }
  check_reply(router.refuse(pending, ErrorCode::kBusy, "busy"));
}

void answer_all(const control::Router& router, control::Pending pending) {
  if (!control::is_admin(pending)) return;
  contract::RoomsRead rooms;
  rooms.rooms.push_back({"r", 2, 3});
  contract::RoomRead room;
  room.room = "r";
  room.peers.resize(2);
  for (const contract::Reply& reply :
       {contract::Reply{0, Error{ErrorCode::kNotFound, "no"}}, contract::Reply{0, contract::Count{1}},
        contract::Reply{0, contract::Count{0}}, contract::Reply{0, rooms}, contract::Reply{0, room}}) {
    for (const size_t workers : {size_t{0}, kWorkers}) {
      check_reply(router.on_admin_replies(pending, std::vector<contract::Reply>(workers, reply)));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static SeededRng rng(1);
  for (const bool is_dev : {false, true}) {
    control::RouterConfig config;
    config.secret = kSecret;
    config.dev = is_dev;
    config.worker_count = kWorkers;
    config.assets = {{"/", "text/html; charset=utf-8", "page"}};
    control::Router router(config, rng);
    std::string_view text(reinterpret_cast<const char*>(data), size);
    contract::HttpRequest request;
    request.method = take_line(text);
    request.path = take_line(text);
    request.query = take_line(text);
    for (std::string_view headers = take_line(text); !headers.empty();) {
      const std::string_view header = headers.substr(0, headers.find('\t'));
      headers.remove_prefix(std::min(header.size() + 1, headers.size()));
      const size_t colon = std::min(header.find(':'), header.size());
      request.headers.emplace_back(header.substr(0, colon), header.substr(std::min(colon + 1, header.size())));
    }
    request.body = text;

    const auto outcome = router.on_request(kNow, request);
    if (const auto* reply = std::get_if<contract::HttpReply>(&outcome)) {
      check_reply(*reply);
    } else if (const auto* one = std::get_if<control::PostToWorker>(&outcome)) {
      ASSERT(one->worker < kWorkers);
      // No input holds a token: its text would have to be signed.
      ASSERT(!std::holds_alternative<contract::Connect>(one->command.body));
      answer_one(router, one->pending);
    } else {
      answer_all(router, std::get<control::PostToAll>(outcome).pending);
    }
    if (const auto decoded = control::percent_decode(request.query, true))
      ASSERT(decoded->size() <= request.query.size());
  }
  return 0;
}
