// A data channel message as a document: text, or a zlib stream of text. For the two readers of this folder, the
// server's (rpc.cpp) and the client's (server_message.cpp).
#pragma once

#include "base/bytes.h"
#include "contract/json/fields.h"

namespace atm::json {

bool parse_message(ByteView message, bool is_text, nlohmann::json& out, Problem& problem);

}  // namespace atm::json
