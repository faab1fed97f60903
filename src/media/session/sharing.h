// Turns what can be sent to a session into what each of its video receivers gets: measures nothing and shares nothing
// itself (media/share does), but says when it is time to share anew and translates the outcome into targets. Without an
// estimate everybody gets its highest layer within its limits. media/session owns one.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "media/receiver/receiver.h"
#include "media/share/share.h"

namespace atm::session {

// What an audio stream that is live is taken to need, bit/s: Opus as browsers send it, with RTP, SRTP and UDP around.
inline constexpr uint64_t kAudioReserve = 64'000;
// A layer is taken with share::kHeadroomPercent to spare, of an estimate that varies by as much again.
inline constexpr uint64_t kDemandPercent = 150;
// A stream whose rates are not known yet starts with its lowest layer; it is looked at again so soon.
inline constexpr Duration kFirstLook = 200ms;

class Sharing {
 public:
  struct Viewed {
    receiver::Receiver* receiver = nullptr;
    share::Claim* claim = nullptr;
    bool has_changed = false;  // comes out: its target is another one
  };

  // By the clock, or because the estimate has fallen, has come or has gone. One that rises waits for the clock.
  bool is_due(Instant now, const std::optional<uint64_t>& estimate_bps) const;
  // Gives each receiver its target. `viewed`: all video receivers of the session, at most share::kMaxClaims.
  void share(Now now, std::optional<uint64_t> estimate_bps, size_t live_audio, std::span<Viewed> viewed);
  // A receiver is about to show another stream.
  void on_bind(Instant now) {
    if (estimate_) next_ = std::min(next_, now + kFirstLook);
  }
  Instant next_timeout() const { return next_; }
  // What is worth probing for: all at their highest, audio included, with room to rise; of the last share() with an
  // estimate. As long as any video is viewed at least a camera's, for what its next second brings is not known.
  uint64_t demand_bps() const { return demand_bps_; }

 private:
  std::optional<uint64_t> estimate_;  // that was shared last
  Instant next_ = kNever;
  uint64_t demand_bps_ = peer::kDefaultDemand;
  std::vector<share::Claim> claims_;  // reused
};

}  // namespace atm::session
