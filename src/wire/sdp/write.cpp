#include <string>

#include "wire/sdp/sdp.h"

namespace atm::sdp {
namespace {

// Lines of one description, each ended by CRLF (RFC 8866 5).
class Lines {
 public:
  template <typename... Parts>
  void add(const Parts&... parts) {
    (append(parts), ...);
    text_ += "\r\n";
  }
  std::string take() { return std::move(text_); }

 private:
  void append(std::string_view text) { text_ += text; }
  void append(uint64_t number) { text_ += std::to_string(number); }

  std::string text_;
};

template <typename List>
std::string joined(const List& list) {
  std::string out;
  for (const auto& item : list) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(item)>>) {
      out += " " + std::to_string(item);
    } else {
      out += " " + item;
    }
  }
  return out;
}

std::string to_text(const Msid& msid) {
  return msid.track_id.empty() ? msid.stream_id : msid.stream_id + " " + msid.track_id;
}

std::string to_text(const SimulcastStreams& streams) {
  std::string out;
  for (const std::vector<SimulcastId>& stream : streams) {
    if (!out.empty()) out += ';';
    for (size_t i = 0; i < stream.size(); ++i) {
      if (i != 0) out += ',';
      if (stream[i].is_paused) out += '~';
      out += stream[i].rid;
    }
  }
  return out;
}

void write_transport(Lines& out, const Transport& transport) {
  if (!transport.ice_ufrag.empty()) out.add("a=ice-ufrag:", transport.ice_ufrag);
  if (!transport.ice_pwd.empty()) out.add("a=ice-pwd:", transport.ice_pwd);
  if (!transport.ice_options.empty()) out.add("a=ice-options:", joined(transport.ice_options).substr(1));
  for (const Fingerprint& f : transport.fingerprints) out.add("a=fingerprint:", f.algorithm, " ", f.value);
  if (!transport.setup.empty()) out.add("a=setup:", transport.setup);
}

void write_extmap(Lines& out, const Extmap& extmap) {
  const std::string direction = extmap.direction ? "/" + std::string(to_text(*extmap.direction)) : std::string();
  out.add("a=extmap:", extmap.id, direction, " ", extmap.uri);
}

void write_formats(Lines& out, const MediaDescription& media) {
  // Kind by kind, each in its own order, so that what was read comes back the same.
  for (const Rtpmap& map : media.rtpmaps) {
    const std::string channels = map.channels == 1 ? std::string() : "/" + std::to_string(map.channels);
    out.add("a=rtpmap:", map.payload_type, " ", map.name, "/", map.clock_rate, channels);
  }
  for (const RtcpFb& fb : media.rtcp_fbs) {
    out.add("a=rtcp-fb:", fb.payload_type ? std::to_string(*fb.payload_type) : "*", " ", fb.text);
  }
  for (const Fmtp& fmtp : media.fmtps) {
    out.add("a=fmtp:", fmtp.payload_type, fmtp.parameters.empty() ? "" : " ", fmtp.parameters);
  }
}

void write_streams(Lines& out, const MediaDescription& media) {
  for (const Rid& rid : media.rids) {
    out.add("a=rid:", rid.id, rid.is_send ? " send" : " recv", rid.restrictions.empty() ? "" : " ", rid.restrictions);
  }
  if (media.simulcast) {
    std::string lists;
    if (!media.simulcast->send.empty()) lists += " send " + to_text(media.simulcast->send);
    if (!media.simulcast->recv.empty()) lists += " recv " + to_text(media.simulcast->recv);
    out.add("a=simulcast:", lists.empty() ? lists : lists.substr(1));
  }
  for (const SsrcGroup& group : media.ssrc_groups) out.add("a=ssrc-group:", group.semantics, joined(group.ssrcs));
  for (const Ssrc& ssrc : media.ssrcs) {
    if (!ssrc.cname.empty()) out.add("a=ssrc:", ssrc.ssrc, " cname:", ssrc.cname);
    if (ssrc.msid) out.add("a=ssrc:", ssrc.ssrc, " msid:", to_text(*ssrc.msid));
    if (ssrc.cname.empty() && !ssrc.msid) out.add("a=ssrc:", ssrc.ssrc);
  }
}

void write_media(Lines& out, const MediaDescription& media) {
  out.add("m=", media.kind, " ", media.port, " ", media.protocol, joined(media.formats));
  out.add("c=IN IP4 0.0.0.0");
  if (media.bandwidth_as_kbps) out.add("b=AS:", *media.bandwidth_as_kbps);
  if (media.bandwidth_tias_bps) out.add("b=TIAS:", *media.bandwidth_tias_bps);
  for (const std::string& candidate : media.candidates) out.add("a=", candidate);
  if (media.is_end_of_candidates) out.add("a=end-of-candidates");
  write_transport(out, media.transport);
  if (!media.mid.empty()) out.add("a=mid:", media.mid);
  if (media.is_bundle_only) out.add("a=bundle-only");
  if (media.allows_mixed_extmap) out.add("a=extmap-allow-mixed");
  for (const Extmap& extmap : media.extmaps) write_extmap(out, extmap);
  // Nobody writes the direction of a data channel, which always goes both ways (RFC 8841 10).
  if (media.kind != "application" || media.direction != Direction::kSendRecv) out.add("a=", to_text(media.direction));
  for (const Msid& msid : media.msids) out.add("a=msid:", to_text(msid));
  if (media.has_rtcp_mux) out.add("a=rtcp-mux");
  if (media.has_rtcp_rsize) out.add("a=rtcp-rsize");
  if (!media.rtcp_xr.empty()) out.add("a=rtcp-xr:", media.rtcp_xr);
  write_formats(out, media);
  write_streams(out, media);
  if (media.sctp_port) out.add("a=sctp-port:", *media.sctp_port);
  if (media.max_message_size) out.add("a=max-message-size:", *media.max_message_size);
}

}  // namespace

std::string to_text(const Description& description) {
  Lines out;
  out.add("v=0");
  // RFC 9429 5.2.1: user name and address say nothing.
  out.add("o=- ", description.origin.session_id, " ", description.origin.session_version, " IN IP4 127.0.0.1");
  out.add("s=-");
  out.add("t=0 0");
  for (const std::vector<std::string>& group : description.bundle_groups) out.add("a=group:BUNDLE", joined(group));
  if (description.allows_mixed_extmap) out.add("a=extmap-allow-mixed");
  if (description.is_ice_lite) out.add("a=ice-lite");
  write_transport(out, description.transport);
  if (!description.msid_semantic.empty()) out.add("a=msid-semantic: ", description.msid_semantic);
  for (const MediaDescription& media : description.media) write_media(out, media);
  return out.take();
}

}  // namespace atm::sdp
