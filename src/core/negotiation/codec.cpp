#include "core/negotiation/codec.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <utility>

namespace atm::negotiation {
namespace {

constexpr uint32_t kVideoClockRate = 90'000;
constexpr uint32_t kOpusClockRate = 48'000;  // RFC 7587 7: always 48000 and two channels in SDP
constexpr uint8_t kOpusChannels = 2;
// RFC 6184 8.1: what a missing profile-level-id means.
constexpr std::string_view kDefaultH264ProfileLevelId = "42000a";

std::optional<uint32_t> parse_number(std::string_view text, int base = 10) {
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || at != end) return std::nullopt;
  return value;
}

bool is_same_text(std::string_view a, std::string_view b) {
  const auto lowered = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lowered(x) == lowered(y); });
}

const sdp::Rtpmap* find_rtpmap(const sdp::MediaDescription& media, uint8_t payload_type) {
  for (const sdp::Rtpmap& map : media.rtpmaps) {
    if (map.payload_type == payload_type) return &map;
  }
  return nullptr;
}

std::string_view fmtp_of(const sdp::MediaDescription& media, uint8_t payload_type) {
  for (const sdp::Fmtp& fmtp : media.fmtps) {
    if (fmtp.payload_type == payload_type) return fmtp.parameters;
  }
  return {};
}

// The payload types of the m-line, each once, in its order.
std::vector<uint8_t> read_payload_types(const sdp::MediaDescription& media) {
  std::vector<uint8_t> out;
  std::bitset<128> seen;
  for (const std::string& format : media.formats) {
    const auto number = parse_number(format);
    if (!number || *number > 127 || seen[*number]) continue;
    // RFC 5761 4: with rtcp-mux these cannot be told from RTCP.
    if (*number >= 64 && *number <= 95) continue;
    seen.set(*number);
    out.push_back(static_cast<uint8_t>(*number));
  }
  return out;
}

// A small number of fmtp, or what its absence means; nothing when it is no number.
std::optional<uint8_t> read_small(std::string_view fmtp, std::string_view key, uint8_t if_absent) {
  const auto text = find_parameter(fmtp, key);
  if (!text) return if_absent;
  const auto number = parse_number(*text);
  return number && *number <= 255 ? std::optional(static_cast<uint8_t>(*number)) : std::nullopt;
}

// The codec's own parameters; false when it is a variant that we decline.
bool read_variant(NegotiatedCodec& out) {
  switch (out.codec) {
    case Codec::kOpus:
      // In-band FEC costs nothing unless there is loss, and viewers behind us may need it. What was offered stays.
      if (!find_parameter(out.fmtp, "useinbandfec"))
        out.fmtp += out.fmtp.empty() ? "useinbandfec=1" : ";useinbandfec=1";
      return true;
    case Codec::kVp8:
      return true;
    case Codec::kVp9: {
      // RFC 9628 7: 0 when absent. Profiles 1 and 3 (4:4:4) are offered for receiving only.
      const auto profile = read_small(out.fmtp, "profile-id", 0);
      if (!profile || (*profile != 0 && *profile != 2)) return false;
      out.vp9_profile = *profile;
      return true;
    }
    case Codec::kH264: {
      for (const char c : find_parameter(out.fmtp, "profile-level-id").value_or(kDefaultH264ProfileLevelId)) {
        out.h264_profile_level_id += c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
      }
      const auto mode = read_small(out.fmtp, "packetization-mode", 0);
      if (!mode || *mode > 1 || !parse_h264_profile(out.h264_profile_level_id)) return false;  // 2: interleaved
      out.h264_packetization_mode = *mode;
      return true;
    }
    case Codec::kAv1: {
      // AV1 RTP specification 7.2.3: 0 when absent. 1 (4:4:4) is offered for receiving only.
      const auto profile = read_small(out.fmtp, "profile", 0);
      if (!profile || *profile != 0) return false;
      out.av1_profile = *profile;
      return true;
    }
  }
  return false;
}

void read_feedback(const sdp::MediaDescription& media, NegotiatedCodec& out) {
  for (const sdp::RtcpFb& fb : media.rtcp_fbs) {
    if (fb.payload_type && *fb.payload_type != out.payload_type) continue;
    // RFC 4585 4.2, RFC 5104 7.1, draft-alvestrand-rmcat-remb,
    // draft-holmer-rmcat-transport-wide-cc-extensions-01 4.
    if (fb.text == "nack") out.nack = true;
    if (fb.text == "nack pli") out.pli = true;
    if (fb.text == "ccm fir") out.fir = true;
    if (fb.text == "goog-remb") out.remb = true;
    if (fb.text == "transport-cc") out.transport_cc = true;
  }
}

std::optional<NegotiatedCodec> read_codec(const sdp::MediaDescription& media, const sdp::Rtpmap& map, MediaKind kind) {
  const auto codec = parse_codec(map.name);
  if (!codec || kind_of(*codec) != kind) return std::nullopt;
  const bool is_audio = kind == MediaKind::kAudio;
  if (map.clock_rate != (is_audio ? kOpusClockRate : kVideoClockRate)) return std::nullopt;
  if (is_audio && map.channels != kOpusChannels) return std::nullopt;
  NegotiatedCodec out;
  out.codec = *codec;
  out.payload_type = map.payload_type;
  out.clock_rate = map.clock_rate;
  out.channels = map.channels;
  out.fmtp = fmtp_of(media, map.payload_type);
  if (!read_variant(out)) return std::nullopt;
  read_feedback(media, out);
  return out;
}

// RFC 4588 8.6: apt names the payload type that an RTX payload type repairs.
void read_rtx(const sdp::MediaDescription& media, const sdp::Rtpmap& map, std::vector<NegotiatedCodec>& codecs) {
  if (!is_same_text(map.name, "rtx")) return;
  const auto apt = find_parameter(fmtp_of(media, map.payload_type), "apt");
  const auto repaired = apt ? parse_number(*apt) : std::nullopt;
  for (NegotiatedCodec& codec : codecs) {
    if (repaired == codec.payload_type && map.clock_rate == codec.clock_rate && !codec.rtx_payload_type) {
      codec.rtx_payload_type = map.payload_type;
    }
  }
}

// RFC 2198 5: the fmtp names the payload type of each block. All of them are one codec here, as browsers offer it.
void read_red(const sdp::MediaDescription& media, const sdp::Rtpmap& map, std::vector<NegotiatedCodec>& codecs) {
  if (!is_same_text(map.name, "red")) return;
  std::optional<uint32_t> inside;
  std::string_view list = fmtp_of(media, map.payload_type);
  while (!list.empty()) {
    const size_t slash = std::min(list.find('/'), list.size());
    const auto number = parse_number(list.substr(0, slash));
    if (!number || (inside && *inside != *number)) return;
    inside = number;
    list.remove_prefix(std::min(slash + 1, list.size()));
  }
  for (NegotiatedCodec& codec : codecs) {
    if (inside == codec.payload_type && codec.codec == Codec::kOpus && map.clock_rate == codec.clock_rate &&
        map.channels == codec.channels && !codec.red_payload_type) {
      codec.red_payload_type = map.payload_type;
    }
  }
}

std::vector<NegotiatedCodec> in_order_of(const Policy& policy, std::vector<NegotiatedCodec> codecs) {
  if (policy.codecs.empty()) return codecs;
  std::vector<NegotiatedCodec> out;
  for (const Codec wanted : policy.codecs) {
    for (NegotiatedCodec& codec : codecs) {
      const bool is_taken = std::any_of(out.begin(), out.end(), [&](const NegotiatedCodec& c) {
        return c.payload_type == codec.payload_type;  // a policy may name a codec twice
      });
      if (codec.codec == wanted && !is_taken) out.push_back(codec);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string_view> find_parameter(std::string_view fmtp, std::string_view key) {
  const auto trimmed = [](std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
  };
  while (!fmtp.empty()) {
    const size_t end = std::min(fmtp.find(';'), fmtp.size());
    const std::string_view pair = fmtp.substr(0, end);
    fmtp.remove_prefix(std::min(end + 1, fmtp.size()));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !is_same_text(trimmed(pair.substr(0, equals)), key)) continue;
    return trimmed(pair.substr(equals + 1));
  }
  return std::nullopt;
}

std::optional<H264Profile> parse_h264_profile(std::string_view profile_level_id) {
  const auto number = profile_level_id.size() == 6 ? parse_number(profile_level_id, 16) : std::nullopt;
  if (!number) return std::nullopt;
  const uint32_t idc = *number >> 16;
  const uint32_t iop = *number >> 8 & 0xff;
  // RFC 6184 8.1 table 5: the constraint flags make several spellings of one profile. The last four bits are reserved
  // there; constrained high (H.264 A.2.4.2) has two of them.
  const bool is_reserved_zero = (iop & 0x0f) == 0;
  switch (idc) {
    case 0x42:
      if (!is_reserved_zero) return std::nullopt;
      return iop & 0x40 ? H264Profile::kConstrainedBaseline : H264Profile::kBaseline;
    case 0x4d:
      if (!is_reserved_zero) return std::nullopt;
      if (iop & 0x80) return H264Profile::kConstrainedBaseline;
      return iop & 0x20 ? std::nullopt : std::optional(H264Profile::kMain);
    case 0x58:
      if (!is_reserved_zero || !(iop & 0x80)) return std::nullopt;  // extended
      return iop & 0x40 ? H264Profile::kConstrainedBaseline : H264Profile::kBaseline;
    case 0x64:
      if (iop == 0x00) return H264Profile::kHigh;
      return iop == 0x0c ? std::optional(H264Profile::kConstrainedHigh) : std::nullopt;
    default:
      return std::nullopt;
  }
}

bool is_same_format(const NegotiatedCodec& a, const NegotiatedCodec& b) {
  if (a.codec != b.codec || a.clock_rate != b.clock_rate || a.channels != b.channels) return false;
  switch (a.codec) {
    case Codec::kOpus:
    case Codec::kVp8:
      return true;
    case Codec::kVp9:
      return a.vp9_profile == b.vp9_profile;
    case Codec::kH264:
      return a.h264_packetization_mode == b.h264_packetization_mode &&
             parse_h264_profile(a.h264_profile_level_id) == parse_h264_profile(b.h264_profile_level_id);
    case Codec::kAv1:
      return a.av1_profile == b.av1_profile;
  }
  return false;
}

bool can_decode(const NegotiatedCodec& own, const NegotiatedCodec& sent) {
  if (is_same_format(own, sent)) return true;
  if (own.codec != Codec::kH264 || sent.codec != Codec::kH264) return false;
  // RFC 6184 6.2, 6.3: mode 1 has all that mode 0 has.
  if (own.h264_packetization_mode < sent.h264_packetization_mode) return false;
  const auto mine = parse_h264_profile(own.h264_profile_level_id);
  const auto theirs = parse_h264_profile(sent.h264_profile_level_id);
  if (!mine || !theirs) return false;
  if (*mine == *theirs) return true;
  // ITU-T H.264 A.2: what each profile is made of. Baseline has tools that none above it has.
  switch (*theirs) {
    case H264Profile::kConstrainedBaseline:
      return true;
    case H264Profile::kMain:
    case H264Profile::kConstrainedHigh:
      return *mine == H264Profile::kHigh;
    case H264Profile::kBaseline:
    case H264Profile::kHigh:
      return false;
  }
  return false;
}

std::vector<NegotiatedCodec> read_codecs(const sdp::MediaDescription& media, MediaKind kind, const Policy& policy) {
  std::vector<NegotiatedCodec> out;
  const std::vector<uint8_t> payload_types = read_payload_types(media);
  for (const uint8_t payload_type : payload_types) {
    const sdp::Rtpmap* map = find_rtpmap(media, payload_type);
    if (map == nullptr) continue;  // RFC 3551's static types need none, and are none of ours
    if (auto codec = read_codec(media, *map, kind)) out.push_back(std::move(*codec));
  }
  for (const uint8_t payload_type : payload_types) {
    const sdp::Rtpmap* map = find_rtpmap(media, payload_type);
    if (map == nullptr) continue;
    read_rtx(media, *map, out);
    read_red(media, *map, out);
  }
  return in_order_of(policy, std::move(out));
}

void write_codecs(sdp::MediaDescription& media, const std::vector<NegotiatedCodec>& codecs) {
  for (const NegotiatedCodec& codec : codecs) {
    const uint8_t payload_type = codec.payload_type;
    const std::string payload_text = std::to_string(payload_type);
    if (codec.red_payload_type) {
      // In front of Opus: libwebrtc sends RED only where it is preferred.
      media.formats.push_back(std::to_string(*codec.red_payload_type));
      media.rtpmaps.push_back({*codec.red_payload_type, "red", codec.clock_rate, codec.channels});
      media.fmtps.push_back({*codec.red_payload_type, payload_text + '/' + payload_text});
    }
    media.formats.push_back(payload_text);
    media.rtpmaps.push_back({payload_type, std::string(to_text(codec.codec)), codec.clock_rate, codec.channels});
    if (!codec.fmtp.empty()) media.fmtps.push_back({payload_type, codec.fmtp});
    if (codec.remb) media.rtcp_fbs.push_back({payload_type, "goog-remb"});
    if (codec.transport_cc) media.rtcp_fbs.push_back({payload_type, "transport-cc"});
    if (codec.fir) media.rtcp_fbs.push_back({payload_type, "ccm fir"});
    if (codec.nack) media.rtcp_fbs.push_back({payload_type, "nack"});
    if (codec.pli) media.rtcp_fbs.push_back({payload_type, "nack pli"});
    if (!codec.rtx_payload_type) continue;
    media.formats.push_back(std::to_string(*codec.rtx_payload_type));
    media.rtpmaps.push_back({*codec.rtx_payload_type, "rtx", codec.clock_rate, 1});
    media.fmtps.push_back({*codec.rtx_payload_type, "apt=" + payload_text});
  }
}

}  // namespace atm::negotiation
