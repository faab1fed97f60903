#include "contract/json/problem.h"

#include <nlohmann/json.hpp>

#include "contract/json/write.h"

namespace atm::json {

std::string problem(unsigned status, std::string_view title, const Error& error) {
  nlohmann::ordered_json out;
  out["type"] = "about:blank";  // RFC 9457 4.2.1: the status says it all; `title` is then its phrase
  out["title"] = title;
  out["status"] = status;
  if (!error.why.empty()) out["detail"] = error.why;
  out["code"] = atm::to_text(error.code);
  return write_text(out);
}

}  // namespace atm::json
