// A token whose signature is right, with any header and any payload: whoever holds the secret, or has guessed a weak
// one, still gets nothing in with another algorithm, and no header or payload does harm. Input: header, a line feed,
// payload. Then the same bytes as a whole token, unsigned.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "control/token/base64url.h"
#include "control/token/claims.h"
#include "control/token/jws.h"

namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

std::string sign(const std::string& text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return text + "." + atm::token::write_base64url({reinterpret_cast<const char*>(mac), size});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  constexpr Now kNow{Instant{}, WallTime{1'800'000'000s}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(text.find('\n'), text.size());
  const std::string_view header = text.substr(0, line), payload = text.substr(std::min(line + 1, text.size()));

  const std::string signed_text = token::write_base64url(header) + "." + token::write_base64url(payload);
  if (const auto opened = token::open_jws(sign(signed_text), kSecret)) {
    ASSERT(*opened == payload);
    const auto json = nlohmann::json::parse(header, nullptr, false);
    ASSERT(json.is_object() && json.value("alg", "") == "HS256" && !json.contains("crit"));
  }
  // Without a signature, and with that of another secret, nothing is a token.
  ASSERT(!token::open_jws(signed_text + ".", kSecret));
  ASSERT(!token::open_jws(sign(signed_text), "another secret of thirty-two byte"));
  for (const auto protocol : {token::Protocol::kWebrtc, token::Protocol::kWhip, token::Protocol::kWhep}) {
    const auto claims = token::verify(token::write_jws(payload, kSecret), kSecret, kNow, protocol);
    if (!claims) continue;
    ASSERT(claims->protocol == protocol);
    const auto grant = token::authorize(*claims, "room", "peer");
    if (grant && claims->room) ASSERT(*claims->room == "room");
    if (grant && claims->peer) ASSERT(*claims->peer == "peer");
  }
  ASSERT(!token::verify(text, kSecret, kNow, token::Protocol::kWebrtc));
  return 0;
}
