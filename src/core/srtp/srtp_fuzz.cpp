// Unprotecting any bytes with known keys: as they are, and again behind a correct protection, so that the code after
// authentication is reached with headers that the fuzzer makes up. The first byte chooses RTP or RTCP, and the profile.
#include <algorithm>

#include "base/assert.h"
#include "core/srtp/receive_context.h"
#include "core/srtp/send_context.h"
#include "wire/rtp/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atm;
  if (size == 0 || size > 2'000) return 0;
  constexpr SrtpProfile kProfiles[] = {SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAeadAes256Gcm,
                                       SrtpProfile::kAes128CmHmacSha1_80};
  const SrtpProfile profile = kProfiles[(data[0] >> 1) % 3];
  const Bytes key(srtp_key_size(profile), 1), salt(srtp_salt_size(profile), 2);
  srtp::SendContext sender(profile, key, salt);
  srtp::ReceiveContext receiver(profile, key, salt);
  const bool rtcp = data[0] & 1;
  const Bytes input(data + 1, data + size);

  Bytes raw = input;
  if (const auto plain = rtcp ? receiver.unprotect_rtcp(raw) : receiver.unprotect_rtp(raw))
    ASSERT(plain->size() < raw.size());

  Bytes sealed = input;
  sealed.resize(input.size() + srtp::kRtcpOverhead);
  const uint64_t index = input.size() >= 4 ? load_u16(&input[2]) : 0;
  const size_t sealed_size =
      rtcp ? sender.protect_rtcp(sealed, input.size()) : sender.protect_rtp(sealed, input.size(), index);
  if (sealed_size == 0) return 0;
  sealed.resize(sealed_size);
  const auto plain = rtcp ? receiver.unprotect_rtcp(sealed) : receiver.unprotect_rtp(sealed);
  // SRTCP's version is looked at when receiving alone.
  if (!plain) {
    ASSERT(rtcp && input[0] >> 6 != 2);
    return 0;
  }
  ASSERT(std::ranges::equal(*plain, input));
  return 0;
}
