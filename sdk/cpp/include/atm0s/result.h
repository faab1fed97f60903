// How calls of the SDK succeed and fail: a value, or an error with a code to branch on and a sentence for a human.
// Nothing in the SDK throws. Plain values; copy them between threads as you like.
//
//   auto sender = session.create_sender(config);
//   if (!sender) return log(to_text(sender.error().code), sender.error().message);
//   sender->switch_to(camera);
//
// Codes and what they mean are those of docs/errors.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "atm0s/export.h"

namespace atm0s {

// The codes of docs/errors.md that a client meets.
enum class ErrorCode : uint8_t {
  kInvalidToken,      // the token is missing, malformed, unsigned, expired or for another room or peer
  kForbidden,         // the token does not give the right to publish, or to subscribe
  kInvalidRequest,    // an argument, or a field of a request, is wrong
  kUnsupportedCodec,  // a codec that the session did not agree on
  kNotFound,          // no such sender, receiver, file or connection
  kNotSupported,      // the server, or this build, cannot do that
  kTooMany,           // a documented limit is reached
  kDuplicatePeer,     // a session of this peer is in the room, and the server refuses a second
  kBusy,              // the server cannot take this now; try again
  kServerError,       // a fault of the server
  kNetworkError,      // the server could not be reached, or the connection broke
  kTimeout,           // no answer in time
  kBadAnswer,         // an answer that is none of this protocol
  kClosed,            // what was used has ended
  kMediaError,        // data that is none of the codec or file format that it should be
  kIceServerError,    // a STUN or TURN server could not be used; the message says which and why
};
// The name of a code, as the protocol has it: "INVALID_TOKEN".
ATM0S_API std::string_view to_text(ErrorCode code);

// Why a call did not succeed.
struct Error {
  ErrorCode code = ErrorCode::kServerError;  // to branch on
  std::string message;                       // for a human; it may change. Never holds a token or a credential
};

// A value, or why there is none. The compiler warns when a call's Result is not looked at.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // success
  Result(Error error) : value_(std::move(error)) {}  // failure

  // Whether there is a value.
  bool ok() const { return std::holds_alternative<T>(value_); }
  explicit operator bool() const { return ok(); }  // as ok()
  // The value. Only when ok().
  T& value() { return *std::get_if<T>(&value_); }
  const T& value() const { return *std::get_if<T>(&value_); }  // the same
  T& operator*() { return value(); }                           // as value()
  const T& operator*() const { return value(); }               // as value()
  T* operator->() { return &value(); }                         // as value()
  const T* operator->() const { return &value(); }             // as value()
  // Why not. Only when not ok().
  const Error& error() const { return *std::get_if<Error>(&value_); }

 private:
  std::variant<T, Error> value_;
};

// Success without a value, or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;                                // success
  Result(Error error) : error_(std::move(error)) {}  // failure

  // Whether it succeeded.
  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }  // as ok()
  // Why not. Only when not ok().
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace atm0s
