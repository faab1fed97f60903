#include "core/srtp/send_context.h"

#include <algorithm>

#include "base/assert.h"
#include "core/srtp/nonce_guard.h"
#include "core/srtp/packet_layout.h"
#include "wire/rtp/packet.h"

namespace atm::srtp {

SendContext::SendContext(SrtpProfile profile, ByteView master_key, ByteView master_salt)
    : SendContext(derive_session_keys(profile, master_key, master_salt)) {}

SendContext::SendContext(const SessionKeys& keys)
    : rtp_(keys.rtp_key, keys.rtp_salt, keys.rtp_authentication, Aead::Direction::kSeal),
      rtcp_(keys.rtcp_key, keys.rtcp_salt, keys.rtcp_authentication, Aead::Direction::kSeal) {
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
  // RFC 3711 3.1, RFC 7714 8.2: the header with CSRCs and extension stays readable, all behind it is encrypted.
  rtp_.seal_rtp(ssrc, index, packet.first(header), packet.subspan(header), &buffer[size]);
  return size + rtp_.tag_size();
}

size_t SendContext::protect_rtcp(MutByteView buffer, size_t size) {
  if (size < kRtcpHeaderSize || size > buffer.size() || buffer.size() - size < kRtcpOverhead) return 0;
  if (rtcp_index_ >= kRtcpIndexEnd) return 0;
  const uint32_t index = rtcp_index_++;
  const MutByteView packet = buffer.first(size);
  const size_t tag_size = rtcp_.tag_size();
  const size_t tag_at = rtcp_.has_tag_last() ? size + kRtcpIndexSize : size;
  const MutByteView word = buffer.subspan(rtcp_.has_tag_last() ? size : size + tag_size, kRtcpIndexSize);
  store_u32(word.data(), kEncryptedFlag | index);
  // RFC 3711 3.4, RFC 7714 9.2: the first eight bytes, and the word with E and index, stay readable.
  rtcp_.seal_rtcp(load_u32(&packet[kRtcpSsrcAt]), index, packet.first(kRtcpHeaderSize), packet.subspan(kRtcpHeaderSize),
                  word, &buffer[tag_at]);
  return size + tag_size + kRtcpIndexSize;
}

}  // namespace atm::srtp
