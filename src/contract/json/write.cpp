#include "contract/json/write.h"

#include <nlohmann/json.hpp>

namespace atm0s::json {

std::string write_text(const nlohmann::ordered_json& document) {
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void write_error(const Error& error, nlohmann::ordered_json& out) {
  out["data"]["code"] = atm0s::to_text(error.code);
  out["data"]["message"] = error.why;
  out["error"] = atm0s::to_text(error.code);
}

}  // namespace atm0s::json
