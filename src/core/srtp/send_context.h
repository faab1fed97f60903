// SRTP and SRTCP for what we send (RFC 3711, RFC 7714). One per peer, for all its SSRCs; called by core/peer
// on packets that are already in the send batch. Promises: in place, no allocation and no table look-up per packet.
// The caller keeps the rollover counter, and NEVER protects one index of one SSRC with two different contents: that
// repeats a GCM nonce and gives the key away. A retransmission on the same SSRC is the same bytes or nothing (RTX has
// its own SSRC and indices). Checked in builds without NDEBUG.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/srtp_profile.h"
#include "core/srtp/cipher.h"
#include "core/srtp/key_derivation.h"

namespace atm::srtp {

// The most bytes that protection adds; AES-CM adds fewer.
inline constexpr size_t kRtpOverhead = kTagSize;
inline constexpr size_t kRtcpOverhead = kTagSize + 4;  // tag, then E bit and index (RFC 7714 9)

class NonceGuard;

class SendContext {
 public:
  SendContext(SrtpProfile profile, ByteView master_key, ByteView master_salt);
  // From session keys, as the test vectors of RFC 7714 give them.
  explicit SendContext(const SessionKeys& keys);
  SendContext(SendContext&&) noexcept;
  SendContext& operator=(SendContext&&) noexcept;
  ~SendContext();

  // Protects the RTP packet in the first `size` bytes of `buffer`, which has kRtpOverhead more. `index` is ROC << 16 |
  // the packet's sequence number. Gives the new size, or 0 when that is no RTP packet or there is no room.
  size_t protect_rtp(MutByteView buffer, size_t size, uint64_t index);

  // The same for a compound RTCP packet, with kRtcpOverhead; numbers the packets itself. 0 also after 2^31 packets,
  // when the indices are used up (RFC 3711 9.2).
  size_t protect_rtcp(MutByteView buffer, size_t size);

 private:
  Cipher rtp_;
  Cipher rtcp_;
  // One counter for all SSRCs: each of them sees it grow, which is all that RFC 3711 3.2.1 needs.
  uint32_t rtcp_index_ = 0;
  std::unique_ptr<NonceGuard> guard_;  // null with NDEBUG
};

}  // namespace atm::srtp
