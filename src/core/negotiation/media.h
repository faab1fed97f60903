// What offer and answer agree on, as values: codecs, m-lines, transports. Made by answer.h (server) and offer.h
// (client), consumed by core/peer and media/session. Plain data: nothing here knows ICE, DTLS or a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/codec.h"
#include "base/media_kind.h"
#include "wire/rtp/extension.h"
#include "wire/sdp/description.h"

namespace atm::negotiation {

using Direction = sdp::Direction;

constexpr bool is_sending(Direction d) {
  return d == Direction::kSendRecv || d == Direction::kSendOnly;
}
constexpr bool is_receiving(Direction d) {
  return d == Direction::kSendRecv || d == Direction::kRecvOnly;
}
constexpr Direction make_direction(bool sends, bool receives) {
  return sends ? (receives ? Direction::kSendRecv : Direction::kSendOnly)
               : (receives ? Direction::kRecvOnly : Direction::kInactive);
}
// The same m-line seen from the other side.
constexpr Direction reversed(Direction d) {
  return make_direction(is_receiving(d), is_sending(d));
}

struct NegotiatedCodec {
  Codec codec = Codec::kOpus;
  uint8_t payload_type = 0;
  std::optional<uint8_t> rtx_payload_type;
  std::optional<uint8_t> red_payload_type;  // Opus: frames with copies of earlier ones (RFC 2198)
  uint32_t clock_rate = 0;
  uint8_t channels = 1;
  std::string fmtp;  // as it stands in the answer
  // a=rtcp-fb that both sides have
  bool nack = false, pli = false, fir = false, remb = false, transport_cc = false;
  // What streams of one codec may differ in; only the codec's own fields have a meaning.
  std::string h264_profile_level_id;  // six lower case hexadecimal digits
  uint8_t h264_packetization_mode = 0;
  uint8_t vp9_profile = 0;
  uint8_t av1_profile = 0;

  bool operator==(const NegotiatedCodec&) const = default;
};

// May a packet of `a` be forwarded as `b`: the same codec, profile and packetization mode. Payload types and the H264
// level may differ.
bool is_same_format(const NegotiatedCodec& a, const NegotiatedCodec& b);

// Whoever negotiated `own` can decode a stream of `sent`: the same format, or an H264 profile and packetization that
// are part of its own (RFC 6184 8.2.2: a receiver of a profile takes streams of those inside it).
bool can_decode(const NegotiatedCodec& own, const NegotiatedCodec& sent);

struct RemoteSsrc {
  uint32_t ssrc = 0;
  std::optional<uint32_t> rtx_ssrc;
  bool operator==(const RemoteSsrc&) const = default;
};

// One accepted audio or video m-line. Rejected m-lines have none.
struct NegotiatedMedia {
  size_t index = 0;  // of the m-line
  std::string mid;
  MediaKind kind = MediaKind::kAudio;
  Direction direction = Direction::kInactive;  // our view
  std::vector<NegotiatedCodec> codecs;         // in the answer's order: its first is what senders prefer
  rtp::ExtensionMap extensions;
  // msid of what the remote sends; empty when it sends nothing
  std::string remote_stream_id, remote_track_id;
  std::vector<RemoteSsrc> remote_ssrcs;         // empty: known by mid and rid only
  std::vector<std::string> rids;                // simulcast layers that the remote sends, in its order
  uint32_t local_ssrc = 0, local_rtx_ssrc = 0;  // 0: none
  bool rcvr_rtt = false;  // RFC 3611 5.1, a=rtcp-xr:rcvr-rtt of both sides: reference times are answered
};

struct RemoteTransport {
  std::string ufrag, pwd;
  std::string fingerprint_algorithm, fingerprint;  // "sha-256", upper case pairs with colons
  std::string setup;                               // as written; "" when it was not
  bool ice_lite = false;
  std::vector<std::string> candidates;  // candidate-attribute of RFC 8839: "candidate:1 1 udp …"
};

struct LocalTransport {
  std::string ufrag, pwd;
  std::string fingerprint;  // sha-256, pairs with colons
  bool ice_lite = false;
  std::string setup;                    // answers: passive or active; offers: actpass
  std::vector<std::string> candidates;  // as above; "candidate:" may be left out
  std::string cname;
  uint64_t session_id = 0;       // below 2^63 (RFC 9429 5.2.1)
  uint64_t session_version = 0;  // one more with each description that differs
};

// What a session may use. Codecs in order of preference; empty: all that we have, in the offer's order.
struct Policy {
  std::vector<Codec> codecs;
};

// What we say about SCTP, and what is assumed of a remote that does not say (RFC 8841 6.1: 64 KiB).
inline constexpr uint16_t kSctpPort = 5000;         // RFC 8832's and every browser's; over DTLS it only has to match
inline constexpr size_t kMaxMessageSize = 262'144;  // bytes that we take in one message; what libwebrtc says
inline constexpr size_t kDefaultMaxMessageSize = 65'536;

}  // namespace atm::negotiation
