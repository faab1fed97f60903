#include "contract/json/write.h"

#include <nlohmann/json.hpp>

namespace atm::json {

std::string write_text(const nlohmann::ordered_json& document) {
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void write_error(const Error& error, nlohmann::ordered_json& out) {
  out["data"]["code"] = atm::to_text(error.code);
  out["data"]["message"] = error.why;
  out["error"] = atm::to_text(error.code);
}

}  // namespace atm::json
