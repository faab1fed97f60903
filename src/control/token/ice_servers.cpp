#include "control/token/ice_servers.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace atm::token {
namespace {

constexpr std::array<std::string_view, 4> kSchemes = {"stun:", "stuns:", "turn:", "turns:"};

// Of SHA-1 alone: 20 bytes are 28 letters (RFC 4648 4).
std::string hmac_sha1_base64(std::string_view key, std::string_view text) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  ASSERT(done != nullptr && size == digest.size());
  std::array<unsigned char, (SHA_DIGEST_LENGTH + 2) / 3 * 4 + 1> out{};
  const int written = EVP_EncodeBlock(out.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(out.data()), static_cast<size_t>(written)};
}

}  // namespace

bool is_turn_url(std::string_view url) {
  return url.starts_with("turn:") || url.starts_with("turns:");
}

bool is_ice_url(std::string_view url) {
  const auto is_its = [url](std::string_view scheme) { return url.starts_with(scheme); };
  const auto scheme = std::find_if(kSchemes.begin(), kSchemes.end(), is_its);
  if (scheme == kSchemes.end()) return false;
  const std::string_view rest = url.substr(scheme->size());
  const auto is_allowed = [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '@' && c != '/'; };
  return !rest.empty() && rest.front() != ':' && rest.front() != '?' &&
         std::all_of(rest.begin(), rest.end(), is_allowed);
}

std::vector<contract::IceServer> ice_servers_for(const IceServerSettings& settings, Now now, std::string_view peer) {
  contract::IceServer stun, turn;
  for (const std::string& url : settings.urls) (is_turn_url(url) ? turn : stun).urls.push_back(url);
  std::vector<contract::IceServer> out;
  if (!stun.urls.empty()) out.push_back(std::move(stun));
  if (turn.urls.empty()) return out;
  turn.username = settings.username;
  turn.credential = settings.credential;
  if (!settings.turn_secret.empty()) {
    turn.username = std::to_string(unix_seconds(now.wall + settings.lifetime)) + ':' + std::string(peer);
    turn.credential = hmac_sha1_base64(settings.turn_secret, turn.username);
  }
  out.push_back(std::move(turn));
  return out;
}

}  // namespace atm::token
