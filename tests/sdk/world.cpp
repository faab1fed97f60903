#include "world.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "gate.h"

namespace atm0s::test {

namespace {

const std::string kSecret = "the-secret-of-the-tests-of-libatm0s-0123456789";

}  // namespace

std::unique_ptr<atm::soak::ServerProcess> start_server(const std::vector<std::string>& more) {
  const char* other = std::getenv("ATM0S_SERVER");
  std::vector<std::string> flags{"--https", "off"};
  flags.insert(flags.end(), more.begin(), more.end());
  return std::make_unique<atm::soak::ServerProcess>(other != nullptr ? other : ATM0S_SERVER_PROGRAM, kSecret, flags);
}

atm::soak::ServerProcess& server() {
  static const std::unique_ptr<atm::soak::ServerProcess> one = start_server();
  return *one;
}

atm::soak::ServerProcess& gated_server() {
  static const std::unique_ptr<atm::soak::ServerProcess> one =
      start_server({"--workers", "1", "--media-ip", std::string("127.0.0.1=") + Gate::kIp});
  return *one;
}

std::string url() {
  return server().url();
}

std::string token(const std::string& room, const std::string& peer, const std::string& more) {
  return token_of(server(), room, peer, more);
}

std::string token_of(atm::soak::ServerProcess& server, const std::string& room, const std::string& peer,
                     const std::string& more) {
  std::string body = R"({"room":")" + room + "\"";
  if (!peer.empty()) body += R"(,"peer":")" + peer + "\"";
  const std::string answer = server.request("POST", "/app/webrtc_session?app_secret=" + kSecret, body + more + "}");
  return nlohmann::json::parse(answer).at("data").at("token");
}

namespace {

std::string base64url(std::string_view text) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    bits = bits << 8 | static_cast<uint8_t>(letter);
    for (count += 8; count >= 6; count -= 6) out.push_back(kLetters[bits >> (count - 6) & 63]);
  }
  if (count > 0) out.push_back(kLetters[bits << (6 - count) & 63]);
  return out;
}

}  // namespace

std::string any_token(uint64_t max_bitrate) {
  nlohmann::json claims{{"protocol", "Webrtc"}, {"publish", true}, {"subscribe", true}};
  if (max_bitrate != 0) claims["max_bitrate"] = max_bitrate;
  const std::string signed_part = base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url(claims.dump());
  unsigned char signature[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), signature, &size);
  return signed_part + "." + base64url({reinterpret_cast<const char*>(signature), size});
}

std::string admin(const std::string& path) {
  return server().request("GET", path, "", kSecret);
}

std::string new_room() {
  static std::atomic<int> count = 0;
  return "room-" + std::to_string(++count);
}

SessionConfig config_of(const std::string& room, const std::string& peer) {
  SessionConfig config;
  config.room_id = room;
  config.peer_id = peer;
  config.token = token(room, peer);
  return config;
}

bool until(const std::function<bool()>& is_true, std::chrono::milliseconds patience) {
  const auto end = Clock::now() + patience;
  while (!is_true()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

}  // namespace atm0s::test
