#include "contract/json/message.h"

#include <nlohmann/json.hpp>

#include "contract/json/compression.h"
#include "contract/json/limits.h"

namespace atm::json {

bool parse_message(ByteView message, bool is_text, nlohmann::json& out, Problem& problem) {
  if (is_text) return parse_document(as_text(message), out, problem);
  bool too_large = false;
  const std::optional<std::string> text = inflate(message, kMaxDocumentBytes, too_large);
  if (too_large) {
    problem.set(ErrorCode::kTooLarge, "the message inflates to more than 1 MiB");
    return false;
  }
  if (!text) {
    problem.set(ErrorCode::kInvalidRequest, "the binary message is no zlib stream");
    return false;
  }
  return parse_document(*text, out, problem);
}

}  // namespace atm::json
