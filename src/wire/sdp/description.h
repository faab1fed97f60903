// A session description (RFC 8866) as plain structs: what WebRTC offers and answers carry (RFC 9429), and no more.
// Made by parse() from text and by core/negotiation for answers; to_text() writes it.
// Holds values as they were written; what they mean together (BUNDLE, codecs, directions) is core/negotiation's.
// Lines that are not understood are not kept: nothing of an offer reaches an answer unread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atm::sdp {

// RFC 8866 6.7; sendrecv when no line says otherwise.
enum class Direction : uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };
constexpr std::string_view to_text(Direction direction) {
  switch (direction) {
    case Direction::kSendRecv:
      return "sendrecv";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kInactive:
      return "inactive";
  }
  return "inactive";
}

struct Origin {
  uint64_t session_id = 0;
  uint64_t session_version = 0;
  bool operator==(const Origin&) const = default;
};

struct Fingerprint {
  std::string algorithm;  // lower case: "sha-256"
  std::string value;      // upper case hexadecimal pairs with colons
  bool operator==(const Fingerprint&) const = default;
};

// What ICE and DTLS need, of one m-line or of the session. Empty: no such line.
struct Transport {
  std::string ice_ufrag;
  std::string ice_pwd;
  std::vector<std::string> ice_options;
  std::vector<Fingerprint> fingerprints;
  std::string setup;  // active, passive, actpass, holdconn
  bool operator==(const Transport&) const = default;
};

struct Extmap {
  uint16_t id = 0;
  std::optional<Direction> direction;
  std::string uri;
  bool operator==(const Extmap&) const = default;
};

struct Rtpmap {
  uint8_t payload_type = 0;
  std::string name;
  uint32_t clock_rate = 0;
  uint8_t channels = 1;
  bool operator==(const Rtpmap&) const = default;
};

struct Fmtp {
  uint8_t payload_type = 0;
  std::string parameters;
  bool operator==(const Fmtp&) const = default;
};

struct RtcpFb {
  std::optional<uint8_t> payload_type;  // none: the wildcard, every payload type of the m-line
  std::string text;                     // "nack pli"
  bool operator==(const RtcpFb&) const = default;
};

// RFC 8830. A stream id of "-" means that the track is in no stream.
struct Msid {
  std::string stream_id;
  std::string track_id;
  bool operator==(const Msid&) const = default;
};

// RFC 5576, and the msid attribute that browsers still write there.
struct Ssrc {
  uint32_t ssrc = 0;
  std::string cname;
  std::optional<Msid> msid;
  bool operator==(const Ssrc&) const = default;
};

struct SsrcGroup {
  std::string semantics;  // FID, SIM, FEC-FR
  std::vector<uint32_t> ssrcs;
  bool operator==(const SsrcGroup&) const = default;
};

// RFC 8851.
struct Rid {
  std::string id;
  bool is_send = false;
  std::string restrictions;  // "pt=96;max-width=640", or empty
  bool operator==(const Rid&) const = default;
};

// RFC 8853: streams in order, each with its alternatives.
struct SimulcastId {
  std::string rid;
  bool is_paused = false;
  bool operator==(const SimulcastId&) const = default;
};
using SimulcastStreams = std::vector<std::vector<SimulcastId>>;
struct Simulcast {
  SimulcastStreams send;
  SimulcastStreams recv;
  bool operator==(const Simulcast&) const = default;
};

struct MediaDescription {
  std::string kind;  // audio, video, application, or what else the m-line says
  uint16_t port = 0;
  std::string protocol;
  std::vector<std::string> formats;

  std::string mid;
  Direction direction = Direction::kSendRecv;
  bool is_bundle_only = false;
  Transport transport;
  std::vector<std::string> candidates;  // candidate-attribute of RFC 8839: "candidate:1 1 udp …"
  bool is_end_of_candidates = false;
  bool has_rtcp_mux = false;
  bool has_rtcp_rsize = false;
  bool allows_mixed_extmap = false;

  std::vector<Extmap> extmaps;
  std::vector<Rtpmap> rtpmaps;
  std::vector<Fmtp> fmtps;
  std::vector<RtcpFb> rtcp_fbs;
  std::string rtcp_xr;
  std::vector<Ssrc> ssrcs;
  std::vector<SsrcGroup> ssrc_groups;
  std::vector<Msid> msids;
  std::vector<Rid> rids;
  std::optional<Simulcast> simulcast;

  std::optional<uint64_t> bandwidth_tias_bps;
  std::optional<uint64_t> bandwidth_as_kbps;
  std::optional<uint16_t> sctp_port;         // RFC 8841
  std::optional<uint64_t> max_message_size;  // bytes; 0 means any size

  bool operator==(const MediaDescription&) const = default;
};

struct Description {
  Origin origin;
  std::vector<std::vector<std::string>> bundle_groups;  // mids of each a=group:BUNDLE
  bool allows_mixed_extmap = false;
  bool is_ice_lite = false;
  // As written at session level. parse() has already given it to each m-line that has none of its own.
  Transport transport;
  std::string msid_semantic;
  std::vector<MediaDescription> media;

  bool operator==(const Description&) const = default;
};

}  // namespace atm::sdp
