#include "wire/sdp/attribute.h"

#include <algorithm>

#include "wire/sdp/scan.h"
#include "wire/sdp/sdp.h"

namespace atm::sdp {
namespace {

using Why = const char*;
constexpr Why kGood = nullptr;

bool is_token(std::string_view text) {
  return consists_of(text, 1, kMaxTokenBytes, is_token_char);
}

std::optional<uint8_t> parse_payload_type(std::string_view text) {
  const auto number = parse_number<uint8_t>(text);
  return number && *number < 128 ? number : std::nullopt;
}

std::optional<Direction> parse_direction(std::string_view text) {
  for (const Direction d : {Direction::kSendRecv, Direction::kSendOnly, Direction::kRecvOnly, Direction::kInactive}) {
    if (to_text(d) == text) return d;
  }
  return std::nullopt;
}

// --- transport: at session level and in m-lines -------------------------------------------------------------------

// RFC 8839 5.4: ice-char, 4 to 256 of them in a ufrag, 22 to 256 in a password.
bool is_ice_text(std::string_view text, size_t min_bytes) {
  return consists_of(text, min_bytes, 256, [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
}

Why read_fingerprint(Transport& transport, std::string_view value) {
  if (transport.fingerprints.size() >= kMaxFingerprints) return "too many fingerprints";
  Fingerprint out;
  for (const char c : take_word(value)) out.algorithm += lowered(c);  // RFC 8122 5: case-insensitive
  value = trimmed(value);
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = raised(value[i]);
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
    if (i % 3 == 2 ? c != ':' : !is_digit) return "malformed fingerprint";
    out.value += c;
  }
  if (!is_token(out.algorithm) || out.value.size() % 3 != 2) return "malformed fingerprint";
  transport.fingerprints.push_back(std::move(out));
  return kGood;
}

Why read_ice_options(Transport& transport, std::string_view value) {
  while (!(value = trimmed(value)).empty()) {
    if (transport.ice_options.size() >= kMaxIceOptions) return "too many ice-options";
    transport.ice_options.emplace_back(take_word(value));
  }
  return kGood;
}

// True when the attribute is one of the transport's.
bool read_transport(Transport& transport, std::string_view name, std::string_view value, Why& why) {
  if (name == "ice-ufrag") {
    if (!is_ice_text(value, 4)) return why = "malformed ice-ufrag", true;
    transport.ice_ufrag = value;
  } else if (name == "ice-pwd") {
    if (!is_ice_text(value, 22)) return why = "malformed ice-pwd", true;
    transport.ice_pwd = value;
  } else if (name == "ice-options") {
    why = read_ice_options(transport, value);
  } else if (name == "fingerprint") {
    why = read_fingerprint(transport, value);
  } else if (name == "setup") {
    if (value != "active" && value != "passive" && value != "actpass" && value != "holdconn") {
      return why = "unknown setup", true;
    }
    transport.setup = value;
  } else {
    return false;
  }
  return true;
}

// --- media --------------------------------------------------------------------------------------------------------

Why read_mid(MediaDescription& media, std::string_view value) {
  if (!is_token(value)) return "malformed mid";
  media.mid = value;
  return kGood;
}

Why read_candidate(MediaDescription& media, std::string_view value) {
  // What a candidate says is read where candidates are used (core/ice), which must skip kinds that it does not know.
  if (media.candidates.size() >= kMaxCandidates) return "too many candidates";
  media.candidates.push_back("candidate:" + std::string(value));
  return kGood;
}

Why read_extmap(std::vector<Extmap>& extmaps, std::string_view value) {
  if (extmaps.size() >= kMaxExtmaps) return "too many extmaps";
  Extmap out;
  std::string_view id = take_word(value);
  const std::string_view number = take_until(id, '/');
  // RFC 8285 6: 1 to 255, and 4096 to 4351 for alternatives that an answer picks from.
  const auto parsed = parse_number<uint16_t>(number);
  if (!parsed || *parsed == 0) return "malformed extmap id";
  out.id = *parsed;
  if (!id.empty() && !(out.direction = parse_direction(id))) return "malformed extmap direction";
  out.uri = take_word(value);
  if (out.uri.empty()) return "extmap without URI";
  extmaps.push_back(std::move(out));
  return kGood;
}

Why read_rtpmap(MediaDescription& media, std::string_view value) {
  if (media.rtpmaps.size() >= kMaxFormats) return "too many rtpmaps";
  Rtpmap out;
  const auto payload_type = parse_payload_type(take_word(value));
  std::string_view encoding = trimmed(value);
  out.name = take_until(encoding, '/');
  const auto clock_rate = parse_number<uint32_t>(take_until(encoding, '/'));
  if (!payload_type || !is_token(out.name) || !clock_rate || *clock_rate == 0) return "malformed rtpmap";
  if (!encoding.empty()) {
    const auto channels = parse_number<uint8_t>(encoding);
    if (!channels || *channels == 0) return "malformed rtpmap";
    out.channels = *channels;
  }
  out.payload_type = *payload_type;
  out.clock_rate = *clock_rate;
  media.rtpmaps.push_back(std::move(out));
  return kGood;
}

Why read_fmtp(MediaDescription& media, std::string_view value) {
  if (media.fmtps.size() >= kMaxFormats) return "too many fmtps";
  const auto payload_type = parse_payload_type(take_word(value));
  if (!payload_type) return "malformed fmtp";
  media.fmtps.push_back({*payload_type, std::string(trimmed(value))});
  return kGood;
}

Why read_rtcp_fb(MediaDescription& media, std::string_view value) {
  if (media.rtcp_fbs.size() >= kMaxRtcpFbs) return "too many rtcp-fbs";
  const std::string_view target = take_word(value);
  RtcpFb out;
  if (target != "*") {
    out.payload_type = parse_payload_type(target);
    if (!out.payload_type) return "malformed rtcp-fb";
  }
  out.text = trimmed(value);
  if (out.text.empty()) return "malformed rtcp-fb";
  media.rtcp_fbs.push_back(std::move(out));
  return kGood;
}

// RFC 8830 2: an id is up to 64 token characters; longer ones have been seen, and GStreamer's webrtcbin writes
// "user1234@host-1234".
bool is_msid(std::string_view text) {
  return consists_of(text, 1, kMaxTokenBytes, [](char c) { return is_token_char(c) || c == '@'; });
}

std::optional<Msid> parse_msid(std::string_view value) {
  Msid out{std::string(take_word(value)), std::string(trimmed(value))};
  if (!is_msid(out.stream_id) || (!out.track_id.empty() && !is_msid(out.track_id))) return std::nullopt;
  return out;
}

Why read_msid(MediaDescription& media, std::string_view value) {
  if (media.msids.size() >= kMaxMsids) return "too many msids";
  auto msid = parse_msid(value);
  if (!msid) return "malformed msid";
  media.msids.push_back(std::move(*msid));
  return kGood;
}

Why read_ssrc(MediaDescription& media, std::string_view value) {
  const auto number = parse_number<uint32_t>(take_word(value));
  if (!number) return "malformed ssrc";
  auto found = std::find_if(media.ssrcs.begin(), media.ssrcs.end(), [&](const Ssrc& s) { return s.ssrc == *number; });
  if (found == media.ssrcs.end()) {
    if (media.ssrcs.size() >= kMaxSsrcs) return "too many ssrcs";
    found = media.ssrcs.insert(found, Ssrc{*number, {}, {}});
  }
  value = trimmed(value);
  const std::string_view attribute = take_until(value, ':');
  if (attribute == "cname") {
    found->cname = value;
  } else if (attribute == "msid") {
    if (!(found->msid = parse_msid(value))) return "malformed ssrc msid";
  }
  return kGood;
}

Why read_ssrc_group(MediaDescription& media, std::string_view value) {
  if (media.ssrc_groups.size() >= kMaxSsrcGroups) return "too many ssrc-groups";
  SsrcGroup out{std::string(take_word(value)), {}};
  if (!is_token(out.semantics)) return "malformed ssrc-group";
  while (!(value = trimmed(value)).empty()) {
    const auto number = parse_number<uint32_t>(take_word(value));
    if (!number) return "malformed ssrc-group";
    if (out.ssrcs.size() >= kMaxSsrcs) return "too many ssrcs";
    out.ssrcs.push_back(*number);
  }
  media.ssrc_groups.push_back(std::move(out));
  return kGood;
}

// RFC 8851 10: letters, digits, and (before its erratum) "-" and "_".
bool is_rid(std::string_view text) {
  return consists_of(text, 1, kMaxTokenBytes, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

Why read_rid(MediaDescription& media, std::string_view value) {
  if (media.rids.size() >= kMaxRids) return "too many rids";
  Rid out;
  out.id = take_word(value);
  const std::string_view direction = take_word(value);
  out.is_send = direction == "send";
  out.restrictions = trimmed(value);
  if (!is_rid(out.id) || (!out.is_send && direction != "recv")) return "malformed rid";
  media.rids.push_back(std::move(out));
  return kGood;
}

Why read_simulcast_streams(SimulcastStreams& out, std::string_view list) {
  size_t count = 0;
  while (!list.empty()) {
    std::string_view alternatives = take_until(list, ';');
    std::vector<SimulcastId>& stream = out.emplace_back();
    while (!alternatives.empty()) {
      std::string_view id = take_until(alternatives, ',');
      const bool is_paused = !id.empty() && id.front() == '~';
      if (is_paused) id.remove_prefix(1);
      if (!is_rid(id)) return "malformed simulcast";
      if (++count > kMaxRids) return "too many simulcast streams";
      stream.push_back({std::string(id), is_paused});
    }
    if (stream.empty()) return "malformed simulcast";
  }
  return kGood;
}

Why read_simulcast(MediaDescription& media, std::string_view value) {
  // RFC 8853 5.1: at most one such line in an m-section, each direction at most once in it.
  if (media.simulcast) return "two simulcast lines";
  Simulcast out;
  while (!(value = trimmed(value)).empty()) {
    const std::string_view direction = take_word(value);
    if (direction != "send" && direction != "recv") return "malformed simulcast";
    SimulcastStreams& streams = direction == "send" ? out.send : out.recv;
    if (!streams.empty()) return "malformed simulcast";
    if (const Why why = read_simulcast_streams(streams, take_word(value))) return why;
    if (streams.empty()) return "malformed simulcast";
  }
  media.simulcast = std::move(out);
  return kGood;
}

template <typename T>
Why read_number(std::optional<T>& out, std::string_view value, Why complaint) {
  out = parse_number<T>(trimmed(value));
  return out ? kGood : complaint;
}

struct MediaAttribute {
  std::string_view name;
  Why (*read)(MediaDescription&, std::string_view value);
};

constexpr MediaAttribute kMediaAttributes[] = {
    {"mid", read_mid},
    {"candidate", read_candidate},
    {"rtpmap", read_rtpmap},
    {"fmtp", read_fmtp},
    {"rtcp-fb", read_rtcp_fb},
    {"msid", read_msid},
    {"ssrc", read_ssrc},
    {"ssrc-group", read_ssrc_group},
    {"rid", read_rid},
    {"simulcast", read_simulcast},
    {"extmap", [](MediaDescription& m, std::string_view v) { return read_extmap(m.extmaps, v); }},
    {"bundle-only", [](MediaDescription& m, std::string_view) { return m.is_bundle_only = true, kGood; }},
    {"end-of-candidates", [](MediaDescription& m, std::string_view) { return m.is_end_of_candidates = true, kGood; }},
    {"rtcp-mux", [](MediaDescription& m, std::string_view) { return m.has_rtcp_mux = true, kGood; }},
    {"rtcp-rsize", [](MediaDescription& m, std::string_view) { return m.has_rtcp_rsize = true, kGood; }},
    {"extmap-allow-mixed", [](MediaDescription& m, std::string_view) { return m.allows_mixed_extmap = true, kGood; }},
    {"rtcp-xr", [](MediaDescription& m, std::string_view v) { return m.rtcp_xr = v, kGood; }},
    {"sctp-port",
     [](MediaDescription& m, std::string_view v) { return read_number(m.sctp_port, v, "malformed sctp-port"); }},
    {"max-message-size",
     [](MediaDescription& m, std::string_view v) {
       return read_number(m.max_message_size, v, "malformed max-message-size");
     }},
};

Why read_bundle_group(Description& session, std::string_view value) {
  if (take_word(value) != "BUNDLE") return kGood;  // lip sync and others: not ours
  if (session.bundle_groups.size() >= kMaxBundleGroups) return "too many groups";
  std::vector<std::string>& mids = session.bundle_groups.emplace_back();
  while (!(value = trimmed(value)).empty()) {
    if (mids.size() >= kMaxMedia) return "too many mids in a group";
    const std::string_view mid = take_word(value);
    if (!is_token(mid)) return "malformed mid";
    mids.emplace_back(mid);
  }
  return kGood;
}

}  // namespace

const char* read_session_attribute(Description& session, std::string_view name, std::string_view value) {
  Why why = kGood;
  if (read_transport(session.transport, name, value, why)) return why;
  if (name == "group") return read_bundle_group(session, value);
  if (name == "extmap-allow-mixed") session.allows_mixed_extmap = true;
  if (name == "ice-lite") session.is_ice_lite = true;
  if (name == "msid-semantic") session.msid_semantic = trimmed(value);
  return kGood;
}

const char* read_session_default(SessionDefaults& defaults, std::string_view name, std::string_view value) {
  if (name == "extmap") return read_extmap(defaults.extmaps, value);
  if (const auto direction = parse_direction(name)) defaults.direction = direction;
  return kGood;
}

const char* read_media_attribute(MediaDescription& media, std::string_view name, std::string_view value) {
  for (const MediaAttribute& attribute : kMediaAttributes) {
    if (attribute.name == name) return attribute.read(media, value);
  }
  Why why = kGood;
  if (read_transport(media.transport, name, value, why)) return why;
  if (const auto direction = parse_direction(name)) media.direction = *direction;
  return kGood;
}

}  // namespace atm::sdp
