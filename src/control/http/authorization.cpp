#include "control/http/authorization.h"

#include "control/http/fields.h"

namespace atm::control {

std::string_view bearer_token(const contract::HttpRequest& request) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view authorization = request.header("authorization");
  // The scheme is compared without case (RFC 9110 11.1).
  if (!same_without_case(authorization.substr(0, kScheme.size()), kScheme)) return {};
  return trimmed(authorization.substr(kScheme.size()));
}

}  // namespace atm::control
