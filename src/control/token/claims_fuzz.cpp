// Any text as a token, and any text as the claims of one that we signed: refused or read, and what was read is issued
// and read again the same.
#include "base/assert.h"
#include "control/token/base64url.h"
#include "control/token/claims.h"
#include "control/token/jws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
  constexpr Now kNow{Instant{}, WallTime{1'800'000'000s}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = token::parse_base64url(text)) ASSERT(token::write_base64url(*bytes) == text);
  (void)token::verify(text, kSecret, kNow, token::Protocol::kWebrtc);
  const auto first = token::verify(token::write_jws(text, kSecret), kSecret, kNow, token::Protocol::kWebrtc);
  if (!first) return 0;
  const std::string issued = token::issue(*first, kSecret);
  const auto second = token::verify(issued, kSecret, kNow, token::Protocol::kWebrtc);
  // Dates are written in whole units: an `exp` of a fraction of a second ahead has then passed, and a token may grow.
  if (second) ASSERT(token::issue(*second, kSecret) == issued);
  return 0;
}
