// Shares what can be sent to a session among its video receivers (session protocol, section 6). media/session keeps a
// Claim for each of its video receivers, fills in what the receiver asks for and what its source brings, and does what
// comes out: forward up to a layer, or pause. Promises: the sum never exceeds the estimate, audio comes first, no
// receiver is outside its limits, the same inputs give the same result, no allocation. Does not measure
// (layer_rates.h), estimate bandwidth, or switch layers. Rates are bits per second.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "contract/session.h"
#include "media/share/layer_rates.h"

namespace atm::share {

// A claim that goes up needs so much more than what everything then costs, in percent...
inline constexpr uint64_t kHeadroomPercent = 10;
// ...for so long; twice as long each time that it was taken back within kProbation, up to kLongestHold, or while it is
// paused up to kLongestPausedHold: no picture at all is worse than one that comes and goes.
inline constexpr Duration kRiseHold = 1s;
inline constexpr Duration kProbation = 10s;
inline constexpr Duration kLongestHold = 32s;
inline constexpr Duration kLongestPausedHold = 2s;
// A rise that has stood for so long clears what failed before.
inline constexpr Duration kForgiveAfter = 30s;
// A stream of one layer that does not fit may be smaller soon, for its publisher is told: for so long it need not be
// paused.
inline constexpr Duration kPauseHold = 2s;
// Rates of layers move all the time: the sharing is looked at again after this at the latest.
inline constexpr Duration kShareInterval = 500ms;
// Claims of one session that are looked at: as many as it can have receivers. Further ones are paused.
inline constexpr size_t kMaxClaims = 256;

enum class Outcome : uint8_t {
  kNoLayer,  // its source brings nothing within its limits
  kPaused,   // its least layer does not fit
  kForward,  // up to `target`
};

struct Claim {
  // Told by the caller before every share().
  contract::ReceiverLimit limit;
  RateTable rates;
  bool prefers_frame_rate = false;  // of two layers the one with more frames is the better, else that with more pixels

  // What came out.
  Outcome outcome = Outcome::kNoLayer;
  Layer target = {};      // only with kForward
  uint64_t bps = 0;       // what that costs
  uint64_t want_bps = 0;  // what its highest layer within its limits costs
  // What it could use if its stream were smaller or larger: its own and what is left. For the publisher's limit.
  uint64_t room_bps = 0;
  // With kPaused: it has been for less than kPauseHold, and there is no lower layer that it could have instead.
  bool may_wait = false;

  // Kept between two calls; forget() when the receiver shows another source.
  void forget() { *this = Claim{.limit = limit, .rates = {}, .prefers_frame_rate = prefers_frame_rate}; }
  bool is_new = true;                         // it had nothing to show yet: it starts at once, with whatever fits
  uint32_t failures = 0;                      // rises in a row that were taken back
  std::optional<Instant> waiting_since = {};  // a higher layer has fitted with headroom since then
  std::optional<Instant> unfit_since = {};    // paused since then, or should be
  std::optional<Instant> risen_at = {};       // of the last rise that is not forgiven yet
  uint8_t known_max_spatial = 0, known_max_temporal = 0;
};

struct Budget {
  uint64_t estimate_bps = 0;  // all that can be sent to the session
  uint64_t audio_bps = 0;     // what its audio takes of that; reserved first
};

struct Totals {
  uint64_t used_bps = 0;    // audio and all targets
  uint64_t wanted_bps = 0;  // audio and what all would take at their highest: what is worth probing for
  Instant next = kNever;    // when to call again, if nothing changes before
};

// Least layers first, in the order of priority and then of `claims`; the rest is poured by priority: the claim that has
// least for its priority takes its next layer, as long as that fits. Lower at once, higher with headroom and patience.
Totals share(Instant now, const Budget& budget, std::span<Claim> claims);

}  // namespace atm::share
