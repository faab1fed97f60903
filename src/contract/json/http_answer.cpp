#include "contract/json/http_answer.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "contract/json/error_text.h"
#include "contract/json/fields.h"
#include "contract/json/limits.h"
#include "contract/json/write.h"

namespace atm::json {
namespace {

// A number that JavaScript can hold.
constexpr uint64_t kMaxNodeId = 9'007'199'254'740'991;
// Of a server, and of urls in each: more are cut off by nobody, they are a bad answer.
constexpr size_t kMaxIceServers = 16;

// `read` takes the object `data` of an envelope that says yes.
template <typename T, typename Read>
Result<T> read_envelope(std::string_view body, Read read) {
  nlohmann::json document;
  Problem problem;
  T out{};
  if (parse_document(body, document, problem)) {
    const Fields envelope(document, "", problem);
    if (!envelope.required_flag("status") && !problem.found()) {
      const std::string code = envelope.optional_text("error", kMaxNameBytes, Text::kFree).value_or("");
      return fail(read_error_code(code), envelope.member_text("data", "message").value_or(code));
    }
    if (!problem.found()) read(envelope.object("data"), out);
  }
  if (problem.found()) return fail(ErrorCode::kBadAnswer, problem.take().why);
  return out;
}

contract::IceServer read_ice_server(const Fields& fields) {
  return {fields.texts("urls", kMaxIceServers, kMaxNameBytes),
          fields.optional_text("username", kMaxNameBytes, Text::kFree).value_or(""),
          fields.optional_text("credential", kMaxNameBytes, Text::kFree).value_or("")};
}

}  // namespace

Result<ConnectAnswer> parse_connect_answer(std::string_view body) {
  return read_envelope<ConnectAnswer>(body, [](const Fields& data, ConnectAnswer& out) {
    out.node_id = data.number("node_id", 0, kMaxNodeId);
    out.conn_id = data.text("conn_id", kMaxNameBytes, Text::kName);
    out.sdp = data.text("sdp", kMaxDocumentBytes, Text::kFree);
    for (const Fields& server : data.objects("ice_servers", kMaxIceServers)) {
      out.ice_servers.push_back(read_ice_server(server));
    }
  });
}

Result<std::string> parse_restart_answer(std::string_view body) {
  return read_envelope<std::string>(
      body, [](const Fields& data, std::string& out) { out = data.text("sdp", kMaxDocumentBytes, Text::kFree); });
}

std::string ice_remote_body(uint64_t node_id, std::string_view conn_id, std::string_view candidate) {
  return write_text({{"node_id", node_id}, {"conn_id", conn_id}, {"candidate", candidate}});
}

std::string restart_body(uint64_t node_id, std::string_view conn_id, std::string_view sdp) {
  return write_text({{"node_id", node_id}, {"conn_id", conn_id}, {"sdp", sdp}});
}

}  // namespace atm::json
