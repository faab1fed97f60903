#include "control/http/replies.h"

#include "contract/json/http_body.h"
#include "control/http/router.h"

namespace atm::control {
namespace {

// Pages of any origin are clients; no cookie is ever looked at, so "*" gives nobody more than curl has.
contract::HttpReply with_cors(unsigned status, std::string content_type, std::string body) {
  contract::HttpReply reply{status, std::move(content_type), std::move(body), {}};
  reply.headers.emplace_back("Access-Control-Allow-Origin", "*");
  return reply;
}

// Scripts and styles from this server alone, none inline; calls to this server; media from the camera and from
// streams; frames nowhere (a foreign page must not wrap one that may use camera and microphone).
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob: mediastream:; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace

contract::HttpReply json_reply(unsigned status, std::string body) {
  contract::HttpReply reply = with_cors(status, "application/json", std::move(body));
  reply.headers.emplace_back("Cache-Control", "no-store");  // tokens and answers are for one reader, once
  return reply;
}

contract::HttpReply error_reply(unsigned status, const Error& error) {
  return json_reply(status, json::envelope(error));
}

contract::HttpReply text_reply(std::string content_type, std::string body) {
  return with_cors(200, std::move(content_type), std::move(body));
}

contract::HttpReply preflight_reply() {
  contract::HttpReply reply = with_cors(204, "", "");
  reply.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE, OPTIONS");
  // WHATWG Fetch 3.2.3: "*" does not cover Authorization, so the headers are named. ETag: some players of WHIP send it
  // where If-Match belongs, and are to read our 428.
  reply.headers.emplace_back("Access-Control-Allow-Headers", "content-type, authorization, if-match, etag, link");
  // Seconds. Chromium cuts at two hours, Firefox at a day.
  reply.headers.emplace_back("Access-Control-Max-Age", "86400");
  return reply;
}

contract::HttpReply method_not_allowed_reply(std::string allowed) {
  auto reply = error_reply(405, Error{ErrorCode::kMethodNotAllowed, "this resource allows " + allowed});
  reply.headers.emplace_back("Allow", std::move(allowed));  // RFC 9110 15.5.6: a 405 must name them
  return reply;
}

contract::HttpReply too_often_reply() {
  auto reply = error_reply(429, Error{ErrorCode::kRateLimited, "too many calls from this address"});
  reply.headers.emplace_back("Retry-After", "1");  // RFC 6585 4, RFC 9110 10.2.3: seconds
  return reply;
}

contract::HttpReply asset_reply(const Asset& asset) {
  contract::HttpReply reply = with_cors(200, asset.content_type, std::string(asset.body));
  reply.headers.emplace_back("Cache-Control", "no-cache");
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (asset.content_type.starts_with("text/html")) {
    reply.headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
    reply.headers.emplace_back("Referrer-Policy", "no-referrer");  // links carry tokens
  }
  return reply;
}

}  // namespace atm::control
