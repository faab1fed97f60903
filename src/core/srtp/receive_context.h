// SRTP and SRTCP for what we receive (RFC 3711, RFC 7714). One per peer, for all SSRCs it may use; called by
// core/peer on every datagram of the SRTP range. Promises: any bytes are safe; a packet is given once (replay window);
// an SSRC gets state only by an authenticated packet, and only kMaxSsrcs of them; no allocation but for a new SSRC.
// Works in place: after a refusal the packet's bytes may be destroyed. Does not parse what it has decrypted.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "base/counter_table.h"
#include "base/srtp_profile.h"
#include "core/srtp/cipher.h"
#include "core/srtp/key_derivation.h"
#include "core/srtp/replay_window.h"

namespace atm::srtp {

struct Counters {
  uint64_t replayed = 0;   // seen before, or too old to tell
  uint64_t bad_tag = 0;    // not authentic, or of another key
  uint64_t malformed = 0;  // too short, another version, a header that does not fit, unencrypted SRTCP
  uint64_t too_many_ssrcs = 0;
};

inline constexpr CounterName<Counters> kCounterNames[] = {
    {&Counters::replayed, "replayed"},
    {&Counters::bad_tag, "bad_tag"},
    {&Counters::malformed, "malformed"},
    {&Counters::too_many_ssrcs, "too_many_ssrcs"},
};
static_assert(names_all(kCounterNames));

class ReceiveContext {
 public:
  // For SRTP and for SRTCP each; about 90 kB together at worst. A layer of a browser's video uses two (media and RTX);
  // transceivers that are replaced in a long session bring new ones, and none is forgotten: that would allow replays.
  static constexpr size_t kMaxSsrcs = 256;

  ReceiveContext(SrtpProfile profile, ByteView master_key, ByteView master_salt);
  explicit ReceiveContext(const SessionKeys& keys);

  // The decrypted RTP packet, a part of `packet`.
  std::optional<MutByteView> unprotect_rtp(MutByteView packet);
  // The decrypted compound RTCP packet, a part of `packet`.
  std::optional<MutByteView> unprotect_rtcp(MutByteView packet);

  const Counters& counters() const { return counters_; }

 private:
  using Windows = std::unordered_map<uint32_t, ReplayWindow>;
  // The window of `ssrc`, a fresh one (not in the table) for a new SSRC, null when the table is full.
  ReplayWindow* find_window(Windows& windows, uint32_t ssrc, ReplayWindow& fresh);

  Cipher rtp_;
  Cipher rtcp_;
  Windows rtp_windows_;
  Windows rtcp_windows_;
  Counters counters_;
};

}  // namespace atm::srtp
