#include "core/srtp/send_context.h"

#include <algorithm>

#include "base/assert.h"
#include "core/srtp/nonce_guard.h"
#include "core/srtp/packet_layout.h"
#include "wire/rtp/packet.h"

namespace atm0s::srtp {

SendContext::SendContext(SrtpProfile profile, ByteView master_key, ByteView master_salt)
    : SendContext(derive_session_keys(profile, master_key, master_salt)) {}

SendContext::SendContext(const SessionKeys& keys)
    : rtp_(keys.rtp_key, Aead::Direction::kSeal),
      rtcp_(keys.rtcp_key, Aead::Direction::kSeal),
      rtp_salt_(to_nonce(keys.rtp_salt)),
      rtcp_salt_(to_nonce(keys.rtcp_salt)) {
#ifndef NDEBUG
  guard_ = std::make_unique<NonceGuard>();
#endif
}

SendContext::SendContext(SendContext&&) noexcept = default;
SendContext& SendContext::operator=(SendContext&&) noexcept = default;
SendContext::~SendContext() = default;

size_t SendContext::protect_rtp(MutByteView buffer, size_t size, uint64_t index) {
  if (size > buffer.size() || buffer.size() - size < kRtpOverhead) return 0;
  const MutByteView packet = buffer.first(size);
  const size_t header = rtp::header_length(packet);
  if (header == 0) return 0;
  // Another index than the header's would decrypt nowhere; above 48 bits the nonces would repeat.
  ASSERT((index & 0xffff) == load_u16(&packet[kSequenceAt]) && index < kRtpIndexEnd);

  const uint32_t ssrc = load_u32(&packet[kRtpSsrcAt]);
  if (guard_) guard_->check(ssrc, index, packet);
  // RFC 7714 8.2: the header with CSRCs and extension is associated data, all behind it is encrypted.
  rtp_.seal(rtp_nonce(rtp_salt_, ssrc, index), packet.first(header), {}, packet.subspan(header), &buffer[size]);
  return size + kRtpOverhead;
}

size_t SendContext::protect_rtcp(MutByteView buffer, size_t size) {
  if (size < kRtcpHeaderSize || size > buffer.size() || buffer.size() - size < kRtcpOverhead) return 0;
  if (rtcp_index_ >= kRtcpIndexEnd) return 0;
  const uint32_t index = rtcp_index_++;
  const MutByteView packet = buffer.first(size);
  const MutByteView trailer = buffer.subspan(size + kTagSize, kRtcpIndexSize);
  store_u32(trailer.data(), kEncryptedFlag | index);
  // RFC 7714 9.2: associated data are the first eight bytes, and the word with E and index, which stands last.
  rtcp_.seal(rtcp_nonce(rtcp_salt_, load_u32(&packet[kRtcpSsrcAt]), index), packet.first(kRtcpHeaderSize), trailer,
             packet.subspan(kRtcpHeaderSize), &buffer[size]);
  return size + kRtcpOverhead;
}

}  // namespace atm0s::srtp
