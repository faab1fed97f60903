// Result<T>: a refused request (API, RPC, SDP, configuration). Not for hostile packets (parse_* gives an optional) and
// not for our own bugs (ASSERT). Error carries a code from the one table and a sentence for a human.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/error_code.h"

namespace atm {

struct Error {
  ErrorCode code;
  std::string why;  // for a human; never holds a secret or a token
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string why = {}) {
  return tl::unexpected<Error>(Error{code, std::move(why)});
}

}  // namespace atm

// TRY(name, expression): name is the value of a Result, or the calling function returns its error.
#define TRY(name, ...)                                                         \
  auto name##_result = (__VA_ARGS__);                                          \
  if (!name##_result) return tl::unexpected(std::move(name##_result).error()); \
  auto& name = *name##_result
