// The reader and the writer of session descriptions. Called by core/negotiation, by media for offers, and by tests.
// parse() takes text from strangers: it never throws, bounds every list (limits below), and a refusal names the line.
// Tolerant where the standards let writers differ (\n or \r\n, empty lines, unknown lines, order of attributes);
// strict where a value that is half understood would mislead: a known attribute with a bad value is refused.
// to_text() writes what core/negotiation made; parse(to_text(d)) gives d back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/sdp/description.h"

namespace atm::sdp {

// Limits; over one of them the text is refused with kInvalidSdp. A browser writes up to 8 kB and
// 200 lines for one m-line of video, 2 kB for one of audio: 256 KiB hold 25 of each and a data channel.
inline constexpr size_t kMaxBytes = 256 * 1024;
inline constexpr size_t kMaxLines = 10'000;
inline constexpr size_t kMaxLineBytes = 4096;  // 256 mids in a=group, or H264 parameter sets in a=fmtp
inline constexpr size_t kMaxMedia = 256;       // m-lines
inline constexpr size_t kMaxFormats = 128;     // per m-line: there are 128 payload types
inline constexpr size_t kMaxRtcpFbs = 1024;    // per m-line: eight for each payload type
inline constexpr size_t kMaxCandidates = 64;   // per m-line: 8 interfaces, 2 families, UDP and TCP, host and relay
inline constexpr size_t kMaxSsrcs = 128;       // per m-line: simulcast layers, RTX and FEC of each, and spare
inline constexpr size_t kMaxSsrcGroups = 128;  // per m-line
inline constexpr size_t kMaxExtmaps = 64;      // per m-line or session; browsers offer up to 15
inline constexpr size_t kMaxRids = 16;         // per m-line; browsers send three
inline constexpr size_t kMaxMsids = 16;        // per m-line
inline constexpr size_t kMaxFingerprints = 8;  // per m-line or session: one for each hash
inline constexpr size_t kMaxIceOptions = 16;
inline constexpr size_t kMaxBundleGroups = 16;
inline constexpr size_t kMaxTokenBytes = 256;  // mid, rid, msid, ufrag, pwd (RFC 8839 5.4: at most 256)

// Refused with ErrorCode::kInvalidSdp and a sentence that begins with "line N: ".
Result<Description> parse(std::string_view text);

std::string to_text(const Description& description);

}  // namespace atm::sdp
