#include "control/http/problem_reply.h"

#include "contract/json/problem.h"
#include "control/http/replies.h"

namespace atm::control {
namespace {

std::string_view phrase_of(unsigned status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

unsigned status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kInvalidSdp:
      return 400;
    case ErrorCode::kInvalidToken:
      return 401;
    case ErrorCode::kForbidden:
      return 403;
    case ErrorCode::kConnNotFound:
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kMethodNotAllowed:
      return 405;
    case ErrorCode::kNotAcceptable:
      return 406;
    case ErrorCode::kConflict:
    case ErrorCode::kDuplicatePeer:
      return 409;
    case ErrorCode::kPreconditionFailed:
      return 412;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kUnsupportedMediaType:
      return 415;
    case ErrorCode::kUnsupportedSdp:
      return 422;
    case ErrorCode::kPreconditionRequired:
      return 428;
    case ErrorCode::kRateLimited:
      return 429;
    case ErrorCode::kTooMany:
    case ErrorCode::kBusy:
    case ErrorCode::kShuttingDown:
      return 503;
    default:
      return 500;
  }
}

contract::HttpReply problem_reply(const Error& error) {
  const unsigned status = status_of(error.code);
  contract::HttpReply reply = json_reply(status, json::problem(status, phrase_of(status), error));
  reply.content_type = "application/problem+json";
  // RFC 9110 15.5.2: a 401 must name the scheme; RFC 6750 3.1: and what is wrong.
  if (status == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  if (status == 403) reply.headers.emplace_back("WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
  if (status == 429 || status == 503) reply.headers.emplace_back("Retry-After", "1");  // RFC 9110 10.2.3: seconds
  return reply;
}

}  // namespace atm::control
