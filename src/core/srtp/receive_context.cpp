#include "core/srtp/receive_context.h"

#include "core/srtp/packet_layout.h"
#include "wire/rtp/packet.h"

namespace atm::srtp {
namespace {

std::nullopt_t refuse(uint64_t& counter) {
  ++counter;
  return std::nullopt;
}

}  // namespace

ReceiveContext::ReceiveContext(SrtpProfile profile, ByteView master_key, ByteView master_salt)
    : ReceiveContext(derive_session_keys(profile, master_key, master_salt)) {}

ReceiveContext::ReceiveContext(const SessionKeys& keys)
    : rtp_(keys.rtp_key, keys.rtp_salt, keys.rtp_authentication, Aead::Direction::kOpen),
      rtcp_(keys.rtcp_key, keys.rtcp_salt, keys.rtcp_authentication, Aead::Direction::kOpen) {}

ReplayWindow* ReceiveContext::find_window(Windows& windows, uint32_t ssrc, ReplayWindow& fresh) {
  const auto found = windows.find(ssrc);
  if (found != windows.end()) return &found->second;
  return windows.size() < kMaxSsrcs ? &fresh : nullptr;
}

std::optional<MutByteView> ReceiveContext::unprotect_rtp(MutByteView packet) {
  const size_t header = rtp::header_length(packet);
  const size_t tag_size = rtp_.tag_size();
  if (header == 0 || packet.size() - header < tag_size) return refuse(counters_.malformed);
  const uint32_t ssrc = load_u32(&packet[kRtpSsrcAt]);

  ReplayWindow fresh;
  ReplayWindow* window = find_window(rtp_windows_, ssrc, fresh);
  if (!window) return refuse(counters_.too_many_ssrcs);
  const uint64_t index = window->estimate_index(load_u16(&packet[kSequenceAt]));
  // RFC 3711 3.3 step 5: before the work of authentication.
  if (index >= kRtpIndexEnd || !window->is_new(index)) return refuse(counters_.replayed);

  const MutByteView text = packet.subspan(header, packet.size() - header - tag_size);
  if (!rtp_.open_rtp(ssrc, index, packet.first(header), text, packet.last(tag_size).data())) {
    return refuse(counters_.bad_tag);
  }

  window->mark(index);
  if (window == &fresh) rtp_windows_.emplace(ssrc, fresh);
  return packet.first(header + text.size());
}

std::optional<MutByteView> ReceiveContext::unprotect_rtcp(MutByteView packet) {
  const size_t trailer = rtcp_.tag_size() + kRtcpIndexSize;
  if (packet.size() < kRtcpHeaderSize + trailer || packet[0] >> 6 != 2) return refuse(counters_.malformed);
  const uint32_t ssrc = load_u32(&packet[kRtcpSsrcAt]);
  const size_t text_size = packet.size() - kRtcpHeaderSize - trailer;
  const size_t text_end = kRtcpHeaderSize + text_size;
  const bool is_tag_last = rtcp_.has_tag_last();
  const ByteView word_bytes = packet.subspan(is_tag_last ? text_end : text_end + rtcp_.tag_size(), kRtcpIndexSize);
  const uint8_t* tag = packet.data() + (is_tag_last ? text_end + kRtcpIndexSize : text_end);
  const uint32_t word = load_u32(word_bytes.data());
  // RFC 3711 3.4 and RFC 7714 9.3 allow SRTCP that is only authenticated; nobody in WebRTC sends it, so nobody may.
  if (!(word & kEncryptedFlag)) return refuse(counters_.malformed);
  const uint32_t index = word & ~kEncryptedFlag;

  ReplayWindow fresh;
  ReplayWindow* window = find_window(rtcp_windows_, ssrc, fresh);
  if (!window) return refuse(counters_.too_many_ssrcs);
  if (!window->is_new(index)) return refuse(counters_.replayed);

  const MutByteView text = packet.subspan(kRtcpHeaderSize, text_size);
  if (!rtcp_.open_rtcp(ssrc, index, packet.first(kRtcpHeaderSize), text, word_bytes, tag)) {
    return refuse(counters_.bad_tag);
  }

  window->mark(index);
  if (window == &fresh) rtcp_windows_.emplace(ssrc, fresh);
  return packet.first(kRtcpHeaderSize + text_size);
}

}  // namespace atm::srtp
