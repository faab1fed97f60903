// The parts of a description that offers and answers write alike. Called by answer.cpp and offer.cpp, with values of
// our own: nothing here comes from a stranger.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/negotiation/media.h"
#include "wire/sdp/description.h"

namespace atm::negotiation {

// The session level, without BUNDLE group and m-lines.
sdp::Description make_session(const LocalTransport& transport);

// m-sections with everything but formats, extensions, streams and candidates. Port 9, one transport in all of them:
// RFC 9143 7.2 wants it in the tagged one only, browsers write and read it in each.
sdp::MediaDescription make_media(const std::string& mid, MediaKind kind, Direction direction,
                                 const LocalTransport& transport);
sdp::MediaDescription make_data_channel(const std::string& mid, const LocalTransport& transport);

// All candidates and a=end-of-candidates (RFC 8840 4.2), for the tagged m-section.
void write_candidates(sdp::MediaDescription& out, const LocalTransport& transport);

// a=msid, a=ssrc and a=ssrc-group:FID of one stream that we send; SSRC 0 means that there is none.
void write_stream(sdp::MediaDescription& out, const sdp::Msid& msid, const std::string& cname, uint32_t ssrc,
                  uint32_t rtx_ssrc);

// RFC 3611 5.1: whoever writes it answers reference times; all do, senders or not.
inline constexpr std::string_view kRcvrRtt = "rcvr-rtt=all";
bool has_rcvr_rtt(const sdp::MediaDescription& media);

bool has_rtx(const std::vector<NegotiatedCodec>& codecs);

// The largest message that the m-section's writer takes, in bytes.
size_t message_size_of(const sdp::MediaDescription& application);

}  // namespace atm::negotiation
