// How this folder turns a document into text: compact, and never failing. For its writers alone.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

#include "base/result.h"

namespace atm::json {

// Bytes that are no UTF-8 become U+FFFD: a foreign name must not be able to stop an event.
std::string write_text(const nlohmann::ordered_json& document);

// "data": {"code": …, "message": …}, "error": code, the same in HTTP envelopes and in refused RPC answers.
void write_error(const Error& error, nlohmann::ordered_json& out);

}  // namespace atm::json
