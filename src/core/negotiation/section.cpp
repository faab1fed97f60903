#include "core/negotiation/section.h"

#include <algorithm>
#include <string_view>

namespace atm::negotiation {
namespace {

constexpr uint16_t kDiscardPort = 9;  // RFC 8840 4.1.1: the real addresses are candidates

sdp::Transport make_transport(const LocalTransport& transport) {
  sdp::Transport out;
  out.ice_ufrag = transport.ufrag;
  out.ice_pwd = transport.pwd;
  out.fingerprints = {{"sha-256", transport.fingerprint}};
  out.setup = transport.setup;
  return out;
}

}  // namespace

sdp::Description make_session(const LocalTransport& transport) {
  sdp::Description out;
  out.origin = {transport.session_id, transport.session_version};
  out.is_ice_lite = transport.ice_lite;  // RFC 8839 5.3: session level only
  out.msid_semantic = "WMS *";           // RFC 9429 5.2.1 has none; older readers take msids only with it
  return out;
}

sdp::MediaDescription make_media(const std::string& mid, MediaKind kind, Direction direction,
                                 const LocalTransport& transport) {
  sdp::MediaDescription out;
  out.kind = to_text(kind);
  out.port = kDiscardPort;
  out.protocol = "UDP/TLS/RTP/SAVPF";
  out.mid = mid;
  out.direction = direction;
  out.transport = make_transport(transport);
  out.has_rtcp_mux = true;
  out.has_rtcp_rsize = true;
  return out;
}

sdp::MediaDescription make_data_channel(const std::string& mid, const LocalTransport& transport) {
  sdp::MediaDescription out;
  out.kind = "application";
  out.port = kDiscardPort;
  out.protocol = "UDP/DTLS/SCTP";
  out.formats = {"webrtc-datachannel"};
  out.mid = mid;
  out.transport = make_transport(transport);
  out.sctp_port = kSctpPort;
  out.max_message_size = kMaxMessageSize;
  return out;
}

void write_candidates(sdp::MediaDescription& out, const LocalTransport& transport) {
  for (std::string_view candidate : transport.candidates) {
    if (candidate.starts_with("a=")) candidate.remove_prefix(2);
    const bool is_named = candidate.starts_with("candidate:");
    out.candidates.push_back((is_named ? "" : "candidate:") + std::string(candidate));
  }
  out.is_end_of_candidates = true;
}

void write_stream(sdp::MediaDescription& out, const sdp::Msid& msid, const std::string& cname, uint32_t ssrc,
                  uint32_t rtx_ssrc) {
  if (!msid.stream_id.empty()) out.msids.push_back(msid);
  if (ssrc == 0) return;
  const std::optional<sdp::Msid> ssrc_msid = msid.stream_id.empty() ? std::nullopt : std::optional(msid);
  out.ssrcs.push_back({ssrc, cname, ssrc_msid});
  if (rtx_ssrc == 0) return;
  out.ssrc_groups.push_back({"FID", {ssrc, rtx_ssrc}});  // RFC 5576 4.2, RFC 4588 8.8
  out.ssrcs.push_back({rtx_ssrc, cname, ssrc_msid});
}

bool has_rtx(const std::vector<NegotiatedCodec>& codecs) {
  return std::any_of(codecs.begin(), codecs.end(), [](const auto& c) { return c.rtx_payload_type.has_value(); });
}

bool has_rcvr_rtt(const sdp::MediaDescription& media) {
  std::string_view formats = media.rtcp_xr;  // words, each with parameters behind '='
  while (!formats.empty()) {
    const std::string_view word = formats.substr(0, formats.find(' '));
    if (word.substr(0, word.find('=')) == "rcvr-rtt") return true;
    formats.remove_prefix(std::min(word.size() + 1, formats.size()));
  }
  return false;
}

size_t message_size_of(const sdp::MediaDescription& application) {
  const uint64_t size = application.max_message_size.value_or(kDefaultMaxMessageSize);
  if (size == 0) return kMaxMessageSize;  // RFC 8841 6: any size; ours is as large as we make them
  return static_cast<size_t>(std::min<uint64_t>(size, kMaxMessageSize));
}

}  // namespace atm::negotiation
