#include "core/sctp/state_cookie.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.h"
#include "core/sctp/limits.h"

namespace atm::sctp {

std::array<uint8_t, 32> CookieSeal::sign(ByteView contents) const {
  std::array<uint8_t, 32> out{};
  unsigned int size = 0;
  const unsigned char* signature = HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), contents.data(),
                                        contents.size(), out.data(), &size);
  ASSERT(signature != nullptr && size == out.size());
  return out;
}

std::array<uint8_t, CookieSeal::kSize> CookieSeal::seal(const CookieContents& contents) const {
  std::array<uint8_t, kSize> out{};
  Writer writer(out);
  writer.u64(static_cast<uint64_t>(to_us(contents.made_at.time_since_epoch())));
  writer.u32(contents.local_tag);
  writer.u32(contents.peer_tag);
  writer.u32(contents.peer_initial_tsn);
  writer.u32(contents.peer_window);
  writer.u16(contents.outbound_streams);
  writer.u16(contents.inbound_streams);
  writer.u8(contents.has_forward_tsn ? 1 : 0);
  writer.u8(contents.has_reconfig ? 1 : 0);
  ASSERT(writer.size() == kContentsSize);
  writer.bytes(sign(writer.written()));
  ASSERT(writer.ok());
  return out;
}

CookieSeal::Verdict CookieSeal::open(Now now, ByteView cookie, CookieContents& out) const {
  if (cookie.size() != kSize) return Verdict::kForged;
  const std::array<uint8_t, 32> expected = sign(cookie.first(kContentsSize));
  if (CRYPTO_memcmp(expected.data(), cookie.data() + kContentsSize, expected.size()) != 0) return Verdict::kForged;
  Reader reader(cookie);
  out.made_at = Instant(Duration(static_cast<int64_t>(reader.u64())));
  out.local_tag = reader.u32();
  out.peer_tag = reader.u32();
  out.peer_initial_tsn = reader.u32();
  out.peer_window = reader.u32();
  out.outbound_streams = reader.u16();
  out.inbound_streams = reader.u16();
  out.has_forward_tsn = reader.u8() != 0;
  out.has_reconfig = reader.u8() != 0;
  // RFC 9260 5.1.5 step 3.
  return now.mono - out.made_at > kCookieLifetime ? Verdict::kExpired : Verdict::kValid;
}

}  // namespace atm::sctp
