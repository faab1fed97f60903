// The server's side of offer and answer (RFC 3264, 9429, 9143): read_offer() says what is offered and checks what an
// answer needs, someone decides for each m-line, make_answer() writes the answer and what was agreed.
// Called by core/peer and media/session. Pure functions over text and values; the offer may come from anyone: refusals
// are Results, never asserts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/negotiation/media.h"
#include "wire/sdp/description.h"

namespace atm::negotiation {

// One offered m-line, for whoever decides what to do with it.
struct OfferedMedia {
  size_t index = 0;
  std::string mid;
  bool is_application = false;  // the data channel's
  bool is_rejected = false;     // port 0 without bundle-only, or of a kind that no answer accepts; answered with port 0
  MediaKind kind = MediaKind::kAudio;
  Direction direction = Direction::kInactive;  // the remote's view, as written
  std::string stream_id, track_id;             // msid of what the remote sends; "" when it has none ("-" included)
};

struct Offer {
  RemoteTransport transport;
  std::vector<OfferedMedia> media;  // one per m-line, in order
};

// Refuses (kInvalidSdp, kUnsupportedSdp): no m-line in use; not exactly one BUNDLE group with every used mid; mids that
// are missing or doubled; no rtcp-mux; no ufrag, pwd or usable fingerprint; one payload type or extension id with two
// meanings.
Result<Offer> read_offer(const sdp::Description& offer);

// The decision for one offered m-line; of application m-lines nothing is read.
struct LocalMedia {
  Direction direction = Direction::kInactive;  // our view; cut down to what offer and policy allow
  std::string stream_id, track_id;             // msid to announce when sending: "video_0" twice
  uint32_t ssrc = 0, rtx_ssrc = 0;             // 0: none
  uint64_t max_receive_bps = 0;                // told as b=TIAS (RFC 3890) where the remote sends; 0: none
};

struct Answer {
  std::string sdp;
  std::vector<NegotiatedMedia> media;  // audio and video, without the rejected ones, in m-line order
  bool has_data_channel = false;
  uint16_t remote_sctp_port = 0;
  size_t remote_max_message_size = 0;  // bytes; kMaxMessageSize when the remote takes any size
};

// `decisions`: one per m-line of the offer. Refuses what read_offer() refuses, and DTLS and ICE roles that cannot meet.
Result<Answer> make_answer(const sdp::Description& offer, std::span<const LocalMedia> decisions,
                           const LocalTransport& transport, const Policy& policy);

}  // namespace atm::negotiation
