#include "server.h"

#include <cctype>
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>

#include "io/http/client.h"

namespace atm0s::tool {

Result<std::string> Server::call(const std::string& method, const std::string& path, const std::string& body) const {
  atm::io::HttpClient::Options options;
  options.tls.verify = verifies_tls;
  options.user_agent = "atm0s";
  atm::io::HttpClient client(std::move(options));
  atm::io::HttpRequest request;
  request.method = method;
  request.url = url + path;
  request.body = body;
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (path.starts_with("/admin")) request.headers.emplace_back("Authorization", "Bearer " + secret);
  std::promise<atm::Result<atm::io::HttpResponse>> answer;
  client.request(std::move(request), [&answer](auto response) { answer.set_value(std::move(response)); });
  auto response = answer.get_future().get();
  if (!response) return Error{ErrorCode::kNetworkError, response.error().why};
  return std::move(response->body);
}

namespace {

// The token of an answer, or why there is none.
Result<std::string> token_of(const std::string& answer) {
  const auto parsed = nlohmann::json::parse(answer, nullptr, false);
  if (!parsed.is_object()) return Error{ErrorCode::kBadAnswer, "no answer of an Atm0s server: " + answer.substr(0, 80)};
  const auto data = parsed.find("data");
  if (data != parsed.end() && data->is_object() && data->contains("token")) return (*data)["token"].get<std::string>();
  const std::string why = parsed.value("error", "");
  return Error{why == "INVALID_TOKEN" ? ErrorCode::kInvalidToken : ErrorCode::kServerError,
               "the server gives no token: " + why + (why == "INVALID_TOKEN" ? " (is --secret the server's?)" : "")};
}

// RFC 3986 2.1
std::string percent_encode(const std::string& text) {
  std::string out;
  for (const char c : text) {
    char code[4];
    std::snprintf(code, sizeof(code), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += std::isalnum(static_cast<unsigned char>(c)) ? std::string(1, c) : code;
  }
  return out;
}

}  // namespace

Result<std::string> Server::dev_token(const std::string& room, const std::string& peer) const {
  auto answer = call("GET", "/dev/token?room=" + percent_encode(room) + "&peer=" + percent_encode(peer));
  return answer ? token_of(*answer) : answer;
}

Result<std::string> Server::make_token(const std::string& room, const std::string& peer, bool publish, bool subscribe,
                                       uint32_t expires_in) const {
  const nlohmann::json body = {
      {"room", room}, {"peer", peer}, {"publish", publish}, {"subscribe", subscribe}, {"expires_in", expires_in}};
  auto answer = call("POST", "/app/webrtc_session?app_secret=" + secret, body.dump());
  return answer ? token_of(*answer) : answer;
}

}  // namespace atm0s::tool
