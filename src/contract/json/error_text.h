// The error codes of answers, read back. For the parsers of the client's side in this folder.
#pragma once

#include <string_view>

#include "base/error_code.h"

namespace atm::json {

// SERVER_ERROR for one that this build does not know.
inline ErrorCode read_error_code(std::string_view text) {
#define ATM0S_X(name, code_text, meaning) \
  if (text == code_text) return ErrorCode::name;
  ATM0S_ERROR_CODES(ATM0S_X)
#undef ATM0S_X
  return ErrorCode::kServerError;
}

}  // namespace atm::json
