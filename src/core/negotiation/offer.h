// The client's side of offer and answer: what simulated peers and the SDK use. make_offer() writes an offer as
// browsers do, read_answer() says what the answer agreed to. Pure functions; the answer may come from anyone.
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

struct OfferMedia {
  MediaKind kind = MediaKind::kAudio;
  Direction direction = Direction::kSendOnly;
  std::string mid, stream_id, track_id;
  uint32_t ssrc = 0, rtx_ssrc = 0;
};

// The mid of the data channel's m-line. It comes first, so that m-lines added later only ever go to the end
// (RFC 3264 8: an m-line keeps its place).
inline constexpr const char* kDataMid = "data";

// `media` in m-line order; every later offer repeats the m-lines of the earlier ones and may add some.
std::string make_offer(std::span<const OfferMedia> media, bool data_channel, const LocalTransport& transport,
                       const Policy& policy);

struct AgreedAnswer {
  RemoteTransport transport;
  std::vector<NegotiatedMedia> media;  // audio and video, without the rejected ones, in m-line order
  bool has_data_channel = false;
  uint16_t remote_sctp_port = 0;
  size_t remote_max_message_size = 0;  // bytes; kMaxMessageSize when the remote takes any size
};

// Refuses answers that do not fit the offer (RFC 3264 6) or lack what a transport needs.
Result<AgreedAnswer> read_answer(const sdp::Description& offer, const sdp::Description& answer);

}  // namespace atm::negotiation
