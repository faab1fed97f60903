// The limits on what a client may send as JSON, in one place. Enforced by the parsers of this folder, so that nobody
// behind them meets a longer name, list or message. What goes over a limit is refused with a code, never cut.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atm::json {

// An HTTP body, and a data channel message once inflated. A 60-m-line offer of Chromium is about 100 kB.
inline constexpr size_t kMaxDocumentBytes = 1 << 20;
// Deepest message of the protocol is 4 levels; the rest is room for unknown fields, which are ignored.
inline constexpr size_t kMaxNesting = 32;
// Room, peer and sender names, ids, labels, client version.
inline constexpr size_t kMaxNameBytes = 256;
// An application's own text about a session, kept for its lifetime.
inline constexpr size_t kMaxMetadataBytes = 4096;
// A candidate-attribute is about 120 bytes (RFC 8839 5.1); extensions may follow.
inline constexpr size_t kMaxCandidateBytes = 1024;
// control/token refuses longer ones unread.
inline constexpr size_t kMaxTokenBytes = 8192;
inline constexpr size_t kMaxSenders = 64;
inline constexpr uint32_t kMaxReceiversPerKind = 256;
inline constexpr size_t kMaxCodecs = 16;
// Ten gigabit a second: above any link of a client; keeps sums of bitrates far from overflow.
inline constexpr uint64_t kMaxBitrateBps = 10'000'000'000;
// The first generation keeps priorities in 16 bits. Larger ones mean "as much as there is".
inline constexpr uint32_t kMaxPriority = 65'535;
// 3 bits of a layer id in the AV1 and VP9 descriptors: larger ones mean "the highest".
inline constexpr uint32_t kMaxLayer = 7;
// A mean opinion score of 5, the best, in thousandths.
inline constexpr uint32_t kMaxMos = 5'000;
// RFC 6464 3: dBov from -127 to 0.
inline constexpr int kLeastLevel = -127;
// Dates, seconds since 1970: year 9999.
inline constexpr uint64_t kMaxUnixSeconds = 253'402'300'799;
// Ten years, in seconds: longer is a mistake (milliseconds given for seconds).
inline constexpr uint64_t kMaxExpiresInSeconds = 315'360'000;

}  // namespace atm::json
