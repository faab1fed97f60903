// The one table of error codes: the string is the `error` of a JSON envelope, the code in a refused RPC's answer,
// and the line in docs/errors.md. Whoever refuses a request picks one from here.
#pragma once

#include <cstdint>
#include <string_view>

namespace atm {

// X(name, text, what it means)
#define ATM0S_ERROR_CODES(X)                                                                                          \
  X(kInvalidToken, "INVALID_TOKEN", "the token is missing, malformed, unsigned, expired or for another room or peer") \
  X(kForbidden, "FORBIDDEN", "the token does not give the right to publish, or to subscribe")                         \
  X(kInvalidRequest, "INVALID_REQUEST", "a field is missing, of the wrong type, or out of range")                     \
  X(kUnknownRequest, "UNKNOWN_REQUEST", "no request of that name exists")                                             \
  X(kInvalidSdp, "INVALID_SDP", "the SDP could not be parsed or breaks a rule that the answer needs")                 \
  X(kUnsupportedSdp, "UNSUPPORTED_SDP", "the SDP is valid, but asks for what this server does not do")                \
  X(kConnNotFound, "CONN_NOT_FOUND", "no connection of that id lives here, or it has ended")                          \
  X(kTrackNotFound, "TRACK_NOT_FOUND", "no sender or receiver of that name was negotiated within 10 s")               \
  X(kNotSupported, "NOT_SUPPORTED", "a request that this server knows but cannot do for this session")                \
  X(kUnsupportedCodec, "UNSUPPORTED_CODEC", "the viewer has not negotiated the format that the stream comes in")      \
  X(kNotAcceptable, "NOT_ACCEPTABLE", "WHIP, WHEP: the offer, or what the call accepts, cannot be served whole")      \
  X(kUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "WHIP, WHEP: the body is of another type than this call takes")  \
  X(kPreconditionRequired, "PRECONDITION_REQUIRED", "WHIP, WHEP: a PATCH without If-Match")                           \
  X(kPreconditionFailed, "PRECONDITION_FAILED", "WHIP, WHEP: If-Match names an ICE session that is not the current")  \
  X(kConflict, "CONFLICT", "WHIP, WHEP: the call contradicts the state of the session")                               \
  X(kNotFound, "NOT_FOUND", "no such resource")                                                                       \
  X(kMethodNotAllowed, "METHOD_NOT_ALLOWED", "the resource exists, but not with this method")                         \
  X(kTooLarge, "TOO_LARGE", "a body, message or list is over its documented limit")                                   \
  X(kTooMany, "TOO_MANY", "a documented limit on sessions, senders, receivers or requests is reached")                \
  X(kDuplicatePeer, "DUPLICATE_PEER", "a session of this peer is in the room, and the server refuses a second")       \
  X(kRateLimited, "RATE_LIMITED", "too many calls or requests in too short a time; try again later")                  \
  X(kBusy, "BUSY", "the server cannot take this now: a mailbox is full; try again")                                   \
  X(kShuttingDown, "SHUTTING_DOWN", "the server is stopping and takes no new session")                                \
  X(kInvalidConfig, "INVALID_CONFIG", "a flag, environment variable or configuration key is wrong")                   \
  X(kServerError, "SERVER_ERROR", "a fault of the server; the log says more")

enum class ErrorCode : uint8_t {
#define ATM0S_X(name, text, meaning) name,
  ATM0S_ERROR_CODES(ATM0S_X)
#undef ATM0S_X
};

constexpr std::string_view to_text(ErrorCode code) {
  switch (code) {
#define ATM0S_X(name, text, meaning) \
  case ErrorCode::name:              \
    return text;
    ATM0S_ERROR_CODES(ATM0S_X)
#undef ATM0S_X
  }
  return "SERVER_ERROR";
}

}  // namespace atm
