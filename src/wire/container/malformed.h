// How the readers of this folder say that a file is broken: a Result's error whose text begins with where.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atm::container {

// "byte 32: the frame is cut off"
inline tl::unexpected<Error> malformed(size_t at, std::string_view why) {
  return fail(ErrorCode::kInvalidRequest, "byte " + std::to_string(at) + ": " + std::string(why));
}

}  // namespace atm::container
