#include "core/srtp/receive_context.h"

#include "core/srtp/packet_layout.h"
#include "wire/rtp/packet.h"

namespace atm0s::srtp {
namespace {

std::nullopt_t refuse(uint64_t& counter) {
  ++counter;
  return std::nullopt;
}

}  // namespace

ReceiveContext::ReceiveContext(SrtpProfile profile, ByteView master_key, ByteView master_salt)
    : ReceiveContext(derive_session_keys(profile, master_key, master_salt)) {}

ReceiveContext::ReceiveContext(const SessionKeys& keys)
    : rtp_(keys.rtp_key, Aead::Direction::kOpen),
      rtcp_(keys.rtcp_key, Aead::Direction::kOpen),
      rtp_salt_(to_nonce(keys.rtp_salt)),
      rtcp_salt_(to_nonce(keys.rtcp_salt)) {}

ReplayWindow* ReceiveContext::find_window(Windows& windows, uint32_t ssrc, ReplayWindow& fresh) {
  const auto found = windows.find(ssrc);
  if (found != windows.end()) return &found->second;
  return windows.size() < kMaxSsrcs ? &fresh : nullptr;
}

std::optional<MutByteView> ReceiveContext::unprotect_rtp(MutByteView packet) {
  const size_t header = rtp::header_length(packet);
  if (header == 0 || packet.size() - header < kTagSize) return refuse(counters_.malformed);
  const uint32_t ssrc = load_u32(&packet[kRtpSsrcAt]);

  ReplayWindow fresh;
  ReplayWindow* window = find_window(rtp_windows_, ssrc, fresh);
  if (!window) return refuse(counters_.too_many_ssrcs);
  const uint64_t index = window->estimate_index(load_u16(&packet[kSequenceAt]));
  // RFC 3711 3.3 step 5: before the work of authentication.
  if (index >= kRtpIndexEnd || !window->is_new(index)) return refuse(counters_.replayed);

  const MutByteView text = packet.subspan(header, packet.size() - header - kTagSize);
  const Nonce nonce = rtp_nonce(rtp_salt_, ssrc, index);
  if (!rtp_.open(nonce, packet.first(header), {}, text, packet.last(kTagSize).data())) return refuse(counters_.bad_tag);

  window->mark(index);
  if (window == &fresh) rtp_windows_.emplace(ssrc, fresh);
  return packet.first(header + text.size());
}

std::optional<MutByteView> ReceiveContext::unprotect_rtcp(MutByteView packet) {
  constexpr size_t kTrailer = kTagSize + kRtcpIndexSize;
  if (packet.size() < kRtcpHeaderSize + kTrailer || packet[0] >> 6 != 2) return refuse(counters_.malformed);
  const uint32_t ssrc = load_u32(&packet[kRtcpSsrcAt]);
  const MutByteView word_bytes = packet.last(kRtcpIndexSize);
  const uint32_t word = load_u32(word_bytes.data());
  // RFC 7714 9.3 allows SRTCP that is only authenticated; nobody in WebRTC sends it, so nobody may.
  if (!(word & kEncryptedFlag)) return refuse(counters_.malformed);
  const uint32_t index = word & ~kEncryptedFlag;

  ReplayWindow fresh;
  ReplayWindow* window = find_window(rtcp_windows_, ssrc, fresh);
  if (!window) return refuse(counters_.too_many_ssrcs);
  if (!window->is_new(index)) return refuse(counters_.replayed);

  const size_t text_size = packet.size() - kRtcpHeaderSize - kTrailer;
  const MutByteView text = packet.subspan(kRtcpHeaderSize, text_size);
  const uint8_t* tag = packet.data() + kRtcpHeaderSize + text_size;
  const Nonce nonce = rtcp_nonce(rtcp_salt_, ssrc, index);
  if (!rtcp_.open(nonce, packet.first(kRtcpHeaderSize), word_bytes, text, tag)) return refuse(counters_.bad_tag);

  window->mark(index);
  if (window == &fresh) rtcp_windows_.emplace(ssrc, fresh);
  return packet.first(kRtcpHeaderSize + text_size);
}

}  // namespace atm0s::srtp
