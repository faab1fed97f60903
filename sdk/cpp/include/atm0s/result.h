// How calls of the SDK succeed and fail: a value, or an error with a code to branch on and a sentence for a human.
// Nothing in the SDK throws. Plain values; copy them between threads as you like.
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
// "INVALID_TOKEN"
ATM0S_API std::string_view to_text(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kServerError;
  std::string message;  // for a human; never holds a token or a credential
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : value_(std::move(error)) {}

  bool ok() const { return std::holds_alternative<T>(value_); }
  explicit operator bool() const { return ok(); }
  // Only when ok().
  T& value() { return *std::get_if<T>(&value_); }
  const T& value() const { return *std::get_if<T>(&value_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  // Only when not ok().
  const Error& error() const { return *std::get_if<Error>(&value_); }

 private:
  std::variant<T, Error> value_;
};

// Success without a value, or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  // Only when not ok().
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace atm0s
