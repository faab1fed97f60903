// Which payload types of an m-line we can use, and what they are. Called by answer.cpp and offer.cpp.
// Accepts opus, VP8, VP9 (profiles 0 and 2), H264 (baseline, constrained baseline, main, high; packetization modes 0
// and 1), AV1 (profile 0), each with its RTX, and RED for Opus. Declines by not listing: ULPFEC, FlexFEC, G722, PCMU,
// PCMA, CN and telephone-event (nobody here repairs or forwards them), and formats that no browser both sends and
// shows.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/negotiation/media.h"
#include "wire/sdp/description.h"

namespace atm::negotiation {

// In the policy's order of codecs, within one codec in the order of the m-line. rtcp-fb flags: what is written and
// what we do.
std::vector<NegotiatedCodec> read_codecs(const sdp::MediaDescription& media, MediaKind kind, const Policy& policy);

// formats, rtpmap, rtcp-fb and fmtp lines of `codecs` into an m-section.
void write_codecs(sdp::MediaDescription& media, const std::vector<NegotiatedCodec>& codecs);

enum class H264Profile : uint8_t { kConstrainedBaseline, kBaseline, kMain, kHigh, kConstrainedHigh };
// From profile-level-id; nothing for other profiles and malformed text.
std::optional<H264Profile> parse_h264_profile(std::string_view profile_level_id);

// The value of `key` in "key=value;key=value"; keys are case-insensitive.
std::optional<std::string_view> find_parameter(std::string_view fmtp, std::string_view key);

}  // namespace atm::negotiation
